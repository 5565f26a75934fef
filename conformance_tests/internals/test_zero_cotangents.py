"""A cotangent that is 0 for now, as at a perfect fit, still moves: it has a derivative."""

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import arraygrad as ag

jax.config.update("jax_enable_x64", True)

SELECTING = {
    "indexing": lambda xp, x: x[1:],
    "where": lambda xp, x: xp.where(x > 2.0, x, 0.5),
    "maximum": lambda xp, x: xp.maximum(x, xp.ones_like(x)),
    "minimum": lambda xp, x: xp.minimum(x, 4 * xp.ones_like(x)),
    "clip": lambda xp, x: xp.clip(x, 2.2, 7.0),
    "take": lambda xp, x: xp.take(x, xp.asarray([2, 0, 2])),
    "sort": lambda xp, x: xp.sort(x),
    "max": lambda xp, x: xp.max(x, keepdims=True),
    "tril": lambda xp, x: xp.tril(x[:, None] * x[None, :]),
}
BELOW = {
    "times": lambda xp, x, c: x * c,
    "over": lambda xp, x, c: x / c,
    "broadcast": lambda xp, x, c: x * c[1],
    "sin": lambda xp, x, c: c * xp.sin(x),
    "power": lambda xp, x, c: (c * x) ** 3,
    "pow": lambda xp, x, c: xp.pow(x, c),
    "exp": lambda xp, x, c: xp.exp(x - c),
    "atan2": lambda xp, x, c: xp.atan2(c * x, c),
}


@pytest.mark.parametrize("space", [np, array_api_strict])
@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("selecting", SELECTING)
def test_the_curvature_at_a_perfect_fit_is_that_of_the_model(selecting, below, space):
    start, factor = [1.0, 1.5, 2.5], [2.0, 1.7, 3.1]

    def loss(xp, x, target):
        c = xp.asarray(factor, dtype=x.dtype)
        return xp.sum((SELECTING[selecting](xp, BELOW[below](xp, x, c)) - target) ** 2)

    def traced(x, target):
        return loss(x.__array_namespace__(), x, target)

    fit = SELECTING[selecting](np, BELOW[below](np, np.asarray(start), np.asarray(factor)))
    expected = jax.hessian(lambda x: loss(jnp, x, fit))(jnp.asarray(start))
    found = ag.hessian(traced)(space.asarray(start), space.asarray(fit))
    again = ag.jac(ag.grad(traced), mode="reverse")(space.asarray(start), space.asarray(fit))
    for hessian in found, again:
        np.testing.assert_allclose(np.asarray(hessian), expected, rtol=1e-12, atol=1e-12)


def test_the_curvature_of_complex_products_at_a_perfect_fit():
    z = np.asarray([1 + 2j, 3.0])

    def loss(x):
        return np.abs(z[0]) ** 2 * x[0] ** 2 - np.sum(np.real((z * x)[:1] * np.conj(z * x)[:1]))

    def square(x):
        y = (z * x)[0]
        return np.real(y) ** 2 + np.imag(y) ** 2

    np.testing.assert_allclose(ag.hessian(square)(np.zeros(2)), [[10.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(ag.hessian(loss)(np.zeros(2)), np.zeros((2, 2)), atol=1e-12)


def test_what_is_not_chosen_still_has_no_influence():
    def f(x):
        return np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x))

    x = np.asarray([0.0, 4.0])
    np.testing.assert_allclose(ag.grad(f)(x), [1.0, 0.25])
    np.testing.assert_allclose(ag.hessian(f)(x), [[0.0, 0.0], [0.0, -1 / 32]])


@pytest.mark.parametrize("key", [None, ..., ()])
def test_a_number_is_read_by_a_key_and_used_elsewhere(key):
    def f(x):
        total = np.sum(x)
        return np.sum(total[key] * x) + total * total + total

    x = np.asarray([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ag.grad(f)(x), np.full(3, 4 * 6.0 + 1))
    np.testing.assert_allclose(ag.hessian(f)(x), np.full((3, 3), 4.0))
