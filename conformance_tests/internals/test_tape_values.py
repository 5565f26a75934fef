"""The tape's dtypes and values: dtypes are kept, and zero cotangents win over infinities."""

import array_api_compat.numpy as xp
import array_api_strict
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff import tape
from conformance_tests.internals.test_tape import one, total

# --- dtypes ---

SINGLE = {
    "scalar": lambda x: x * 2.0 + 1,
    "mean": lambda x: x - x.__array_namespace__().mean(x),
    "power": lambda x: x**1.5 + x**2 + 2.0**x,
    "functions": lambda x: x.__array_namespace__().logaddexp(x, x * 0.5),
    "where": lambda x: x.__array_namespace__().where(x > 1.5, x, 0.5),
    "norm": lambda x: x / x.__array_namespace__().sqrt(total(x * x) + 1e-6),
    "matmul": lambda x: x @ x.T,
    "index": lambda x: x[0, :] * x[:, None, 1],
}


@pytest.mark.parametrize("space", [np, array_api_strict], ids=["numpy", "array_api_strict"])
@pytest.mark.parametrize("name", SINGLE)
def test_float32_stays_float32(name, space):
    x = space.asarray([[1.0, 2.0], [3.0, 4.0]], dtype=space.float32)
    (y,), pullback, _ = tape.vjp(one(SINGLE[name]), [x], [])
    (gradient,) = pullback([space.ones_like(y)])
    _, (rate,), _ = tape.jvp(one(SINGLE[name]), [x], [x], [])
    second = tape.vjp(one(lambda x: tape.vjp(one(SINGLE[name]), [x], [])[1]([y * 0])[0]), [x], [])
    for found in (y, gradient, rate, second[1]([x])[0]):
        assert found.dtype == space.float32


def test_one_namespace_serves_every_level():
    spaces = []

    def record(x):
        spaces.append(x.__array_namespace__())
        return x * x

    ag.grad(lambda x: ag.grad(record)(x) * record(x))(np.asarray(2.0))
    assert spaces[0] is spaces[1]
    assert spaces[0].__name__ != xp.__name__


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_closed_over_array_of_any_level_is_a_constant(level):
    constant = np.asarray([1.0, 2.0])

    def nest(x, depth):
        if depth == 0:
            return total(constant * x * x)
        return ag.grad(lambda y: nest(y, depth - 1))(x)[0] * x[1]

    f = lambda x: nest(x, level - 1)
    x = np.asarray([0.5, 2.0])
    step = np.asarray([1e-6, 0.0])
    slope = (f(x + step) - f(x - step)) / 2e-6
    assert ag.grad(f)(x)[0] == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize("reduce", [np.sum, np.mean])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: 3 * x, lambda x: 3 + 0 * x),
        (lambda x: x / 4 - 2, lambda x: 0.25 + 0 * x),
        (lambda x: 100 * (x * x) / 7, lambda x: 200 * x / 7),
        (lambda x: 5 * x + 2 * x**2 - (1 - x), lambda x: 6 + 4 * x),
        (lambda x: x * np.asarray(2.0) + x, lambda x: 3 + 0 * x),
        (lambda x: -(x * np.asarray([2.0, 3.0, 4.0])), lambda x: -np.asarray([2.0, 3.0, 4.0])),
    ],
)
def test_a_number_that_is_spread_over_a_cotangent_stays_right(reduce, f, slope):
    x = np.asarray([0.5, -1.0, 2.0])
    gradient = ag.grad(lambda x: reduce(f(x)))(x)
    expected = slope(x) / (x.size if reduce is np.mean else 1)
    np.testing.assert_allclose(gradient, expected, rtol=1e-15)
    gradient += 1  # an array of its own, not a view of one number
    np.testing.assert_allclose(gradient, expected + 1, rtol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1), (1, 1), ()])
@pytest.mark.parametrize("reduce", [np.sum, np.mean])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x, c: x * c, lambda c: c),
        (lambda x, c: c * x, lambda c: c),
        (lambda x, c: 2 - x / c, lambda c: -1 / c),
        (lambda x, c: 5 * (x * c) + x, lambda c: 5 * c + 1),
    ],
)
def test_a_constant_of_fewer_elements_is_spread_too(f, slope, reduce, shape):
    c = np.arange(1.0, 4.0)[: max((*shape, 1))].reshape(shape)
    x = np.ones((3, 3))
    gradient = ag.grad(lambda x, c: reduce(f(x, c)))(x, c)
    expected = np.broadcast_to(slope(c), x.shape) / (x.size if reduce is np.mean else 1)
    np.testing.assert_allclose(gradient, expected, rtol=1e-15)
    gradient += 1
    np.testing.assert_allclose(gradient, expected + 1, rtol=1e-15)


# --- zero cotangents win over derivatives that are not finite ---


def chosen(x, mask, f):
    """Return `f` where the mask is, after which its derivative at other places is nothing."""
    y = f(x)
    z = y * 1.0
    z[~mask] = 0.0
    return np.sum(z * z) + np.sum(np.where(mask, y, 0 * x.real))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sqrt(x),
        lambda x: 3.0 - np.log(x) * x,
        lambda x: 1.0 / x,
        lambda x: (x * x) / (x * x * x),
        lambda x: x**-1.5 * np.ones((2, 1), np.float32),
    ],
)
def test_what_was_not_chosen_has_no_gradient_where_the_derivative_is_infinite(f, dtype):
    x = np.asarray([0.5, 0.0, 2.0, 0.0], dtype)
    mask = x != 0
    with np.errstate(all="ignore"):
        y = f(x)
        gradient = ag.grad(lambda x: chosen(x, np.broadcast_to(mask, y.shape), f).real)(x)
    kept = x[mask]
    alone = ag.grad(lambda x: (np.sum(f(x) * f(x)) + np.sum(f(x))).real)(kept)
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(gradient[~mask], 0)
    np.testing.assert_allclose(gradient[mask], alone, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_zeros_are_kept_whatever_the_size_of_the_others(scale):
    x = np.asarray([1.0, 2.0, 4.0, 3.0], np.float32)
    mask = np.asarray([True, False, True, False])

    def f(x):
        y = x * np.float32(scale)
        return np.sum((y * x)[mask])

    expected = np.where(mask, 2 * x * np.float32(scale), 0)
    np.testing.assert_allclose(ag.grad(f)(x), expected, rtol=1e-6)
    assert np.array_equal(x, [1, 2, 4, 3])


def test_a_chosen_infinite_derivative_stays_infinite():
    x = np.asarray([0.0, 0.0, 4.0])
    with np.errstate(all="ignore"):
        gradient = ag.grad(lambda x: np.sum(np.sqrt(x)[np.asarray([True, False, True])]))(x)
    np.testing.assert_array_equal(gradient, [np.inf, 0.0, 0.25])
