"""Operands of other kinds beside a traced one: narrow or integer dtypes, lists, other ranks."""

import importlib

import numpy as np
import pytest

from arraygrad import grad, jvp
from arraygrad.errors import MixedLibraryError

X = np.array([0.7, 1.6, 2.3])
INTEGERS = np.array([200, 100, 50], np.uint8)
SINGLES = np.array([3, 7, 11], np.float32)
FUNCTIONS = (
    "add arctan2 copysign divide hypot logaddexp maximum minimum multiply power remainder subtract"
)


def slope(f, x, h=1e-6):
    """Return central differences of a scalar function."""
    found = np.empty(x.shape)
    for n in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[n] = h
        found[n] = (f(x + step) - f(x - step)) / (2 * h)
    return found


@pytest.mark.parametrize("constant", [INTEGERS, SINGLES], ids=["uint8", "float32"])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", FUNCTIONS.split())
def test_a_constant_of_low_precision_does_not_lower_that_of_derivatives(name, order, constant):
    function = getattr(np, name)

    def loss(x, other):
        return np.sum(function(*(x, other)[::order]))

    wide = constant.astype(float)
    found, expected = (grad(lambda x, c=c: loss(x, c))(X) for c in (constant, wide))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    tangents = [jvp(lambda x, c=c: loss(x, c), (X,), (np.cos(X),))[1] for c in (constant, wide)]
    np.testing.assert_allclose(*tangents, rtol=1e-13)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ["add", "mul", "truediv", "sub", "pow"])
def test_operators_take_lists_as_numpy_does(name, order):
    import operator

    def loss(x):
        return np.sum(getattr(operator, name)(*(x, [1.5, 2.0, 0.5])[::order]))

    np.testing.assert_allclose(grad(loss)(X), slope(loss, X), rtol=1e-6)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("namespace", [np, np.linalg])
def test_vecdot_of_operands_of_other_ranks_contracts_the_axis_of_each(namespace, axis):
    x, weights = np.arange(9.0).reshape(3, 3) - 4, np.array([1.0, -2.0, 0.5])

    def of_matrix(x):
        return np.sum(namespace.vecdot(x, X, axis=axis) * weights)

    def of_vector(v):
        return np.sum(namespace.vecdot(x, v, axis=axis) * weights)

    np.testing.assert_allclose(grad(of_matrix)(x), slope(of_matrix, x), atol=1e-8)
    np.testing.assert_allclose(grad(of_vector)(X), slope(of_vector, X), atol=1e-8)


def written(x):
    copy = np.zeros_like(x[0, 0] * np.ones(3))
    copy[:] = x[:1]
    return np.sum(copy**3)


SHAPES = {
    "triu of a vector": (lambda x: np.sum(np.triu(x) ** 2), X),
    "tril of a vector": (lambda x: np.sum(np.tril(x, k=1) ** 2), X),
    "sum of a number": (lambda x: np.sum(np.cumulative_sum(x) ** 2), np.asarray(2.0)),
    "product of a number": (lambda x: np.sum(np.cumulative_prod(x) ** 2), np.asarray(2.0)),
    "longer value written": (written, np.arange(6.0).reshape(2, 3)),
    "edge of integers": (
        lambda x: np.sum(np.diff(np.arange(3), prepend=x) ** 2), np.asarray(0.5)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_gradients_have_the_shape_of_their_operand(name):
    f, x = SHAPES[name]
    found = grad(f)(x)
    assert found.shape == x.shape
    np.testing.assert_allclose(found, slope(f, x), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("module", ["jax.numpy", "torch", "array_api_strict"])
@pytest.mark.parametrize("name", ["multiply", "add", "maximum", "matmul", "arctan2"])
def test_arrays_of_other_libraries_beside_a_traced_one_raise(name, module):
    other = importlib.import_module(module).asarray([1.0, 2.0, 3.0])
    with pytest.raises(MixedLibraryError, match="got arrays of numpy and"):
        grad(lambda x: np.sum(getattr(np, name)(x, other)))(X)
    with pytest.raises(MixedLibraryError, match="got arrays of numpy and"):
        grad(lambda x: np.sum(x * other))(X)
