"""Where formulas alone would give NaN or an arbitrary number: masks, kinks, ties, empty arrays."""

import numpy as np
import pytest
from array_api_compat import array_namespace

import arraygrad as ag
from conformance_tests.products import pull, push

xp_of = array_namespace


def zeros_like(x):
    """Return zeros like an array."""
    return xp_of(x).zeros_like(x)


def masked_quotient(x, s):
    """Divide where the divisor is not 0."""
    xp = xp_of(x)
    return xp.where(s == 0, x, x / s)


# name: (function, arguments, gradients)
MASKED = {
    "log below zero": (
        lambda x: xp_of(x).where(x > 0, xp_of(x).log(x), zeros_like(x)),
        ([2.0, 0.0, -1.0],),
        ([0.5, 0.0, 0.0],),
    ),
    "sqrt at zero": (
        lambda x: xp_of(x).where(x > 0, xp_of(x).sqrt(x), zeros_like(x)),
        ([4.0, 0.0, -1.0],),
        ([0.25, 0.0, 0.0],),
    ),
    "entropy": (
        lambda x: xp_of(x).where(x > 0, x * xp_of(x).log(x), zeros_like(x)),
        ([1.0, 0.0],),
        ([1.0, 0.0],),
    ),
    "quotient by zero": (
        masked_quotient,
        ([1.0, 3.0], [0.0, 2.0]),
        ([1.0, 0.5], [0.0, -0.75]),
    ),
    "index past a pole": (
        lambda x: (1.0 / x)[1:],
        ([0.0, 2.0],),
        ([0.0, -0.25],),
    ),
    "maximum of a pole": (
        lambda x: xp_of(x).minimum(1.0 / x, zeros_like(x) + 1.0),
        ([0.0, 2.0],),
        ([0.0, -0.25],),
    ),
    "clip of a pole": (
        lambda x: xp_of(x).clip(1.0 / x, 0.0, 1.0),
        ([0.0, 2.0],),
        ([0.0, -0.25],),
    ),
}


@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value)")
@pytest.mark.parametrize("name", MASKED)
def test_zero_cotangent_wins_against_an_infinite_derivative(backend, name):
    f, args, expected = MASKED[name]
    _, gradients = pull(f, tuple(map(backend.asarray, args)), "tape")
    for gradient, numbers in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(backend.to_numpy(gradient), numbers, rtol=1e-15)


# name: (function, arguments, gradients): the choices documented in the rules' tables
KINKS = {
    "abs": (lambda x: abs(x), ([0.0, -2.0],), ([0.0, -1.0],)),
    "hypot": (lambda a, b: xp_of(a).hypot(a, b), ([0.0], [0.0]), ([0.0], [0.0])),
    "maximum": (lambda a, b: xp_of(a).maximum(a, b), ([1, 2], [1, 1]), ([0.5, 1], [0.5, 0])),
    "minimum": (lambda a, b: xp_of(a).minimum(a, b), ([1, 2], [1, 1]), ([0.5, 0], [0.5, 1])),
    "max": (lambda x: xp_of(x).max(x), ([3.0, 1.0, 3.0],), ([0.5, 0.0, 0.5],)),
    "min": (lambda x: xp_of(x).min(x), ([3.0, 1.0, 1.0],), ([0.0, 0.5, 0.5],)),
    "clip": (lambda x: xp_of(x).clip(x, 0.0, 1.0), ([0.0, 1.0, 2.0],), ([1.0, 1.0, 0.0],)),
    "std": (lambda x: xp_of(x).std(x), ([2.0, 2.0, 2.0],), ([0.0, 0.0, 0.0],)),
    "square of zero": (lambda x: x**2, ([0.0],), ([0.0],)),
    "first power of zero": (lambda x: x**1, ([0.0],), ([1.0],)),
    "zeroth power of zero": (lambda x: x**0, ([0.0],), ([0.0],)),
    "pow": (
        lambda a, b: xp_of(a).pow(a, b),
        ([0.0, 0.0, 2.0], [0.0, 1.0, 2.0]),
        ([0.0, 1.0, 4.0], [0.0, 0.0, 4 * np.log(2.0)]),
    ),
    "prod with a zero": (lambda x: xp_of(x).prod(x), ([2.0, 0.0, 3.0],), ([0.0, 6.0, 0.0],)),
    "prod with two": (lambda x: xp_of(x).prod(x), ([0.0, 0.0, 3.0],), ([0.0, 0.0, 0.0],)),
    "floor": (lambda x: xp_of(x).floor(x) + x, ([1.0, 1.5],), ([1.0, 1.0],)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINKS)
def test_kink_has_the_documented_value_in_both_modes(backend, name):
    f, args, expected = KINKS[name]
    arrays = tuple(map(backend.asarray, args))
    y, gradients = pull(f, arrays, "tape")
    for gradient, numbers in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(backend.to_numpy(gradient), numbers, rtol=1e-15)
    _, rates = push(f, arrays, "tape", tuple(x * 0 + 1 for x in arrays))
    total = sum(np.sum(numbers) for numbers in expected)
    assert np.sum(backend.to_numpy(rates)) == pytest.approx(total)
    assert rates.shape == y.shape


def test_abs_of_complex_zero_has_gradient_zero(backend):
    _, (gradient,) = pull(abs, (backend.asarray([0j, 3 + 4j], "complex128"),), "tape")
    np.testing.assert_allclose(backend.to_numpy(gradient), [0, 0.6 + 0.8j], rtol=1e-15)


@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value)")
def test_gradient_that_is_not_finite_is_returned_as_it_is(backend, autodiff):
    f = lambda x: xp_of(x).sum(xp_of(x).sqrt(x))
    found = backend.to_numpy(ag.grad(f, autodiff=autodiff)(backend.asarray([0.0, 4.0])))
    np.testing.assert_array_equal(found, [np.inf, 0.25])


def test_output_that_depends_on_nothing_gives_zeros(backend, autodiff):
    f = lambda x, y: xp_of(x).sum(x * x)
    found = ag.grad(f, argnums=(0, 1), autodiff=autodiff)(
        backend.asarray([1.0, 2.0]), backend.asarray([[3.0]])
    )
    np.testing.assert_array_equal(backend.to_numpy(found[1]), [[0.0]])


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2), ()])
def test_empty_and_0d_arrays_have_gradients_of_their_shape(backend, autodiff, shape):
    f = lambda x: xp_of(x).sum(xp_of(x).exp(x) * 2.0)
    found = ag.grad(f, autodiff=autodiff)(backend.asarray(np.zeros(shape)))
    np.testing.assert_array_equal(backend.to_numpy(found), 2.0 * np.ones(shape))
