"""Operands given by keyword: they are differentiated as those given by position are."""

import importlib

import numpy as np
import pytest

from arraygrad import grad, lamb_update
from arraygrad.errors import NoRuleError
from arraygrad.optimizers import lamb, polyak_sgd

X, BOUND = np.array([0.5, 1.5, 2.5]), np.array([1.0, 1.0, 3.0])
W, G = np.array([1.0, 2.0]), np.array([0.5, -0.3])


def slope(f, at, h=1e-6):
    """Return a central difference."""
    return (f(at + h) - f(at - h)) / (2 * h)


def test_clip_has_a_derivative_to_a_maximum_without_a_minimum():
    def f(bound):
        xp = bound.__array_namespace__()
        return xp.sum(xp.clip(xp.asarray(X), max=bound))

    np.testing.assert_array_equal(grad(f)(BOUND), [0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("make", "at", "extra"),
    [
        (lambda h: lamb(0.1, max_trust_ratio=h, convention="ivy"), 0.5, {}),
        (lambda h: polyak_sgd(max_learning_rate=h), 0.2, {"value": 3.0}),
    ],
)
def test_a_step_has_a_derivative_to_what_bounds_it(make, at, extra):
    def loss(h):
        optimizer = make(h)
        new, _ = optimizer.step(W, G, optimizer.init(W), **extra)
        return np.sum(new**2)

    found = grad(loss)(np.asarray(at))
    assert found != 0
    np.testing.assert_allclose(found, slope(loss, at), rtol=1e-6)


def test_lamb_update_has_a_derivative_to_the_bound_of_its_trust_ratio():
    def loss(bound):
        zeros = np.zeros(2)
        new, *_ = lamb_update(
            W, G, 0.1, zeros, zeros, 1, max_trust_ratio=bound, stop_gradients=False
        )
        return np.sum(new**2)

    np.testing.assert_allclose(grad(loss)(np.asarray(0.5)), slope(loss, 0.5), rtol=1e-5)


@pytest.mark.parametrize("name", ["traced_numpy", "traced_array_api_strict", "traced_torch"])
def test_a_tolerance_is_read_where_reading_is_permitted(name):
    xp = importlib.import_module(f"arraygrad.testing.{name}")
    x = xp.asarray([[2.0, 1.0], [1.0, 3.0]])
    found = xp.linalg.pinv(x, rtol=xp.asarray(1e-10))
    inverse = [[0.6, -0.2], [-0.2, 0.4]]
    assert all(abs(float(found[i, j]) - inverse[i][j]) < 1e-6 for i in range(2) for j in range(2))
    assert int(xp.linalg.matrix_rank(x, rtol=xp.asarray(1e-10))) == 2


def test_a_tolerance_has_no_derivative():
    def f(rtol):
        xp = rtol.__array_namespace__()
        return xp.sum(xp.linalg.pinv(xp.asarray([[2.0, 1.0], [1.0, 3.0]]), rtol=rtol))

    with pytest.raises(NoRuleError, match="rtol"):
        grad(f)(np.asarray(1e-10))
