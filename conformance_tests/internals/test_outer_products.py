"""A matrix that multiplies one vector after another, against torch's gradients of the same loop."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff.tape import outer_products

torch = pytest.importorskip("torch")


def columns(w, x):
    """Return what is left of a vector after some turns of a matrix."""
    for _ in range(7):
        x = w @ (x * x + 0.5)
    return x


def rows(w, x):
    """The same, with the vector in front."""
    for _ in range(7):
        x = (x * x + 0.5) @ w
    return x


def computed(w, x):
    """The same, of a matrix that is no leaf, and of one that is, as a matrix too."""
    square = w @ w
    for _ in range(3):
        x = square @ (x + 0.5) - (x @ w) * 0.5
    return x + (w * w)[0, :]


def both_ways(loop, values, dtype):
    """Return the loop's gradients by the tape and by torch."""
    w, x = (np.asarray(value, dtype=dtype) for value in values)

    def size(w, x):
        y = loop(w, x)
        return (y * y.conj()).real.sum() if np.dtype(dtype).kind == "c" else (y * y).sum()

    tape = ag.grad(size, argnums=(0, 1))(w, x)
    leaves = [torch.asarray(value).requires_grad_() for value in (w, x)]
    theirs = torch.autograd.grad(size(*leaves), leaves)
    return tape, [g.numpy() for g in theirs]


def drawn(count):
    """Draw a matrix and a vector, the complex and the real part of each."""
    rng = np.random.default_rng(7)
    w = rng.normal(size=(count, count, 2)) / (2 * count)
    x = rng.normal(size=(count, 2)) / 2
    return [value[..., 0] + 1j * value[..., 1] for value in (w, x)]


@pytest.mark.parametrize("few", [0, 40, 1 << 14], ids=["one at once", "some", "all"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("loop", [columns, rows, computed])
def test_vectors_that_wait_give_torchs_gradient(loop, dtype, few, monkeypatch):
    monkeypatch.setattr(outer_products, "_FEW", few)
    values = drawn(4)
    if dtype == "float64":
        values = [value.real for value in values]
    for ours, theirs in zip(*both_ways(loop, values, dtype), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_a_matrix_of_one_vector_gets_one_outer_product():
    w, x = np.ones((2, 3)), np.asarray([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(ag.grad(lambda w: (w @ x).sum())(w), [[1, 2, 3], [1, 2, 3]])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_matrices_without_elements_wait_too(shape):
    w, x = np.ones(shape), np.ones(shape[1])

    def f(w):
        return (w @ x).sum() + (w @ (2 * x)).sum()

    assert ag.grad(f)(w).shape == shape


def test_the_sweep_may_be_repeated_and_differentiated_again():
    w, x = (value.real for value in drawn(3))
    y, pullback = ag.vjp(lambda w: rows(w, x) + columns(w, x), w)
    first, second = (pullback(np.ones_like(y))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)

    def along(w):
        return (ag.grad(lambda w: columns(w, x).sum() + rows(w, x).sum())(w) * w).sum()

    step = 1e-6 * np.eye(3)
    difference = (along(w + step) - along(w - step)) / 2e-6
    np.testing.assert_allclose(np.trace(ag.grad(along)(w)), difference, rtol=1e-6)
