"""NumPy's quick sums and means say what NumPy says."""

import numpy as np
import pytest

from arraygrad.libraries.numpy.sums import quick_sums

QUICK = quick_sums()
SHAPES = [
    (400, 3),
    (200, 7),
    (20, 30, 5),
    (2, 300, 2),
    (300, 1),
    (130, 64),
    (400,),
    (3, 200),
    (0, 4),
]
DTYPES = ["float32", "float64", "complex64", "complex128", "int32", "float16", "longdouble"]


def drawn(shape, dtype):
    """Draw whole numbers, of which every order of addition gives the same sum."""
    rng = np.random.default_rng(len(shape) + sum(shape))
    x = rng.integers(-2, 3, size=shape)
    return (x + 1j * x[..., ::-1]).astype(dtype) if dtype.startswith("c") else x.astype(dtype)


def axes_of(shape):
    """Return all axes that a sum may be along, and none."""
    each = [None, *range(-len(shape), len(shape))]
    return (
        each
        + [tuple(range(n)) for n in range(len(shape) + 1)]
        + [(len(shape) - 1, 0)][len(shape) < 2 :]
    )


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_whole_numbers_are_numpys(shape, dtype, keepdims):
    x = drawn(shape, dtype)
    for axis in axes_of(shape):
        for each in (x, x[::2], np.asfortranarray(x), np.broadcast_to(x[..., :1], shape)):
            ours = QUICK["sum"](each, axis=axis, keepdims=keepdims)
            theirs = np.sum(each, axis=axis, keepdims=keepdims)
            assert ours.dtype == theirs.dtype
            assert ours.shape == theirs.shape
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("shape", [(400, 3), (20, 30, 5), (300, 1)])
def test_means_are_numpys(shape, keepdims):
    x = np.random.default_rng(0).normal(size=shape)
    for axis in axes_of(shape):
        ours = QUICK["mean"](x, axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(
            ours, np.mean(x, axis=axis, keepdims=keepdims), rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("length", range(1, 12))
def test_sums_of_short_rows_are_numpys_to_the_last_bit(length, dtype):
    rng = np.random.default_rng(length)
    x = rng.normal(size=(300, length)) * 10.0 ** rng.integers(-8, 8, size=(300, length))
    x = x.astype(dtype)
    ours, theirs = QUICK["sum"](x, axis=-1), np.sum(x, axis=-1)
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_what_is_not_finite_stays_in_its_sum(axis, dtype):
    x = np.ones((200, 4), dtype)
    x[3, 0], x[4, 1], x[5, 1], x[6, 2] = np.inf, np.inf, -np.inf, np.nan
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(QUICK["sum"](x, axis=axis), np.sum(x, axis=axis))


@pytest.mark.parametrize("axis", [2, -3, (0, 2), (0, 0)])
def test_axes_that_are_not_there_are_refused(axis):
    with pytest.raises(ValueError, match="axis"):
        QUICK["sum"](np.ones((300, 3)), axis=axis)
