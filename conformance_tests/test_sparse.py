"""Arrays of the library sparse: linear models, and what cannot be."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors

sparse = pytest.importorskip("sparse")

A = np.asarray([[0.0, 1.0, 3.0], [2.0, 0.0, 0.0]])
W = np.asarray([1.0, 2.0, -1.0])
B = np.asarray([1.0, -1.0])


def squared_errors(w, a, b):
    xp = w.__array_namespace__()
    return xp.sum((a @ w - b) ** 2)


def dense(x):
    return np.asarray(x.todense())


def test_a_sparse_regression_has_its_gradients():
    args = [sparse.COO(x) for x in (W, A, B)]
    by_w, by_a = ag.grad(squared_errors, (0, 1))(*args)
    off = 2 * (A @ W - B)
    np.testing.assert_allclose(dense(by_w), A.T @ off)
    np.testing.assert_allclose(dense(by_a), off[:, None] * W)


def test_second_derivatives_too():
    w, a, b = (sparse.COO(x) for x in (W, A, B))

    def loss(w):  # of a raw array and a traced one, sparse makes no product
        xp = w.__array_namespace__()
        return squared_errors(w, xp.asarray(a), xp.asarray(b))

    (found,) = ag.hvp(loss, (w,), (w,))
    np.testing.assert_allclose(dense(found), 2 * A.T @ A @ W)


@pytest.mark.parametrize("key", [(slice(1), 1), 0, (slice(None), 1), ..., (0, slice(1, None))])
def test_elements_are_read(key):
    found = ag.grad(lambda x: (x[key] ** 2).sum())(sparse.COO(A))
    want = np.zeros_like(A)
    want[key] = 2 * A[key]
    np.testing.assert_allclose(dense(found), want)


def test_a_row_taken_twice_counts_twice():
    rows = np.asarray([1, 0, 1])
    found = ag.grad(lambda x: x.__array_namespace__().sum(x[rows]))(sparse.COO(A))
    np.testing.assert_allclose(dense(found), [[1, 1, 1], [2, 2, 2]])


def test_a_step_keeps_the_zeros_of_weights_and_gradients():
    new = ag.gradient_descent_update(sparse.COO(A), sparse.COO(A), 0.1)
    assert new.nnz == 3
    np.testing.assert_allclose(dense(new), 0.9 * A)


def test_dense_and_sparse_arrays_do_not_mix():
    with pytest.raises(errors.MixedLibraryError, match=r"got numpy at .* and sparse at"):
        ag.grad(squared_errors)(W, sparse.COO(A), sparse.COO(B))


def test_nothing_is_written_to_one():
    with pytest.raises(errors.OutError, match="read-only"):
        ag.gradient_descent_update(sparse.COO(A), sparse.COO(A), 0.1, out=sparse.COO(A))
