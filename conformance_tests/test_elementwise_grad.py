"""The derivative of an elementwise function, on every library and whoever differentiates it."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace

X = np.asarray([[0.5, -2.0, 3.0], [0.0, 1.0, -1.0]])


def damped(x):
    """Return sin(x) exp(-x)."""
    xp = array_namespace(x)
    return xp.sin(x) * xp.exp(-x)


def check(backend, found, expected, rtol=1e-13):
    """Compare an array with its expected values, shape included."""
    assert array_namespace(found) is backend.xp
    assert tuple(found.shape) == np.shape(expected)
    np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (0, 3)], ids=str)
def test_it_keeps_the_shape(backend, autodiff, shape):
    x = X.ravel()[: int(np.prod(shape))].reshape(shape)
    found = ag.elementwise_grad(damped, autodiff=autodiff)(backend.asarray(x))
    check(backend, found, (np.cos(x) - np.sin(x)) * np.exp(-x))


def test_it_is_the_diagonal_of_the_jacobian(backend, autodiff):
    x = backend.asarray(X.ravel())
    full = backend.to_numpy(ag.jac(damped, autodiff=autodiff)(x))
    check(backend, ag.elementwise_grad(damped, autodiff=autodiff)(x), np.diagonal(full))


def test_it_can_be_applied_again(backend, autodiff):
    second = ag.elementwise_grad(ag.elementwise_grad(damped, autodiff=autodiff), autodiff=autodiff)
    check(backend, second(backend.asarray(X)), -2 * np.cos(X) * np.exp(-X))


def test_several_arguments_keywords_and_aux(backend, autodiff):
    def f(a, b, *, n):
        return a * b**n, {"n": n}

    derivative = ag.elementwise_grad(f, (1, 0), has_aux=True, autodiff=autodiff)
    (by_b, by_a), aux = derivative(backend.asarray(X), backend.asarray(X + 5), n=3)
    check(backend, by_b, 3 * X * (X + 5) ** 2)
    check(backend, by_a, (X + 5) ** 3)
    assert aux == {"n": 3}


def test_a_tree_of_arrays_of_one_shape(backend, autodiff):
    f = lambda tree: tree["a"] * tree["b"][0]
    tree = {"a": backend.asarray(X), "b": [backend.asarray(X + 1)]}
    found = ag.elementwise_grad(f, autodiff=autodiff)(tree)
    check(backend, found["a"], X + 1)
    check(backend, found["b"][0], X)


def test_a_result_of_another_shape_is_refused(backend, autodiff):
    derivative = ag.elementwise_grad(lambda x: array_namespace(x).sum(x), autodiff=autodiff)
    with pytest.raises(errors.ShapeError, match=r"args\[0\] must have the shape of f\(...\), \(\)"):
        derivative(backend.asarray(X))


def test_a_result_of_several_arrays_is_refused(backend, autodiff):
    derivative = ag.elementwise_grad(lambda x: (x, x), autodiff=autodiff)
    with pytest.raises(errors.StructureError, match="one array"):
        derivative(backend.asarray(X))


def test_a_complex_result_is_refused(backend, autodiff):
    derivative = ag.elementwise_grad(lambda z: z * z, autodiff=autodiff)
    with pytest.raises(errors.DtypeError, match="real"):
        derivative(backend.asarray([1 + 1j], dtype="complex128"))
