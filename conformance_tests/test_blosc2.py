"""Arrays of the library blosc2, compressed, with expressions that are computed on demand."""

import numpy as np
import pytest

import arraygrad as ag

blosc2 = pytest.importorskip("blosc2")

X = np.asarray([1.0, 2.0, 3.0])
FUNCTIONS = {
    "sum": (lambda xp, x: xp.sum(x * x), 2 * X),
    "sin": (lambda xp, x: xp.sum(xp.sin(x) * x), np.sin(X) + X * np.cos(X)),
    "mean": (lambda xp, x: xp.mean(x), np.full(3, 1 / 3)),
    "element": (lambda xp, x: x[1] ** 2, [0.0, 4.0, 0.0]),
    "slice": (lambda xp, x: xp.sum(x[1:] * x[:-1]), [2.0, 4.0, 2.0]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    f, want = FUNCTIONS[name]
    found = ag.grad(lambda x: f(x.__array_namespace__(), x))(blosc2.asarray(X))
    np.testing.assert_allclose(np.asarray(found[...]), want)


def test_second_derivatives():
    x = blosc2.asarray(X)
    (found,) = ag.hvp(lambda x: x.__array_namespace__().sum(x**3), (x,), (x,))
    np.testing.assert_allclose(np.asarray(found[...]), 6 * X * X)


def test_a_product_of_matrices():
    a = X[:2, None] * X[:2]
    f = lambda x: x.__array_namespace__().sum(x.__array_namespace__().matmul(x, x))
    found = ag.grad(f)(blosc2.asarray(a))
    np.testing.assert_allclose(np.asarray(found[...]), a.sum(0)[:, None] + a.sum(1))


def test_steps():
    w = blosc2.asarray(X)
    for _ in range(3):
        w = ag.gradient_descent_update(w, w, 0.1)
    np.testing.assert_allclose(np.asarray(w[...]), 0.729 * X)
