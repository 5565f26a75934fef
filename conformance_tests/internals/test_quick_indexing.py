"""Quick reads and writes at keys: the same as PyTorch's, and as those of the general path."""

import array_api_compat
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.libraries.numpy import indexing
from arraygrad.testing import check_gradients
from conformance_tests import backends
from conformance_tests.case_values import complexes, in_library, reals
from conformance_tests.products import all_products, direction
from conformance_tests.ruled_calls import NUMPY
from conformance_tests.trees import assert_close, to_numpy

RNG = np.random.default_rng(0)
MASKS = {
    "none": np.zeros((6, 8), bool),
    "thin": RNG.random((6, 8)) < 0.3,
    "dense": RNG.random((6, 8)) < 0.8,
    "all": np.ones((6, 8), bool),
    "thin rows": np.arange(6) == 2,
    "dense rows": np.arange(6) != 2,
}
KEYS = {
    "element": (1, -2),
    "row": 2,
    "rows": slice(1, 5),
    "back": (..., slice(None, None, -2)),
    "column": (slice(None), 3),
    "all": ...,
}
INTEGERS = {
    "one axis": np.asarray([0, 5, 0, -1, 2]),
    "two axes": np.asarray([[0, -6], [3, 3], [5, 0]]),
    "nothing": np.zeros(0, dtype=np.int64),
}


def kept(y, key):
    """Read a copy: PyTorch's views would change with the array."""
    return (y * 1.0)[key]


def take_from(x, key):
    """Read twice, so that a slot is written to that has something in it."""
    y = x * x
    return y[key] * x[key]


def scaled(x, key):
    """Write what depends on what was there, and use both arrays afterwards."""
    y = x * x
    z = y * 1.0
    z[key] = 2.0 * kept(z, key) * kept(z, key)
    return z * y


def blanked(x, key):
    """Write a number."""
    y = x * x
    y[key] = 0.5
    return y * x


def spread(x, key):
    """Write one value everywhere."""
    y = x * x
    y[key] = x[0, 0] * x[1, 1]
    return y * y


def filled(x, key):
    """Write into a constant."""
    y = array_api_compat.array_namespace(x).zeros_like(x)
    y[key] = (x * x)[key]
    return y * x


def itself(x, key):
    """Write an array into itself."""
    y = x * x
    y[key] = kept(y, key)
    return y * y


def added(x, key):
    """Add in place, several times."""
    y = x * x
    for _ in range(3):
        y[key] += kept(y, key) * kept(y, key)
    return y * x


FUNCTIONS = [take_from, scaled, blanked, spread, filled, itself, added]


def key_in(key, backend):
    """Return a key in a library."""
    return in_library(backend.xp, key) if isinstance(key, np.ndarray) else key


def check_against_torch(f, x, key):
    """Compare values, both modes, and second order."""
    pytest.importorskip("torch")
    t, backend = direction((x,)), backends.load("torch")
    ours = all_products(lambda x: f(x, key), (x,), "tape", t)
    there = key_in(key, backend)
    given, moved = (in_library(backend.xp, tree) for tree in ((x,), t))
    theirs = all_products(lambda x: f(x, there), given, "torch", moved)
    assert_close(ours, to_numpy(backend, theirs), 1e-11)


@pytest.mark.parametrize("draw", [reals, complexes])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("f", FUNCTIONS)
def test_torch_has_the_same_derivatives_at_masks(f, mask, draw):
    check_against_torch(f, draw(6, 8), MASKS[mask])


@pytest.mark.parametrize("name", [name for name in KEYS if name != "back"])
@pytest.mark.parametrize("f", FUNCTIONS)
def test_torch_has_the_same_derivatives_at_basic_keys(f, name):
    check_against_torch(f, reals(6, 8), KEYS[name])


@pytest.mark.parametrize("draw", [reals, complexes])
@pytest.mark.parametrize("name", INTEGERS)
def test_torch_has_the_same_derivatives_of_reads_at_integers(name, draw):
    check_against_torch(take_from, draw(6, 8), INTEGERS[name])
    check_against_torch(lambda x, key: x[:, 0][key] * x[:, 1][key], draw(6, 8), INTEGERS[name])


@pytest.mark.parametrize("key", [*MASKS.values(), *KEYS.values()], ids=[*MASKS, *KEYS])
@pytest.mark.parametrize("f", FUNCTIONS)
def test_finite_differences_agree(f, key):
    check_gradients(lambda x: f(x, key), reals(6, 8))


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda x: x[::-1].copy()[::-1], np.array])
@pytest.mark.parametrize("mask", MASKS)
def test_cotangents_may_be_laid_out_in_any_way(mask, layout):
    x, g = layout(reals(6, 8)), layout(reals(6, 8, seed=1))
    mask = MASKS[mask]

    def f(x):
        y = x * 1.0
        y[mask] = 3.0 * y[mask]
        return y.T.copy().T + 0 * x

    before = g.copy()
    _, pullback = ag.vjp(f, x)
    for _ in range(2):
        (found,) = pullback(g)
        where = mask.reshape(mask.shape + (1,) * (2 - mask.ndim))
        np.testing.assert_allclose(found, np.where(where, 3 * g, g), rtol=1e-15)
    assert np.array_equal(g, before)


def test_a_value_may_be_broadcast_in_every_way():
    shapes = [(slice(1, 4), [(8,), (1, 8), (3, 1), (1, 1), (1,), ()]), (2, [(8,), (1,), ()])]
    for key, allowed in shapes:
        for shape in allowed:
            x, v = reals(6, 8), reals(*shape, seed=3) if shape else np.asarray(0.7)

            def f(x, v, key=key):
                y = x * x
                y[key] = v * v
                return y * y

            check_gradients(f, x, v)


def test_writing_into_what_is_constant_reaches_the_value_alone():
    def f(x):
        y = np.zeros_like(x)
        y[1:3] = x[:2] * x[:2]
        y[x > 1] = 5.0
        return np.sum(y * y)

    x = np.asarray([0.5, 0.7, 0.2])
    np.testing.assert_allclose(ag.grad(f)(x), [4 * 0.5**3, 4 * 0.7**3, 0.0])


def test_rewriting_an_element_again_and_again_leaves_the_last():
    def f(x):
        y = x * 1.0
        for n in range(4):
            y[1] = y[0] * (n + 1.0)
        return y

    _, pullback = ag.vjp(f, np.asarray([2.0, 3.0]))
    np.testing.assert_array_equal(pullback(np.ones(2))[0], [5.0, 0.0])


@pytest.mark.parametrize("key", [np.ones((6, 9), bool), np.ones((7,), bool), np.asarray([0, 6])])
def test_keys_that_do_not_fit_are_refused(key):
    def read(x):
        return x[key]

    def write(x):
        y = x * 1.0
        y[key] = 0.0
        return y

    for f in (read, write):
        with pytest.raises(IndexError):
            ag.vjp(f, reals(6, 8))


def test_values_that_do_not_fit_are_refused():
    mask = MASKS["thin"]

    def f(x):
        y = x * 1.0
        y[mask] = x[mask][:-1]
        return y

    with pytest.raises(ValueError, match=r"NumPy|shape"):
        ag.vjp(f, reals(6, 8))


# --- NumPy's own ways ---


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("mask", MASKS)
def test_places_mean_what_the_mask_means(mask, order):
    x, mask = np.asarray(reals(6, 8), order=order), MASKS[mask]
    view, at = indexing.places(x, mask)
    assert np.array_equal(view[at], x[mask])
    view[at] = 7.0
    assert np.all(x[mask] == 7.0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("key", [*MASKS.values(), *KEYS.values(), *INTEGERS.values()], ids=str)
def test_scatter_add_leaves_its_operand_alone(key, order):
    x = np.asarray(reals(6, 8), order=order)
    before = x.copy()
    values = reals(*x[key].shape, seed=1) if x[key].shape else np.asarray(0.3)
    found = indexing.scatter_add(NUMPY.xp, x, key, values)
    expected = before.copy()
    np.add.at(expected, key, values)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert np.array_equal(x, before)


def test_reads_at_integers_may_repeat_a_row_many_times():
    key = np.asarray([3] * 50 + [1])
    gradient = ag.grad(lambda x: np.sum(x[key] * x[key]))(np.ones((5, 4)))
    np.testing.assert_array_equal(gradient[:, 0], [0, 2, 0, 100, 0])
