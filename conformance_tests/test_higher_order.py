"""Derivatives of derivatives: orders, mixed modes, nested calls, on whoever differentiates."""

import math

import numpy as np
import pytest
from array_api_compat import array_namespace

import arraygrad as ag
from arraygrad.autodiff import autodiff_named
from conformance_tests.products import pull, push

X = np.asarray([0.3, 1.1, -0.7])


def sin_exp(x):
    """Return sin(x) eˣ, whose fourth derivative is -4 times itself."""
    xp = array_namespace(x)
    return xp.sin(x) * xp.exp(x)


DERIVATIVES_OF_SIN_EXP = {
    1: lambda x: np.exp(x) * (np.sin(x) + np.cos(x)),
    2: lambda x: 2 * np.exp(x) * np.cos(x),
    3: lambda x: 2 * np.exp(x) * (np.cos(x) - np.sin(x)),
    4: lambda x: -4 * np.exp(x) * np.sin(x),
}


def reverse(f, autodiff):
    """Return the derivative of an elementwise function, by reverse mode."""
    return lambda x: pull(f, (x,), autodiff)[1][0]


def forward(f, autodiff):
    """Return the derivative of an elementwise function, by forward mode."""
    return lambda x: push(f, (x,), autodiff, (x * 0 + 1,))[1]


MODES = {"r": reverse, "f": forward}
ORDERS = [
    "r", "f", "rr", "rf", "fr", "ff", "rrr", "rrf", "rfr", "frr", "rff", "frf", "ffr", "fff",
    "rrrr",
]  # fmt: skip


@pytest.mark.parametrize("modes", ORDERS)
def test_modes_nest_in_any_order(backend, autodiff, modes):
    f = sin_exp
    for mode in modes:
        f = MODES[mode](f, autodiff)
    found = backend.to_numpy(f(backend.asarray(X)))
    np.testing.assert_allclose(found, DERIVATIVES_OF_SIN_EXP[len(modes)](X), rtol=1e-13)


def total(f):
    """Return the sum of a function's result: a scalar."""

    def summed(x):
        y = f(x)
        return array_namespace(y).sum(y)

    return summed


def test_grad_of_grad_of_grad(backend, autodiff):
    f = sin_exp
    for _ in range(3):
        f = ag.grad(total(f), autodiff=autodiff)
    found = backend.to_numpy(f(backend.asarray(X)))
    np.testing.assert_allclose(found, DERIVATIVES_OF_SIN_EXP[3](X), rtol=1e-13)


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_jacobian_of_gradient_is_the_hessian(backend, autodiff, mode):
    f = lambda x: x[0] ** 2 * x[1] + x[1] ** 3 * x[2]
    x, y, z = X
    expected = [[2 * y, 2 * x, 0], [2 * x, 6 * y * z, 3 * y**2], [0, 3 * y**2, 0]]
    gradient = ag.grad(f, autodiff=autodiff)
    by_modes = ag.jac(gradient, mode=mode, autodiff=autodiff)(backend.asarray(X))
    whole = ag.hessian(f, autodiff=autodiff)(backend.asarray(X))
    for found in (by_modes, whole):
        np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=1e-13, atol=1e-14)


def test_hessian_vector_product_is_the_hessian_times_the_vector(backend):
    f = lambda x: total(sin_exp)(x) * x[0]
    x, v = backend.asarray(X), backend.asarray(X[::-1].copy())
    (product,) = ag.hvp(f, (x,), (v,))
    whole = backend.to_numpy(ag.hessian(f)(x))
    np.testing.assert_allclose(backend.to_numpy(product), whole @ X[::-1], rtol=1e-12)


# d/dx (x · d/dy (x y)) = d/dx x² = 2x: x of the outer call is a constant of the inner one.
def test_perturbations_of_nested_calls_are_not_confused(backend, autodiff):
    grad = lambda f: ag.grad(f, autodiff=autodiff)
    inner = lambda x: x * grad(lambda y: x * y)(x * 0 + 1.0)
    assert backend.to_numpy(grad(inner)(backend.asarray(3.0))) == 6.0


def test_perturbations_of_nested_pushes_are_not_confused(backend, autodiff):
    one = backend.asarray(1.0)
    inner = lambda x: x * push(lambda y: x + y, (one,), autodiff, (one,))[1]
    found = push(inner, (backend.asarray(3.0),), autodiff, (one,))[1]
    assert backend.to_numpy(found) == 1.0


def test_inner_gradient_may_close_over_the_outer_variable(backend, autodiff):
    grad = lambda f: ag.grad(f, autodiff=autodiff)
    outer = lambda x: grad(lambda y: y**3 * x)(x * 2.0)  # 3 (2x)² x = 12 x³
    assert backend.to_numpy(grad(outer)(backend.asarray(0.5))) == pytest.approx(36 * 0.25)


def test_stop_gradient_cuts_every_level(backend, autodiff):
    stop = autodiff_named(autodiff).stop_gradient
    grad = lambda f: ag.grad(f, autodiff=autodiff)
    outer = lambda x: grad(lambda y: y**2 * stop(x * y))(x)  # 2 y · (x y), the bracket constant
    # With the bracket constant on both levels the outer derivative is 2 (x y) = 2 x².
    assert backend.to_numpy(grad(outer)(backend.asarray(3.0))) == pytest.approx(18.0)


def test_gradient_of_a_newton_step_is_exact(backend, autodiff):
    grad = lambda f: ag.grad(f, autodiff=autodiff)

    def step(a):
        f = lambda x: x**2 / 2.0 - a * array_namespace(x).log(x)
        x = a * 0 + 1.0
        for _ in range(6):
            x = x - grad(f)(x) / grad(grad(f))(x)
        return x  # √a

    found = backend.to_numpy(grad(step)(backend.asarray(2.0)))
    assert found == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-12)
