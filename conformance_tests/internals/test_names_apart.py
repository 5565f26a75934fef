"""Writing in place: what other names and records hold of an array stays as it was."""

import numpy as np
import pytest

from arraygrad import custom_gradient, grad, hessian, hvp, jvp, value_and_grad, vjp

X = np.array([0.5, -0.3, 0.8])


def scaled(x):
    """Write into an array that a record holds, in `x` it is that of the level below."""
    w = np.ones_like(x)
    y = x * x * w
    w += 5
    return np.sum(y)


def partly_written(x):
    w = np.ones_like(x)
    y = x * w
    w[:2] = x[:2] ** 2
    return np.sum(y * y + w)


def through_atan2(x):
    w = np.ones_like(x)
    y = np.arctan2(x, w)
    w *= 3
    return np.sum(y)


def power(x):
    w = np.full_like(x, 3.0)
    y = x**w
    w -= 1
    return np.sum(y)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (scaled, [2, 2, 2]),
        (partly_written, [4, 4, 2]),
        (through_atan2, -2 * X / (1 + X * X) ** 2),
        (power, 6 * X),
    ],
)
def test_a_second_derivative_knows_nothing_of_later_writes(f, expected):
    with np.errstate(invalid="ignore"):  # the logarithm of a negative base, to no effect
        np.testing.assert_allclose(np.diag(hessian(f)(X)), expected, atol=1e-12)
        (product,) = hvp(f, (X,), (np.ones(3),))
    np.testing.assert_allclose(product, expected, atol=1e-12)


def test_a_constant_of_an_outer_trace_is_not_written():
    def f(x, w):
        y = np.sin(x * w)
        w *= 0.5
        return np.sum(y)

    w = np.ones(3)
    np.testing.assert_allclose(np.diag(hessian(f)(X, w)), -np.sin(X))
    np.testing.assert_array_equal(w, np.ones(3))
    found = grad(lambda x: np.sum(grad(f)(x, x * 0 + 1)))(X)
    np.testing.assert_allclose(found, -np.sin(X))


multiplied = custom_gradient(lambda a, b: (a * b, lambda g: (g * b, g * a)))


@pytest.mark.parametrize("product", [np.multiply, multiplied], ids=["ruled", "custom"])
def test_an_inner_gradient_knows_nothing_of_later_writes_to_an_outer_array(product):
    def g(t):
        def inner(x):
            s = t * 1
            y = product(x, s) * x
            s += 1
            return np.sum(y)

        return np.sum(grad(inner)(t))

    value, gradient = value_and_grad(g)(np.ones(3))
    np.testing.assert_allclose(value, 6.0)
    np.testing.assert_allclose(gradient, [4.0, 4.0, 4.0])


def test_gradients_inside_a_trace_are_arrays_of_their_own():
    def f(x):
        ga, gb = grad(lambda a, b: np.sum(np.sin(a + b)), argnums=(0, 1))(x, 2 * x)
        ga *= 0.1
        return np.sum(gb)

    value, gradient = value_and_grad(f)(X)
    np.testing.assert_allclose(value, f(X))
    np.testing.assert_allclose(gradient, -3 * np.sin(3 * X))


def test_cotangents_and_tangents_inside_a_trace_are_not_written():
    def pulled(x):
        _, pullback = vjp(lambda a: a + 1.0, x)
        (g,) = pullback(x)
        g *= 5
        return np.sum(x * x)

    def pushed(x):
        _, (t, u) = jvp(lambda a: (a + 1.0, a - 2.0), (x,), (x,))
        t[0] = 9
        return np.sum(u * u)

    for f in (pulled, pushed):
        np.testing.assert_allclose(grad(f)(X), 2 * X)


def test_an_output_inside_a_trace_is_not_what_its_pullback_knows():
    def f(x):
        y, pullback = vjp(np.exp, x)
        ones = np.ones_like(x)
        y *= 3
        return np.sum(pullback(ones)[0])

    np.testing.assert_allclose(grad(f)(X), np.exp(X))


def test_tangents_are_arrays_of_their_own():
    given = np.ones(3)
    _, (t, u) = jvp(lambda a: (a + 1.0, a - 2.0), (X,), (given,))
    t[...] = 9
    np.testing.assert_array_equal(given, np.ones(3))
    np.testing.assert_array_equal(u, np.ones(3))
    products = hvp(lambda a, b: np.sum((a + b) ** 2), (X, X), (given, given))
    products[0][...] = 0
    np.testing.assert_array_equal(products[1], np.full(3, 4.0))


def test_tangents_of_numbers_are_arrays():
    _, tangent = jvp(lambda x: x * 2, (np.asarray(2.0),), (np.asarray(1.0),))
    assert isinstance(tangent, np.ndarray)
