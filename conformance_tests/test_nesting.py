"""Operators inside operators: orders, modes and perturbations."""

import numpy as np
import pytest

import arraygrad as ag
from conformance_tests.operator_checks import check, squares, total


def test_three_orders_of_derivatives(backend, autodiff):
    x = backend.asarray(2.0)
    f = lambda x: x**5
    for expected in (80.0, 160.0, 240.0):
        f = ag.grad(f, autodiff=autodiff)
        check(backend, f(x), expected)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        # each inner derivative is with respect to its own variable only
        (lambda x, grad, one: x * grad(lambda y: x + y)(one), 1.0),
        (lambda x, grad, one: x * grad(lambda y: x * y)(one), 6.0),
        (lambda x, grad, one: x * grad(lambda y: x * y)(x), 6.0),
        (lambda x, grad, one: grad(lambda y: x * y * y)(x), 12.0),
        (lambda x, grad, one: x * grad(lambda y: grad(lambda z: x * y * z)(y))(x), 6.0),
    ],
)
def test_perturbations_are_not_confused(backend, autodiff, f, expected):
    one = backend.asarray(1.0)
    inner = lambda g: ag.grad(g, autodiff=autodiff)
    outer = ag.grad(lambda x, one: f(x, inner, one), autodiff=autodiff)
    check(backend, outer(backend.asarray(3.0), one), expected)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x, rate: x * rate(lambda y: x * y), 6.0),
        (lambda x, rate: rate(lambda y: x + y), 0.0),
    ],
)
def test_perturbations_are_not_confused_forwards(backend, f, expected):
    x, one = backend.asarray(3.0), backend.asarray(1.0)

    def outer(x, one):
        return f(x, lambda g: ag.jvp(g, (one,), (one,))[1])

    check(backend, ag.grad(outer)(x, one), expected)
    check(backend, ag.jvp(lambda x: outer(x, one), (x,), (one,))[1], expected)


def test_forward_over_reverse_and_reverse_over_forward_agree(backend):
    x, v = backend.asarray([1.0, 2.0, 3.0]), backend.asarray([0.5, -1.0, 2.0])
    f = lambda x: total(x**3) * total(x)
    over_reverse = ag.jvp(ag.grad(f), (x,), (v,))[1]
    over_forward = ag.grad(lambda x, v: ag.jvp(f, (x,), (v,))[1])(x, v)
    values, direction = np.asarray([1.0, 2.0, 3.0]), np.asarray([0.5, -1.0, 2.0])
    slope = 3 * values**2
    expected = 6 * values * direction * values.sum()
    expected += slope * direction.sum() + slope @ direction
    check(backend, over_reverse, expected)
    check(backend, over_forward, expected)
    check(backend, ag.hvp(f, (x,), (v,))[0], expected)


def test_a_pullback_can_be_differentiated(backend):
    x, c = backend.asarray([1.0, 2.0]), backend.asarray([3.0, 4.0])
    f = lambda x: x**3
    _, pullback = ag.vjp(f, x)
    check(backend, ag.grad(lambda c: squares(pullback(c)[0]))(c), [54.0, 1152.0])
    both = lambda x, c: total(ag.vjp(f, x)[1](c)[0])
    check(backend, ag.grad(both)(x, c), [18.0, 48.0])


def test_derivatives_with_respect_to_a_tangent(backend):
    x, v = backend.asarray([1.0, 2.0]), backend.asarray([3.0, 4.0])
    f = lambda v, x: squares(ag.jvp(lambda x: x**3, (x,), (v,))[1])
    check(backend, ag.grad(f)(v, x), [54.0, 1152.0])


def test_a_gradient_inside_takes_raw_constants(backend, autodiff):
    x, data = backend.asarray(2.0), backend.asarray([1.0, 2.0])
    inner = lambda a, data: total(a**3 * data)
    outer = lambda x, data: ag.grad(inner, autodiff=autodiff)(x, data)
    check(backend, ag.grad(outer, autodiff=autodiff)(x, data), 36.0)


def test_an_error_inside_leaves_nothing_behind(backend, autodiff):
    x = backend.asarray(2.0)

    def fail(x):
        raise KeyError

    with pytest.raises(KeyError):
        ag.grad(lambda x: x * ag.grad(fail, autodiff=autodiff)(x), autodiff=autodiff)(x)
    with pytest.raises(KeyError):
        ag.jvp(fail, (x,), (x,))
    check(backend, ag.grad(ag.grad(lambda x: x**3, autodiff=autodiff))(x), 12.0)
