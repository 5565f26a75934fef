"""NumPy's methods on traced arrays."""

from typing import Any

import array_api_strict
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import NoRuleError
from conformance_tests.internals.traced_checks import (
    check_derivatives,
    gradient,
    inside,
    to_numpy,
)

X = np.asarray([[0.31, 0.72, -0.15, 0.58], [0.86, -0.24, 0.67, 0.43], [-0.52, 0.91, 0.36, 0.79]])

METHODS = {
    "all, any": lambda x: x * (x > 0.4).any(axis=0) * (x > -9).all(),
    "argmax": lambda x: x.take(x.argmax(axis=1), axis=1),
    "argmin": lambda x: x[x.argmin(axis=0), [0, 1, 2, 3]],
    "argsort": lambda x: [x.take(x[0].argsort(), axis=1), x.take(x.argsort(axis=None))],
    "astype": lambda x: (x * x).astype(np.complex128).real,
    "clip": lambda x: [x.clip(0.1, 0.6), x.clip(max=0.5), x.clip(x[0] - 0.1, None)],
    "conj": lambda x: (x * 1j).conj().imag + x.conjugate(),
    "cumprod": lambda x: [x.cumprod(), x.cumprod(axis=0)],
    "cumsum": lambda x: [(x * x).cumsum(), (x * x).cumsum(1)],
    "diagonal": lambda x: (x * x).diagonal(1),
    "dot": lambda x: [x.dot(X.T), x.T.dot(x), x[0].dot(x[1]), x.dot(2.0)],
    "flatten": lambda x: (x * x).flatten(),
    "max": lambda x: [x.max(), x.max(1), x.max(axis=0, keepdims=True)],
    "mean": lambda x: [(x * x).mean(), (x * x).mean((0, 1)), (x * x).mean(1, keepdims=True)],
    "min": lambda x: [x.min(), x.min(axis=-1)],
    "nonzero": lambda x: x[(x > 0.5).nonzero()],
    "prod": lambda x: [x.prod(), x.prod(axis=1)],
    "ravel": lambda x: x.T.ravel() * x.ravel(),
    "repeat": lambda x: [x.repeat(2), x.repeat(3, axis=0), x.repeat(np.asarray([1, 0, 2]), 0)],
    "reshape": lambda x: [x.reshape(2, 6), x.reshape((4, -1)), x.reshape(-1), x.reshape([12])],
    "round": lambda x: x * x.round() + x * (3.7 * x).round(1),
    "squeeze": lambda x: [x[None, :, None].squeeze(), x[None].squeeze(0), x[None].squeeze((0,))],
    "std": lambda x: [x.std(), x.std(0, ddof=1), x.std(axis=1, keepdims=True)],
    "sum": lambda x: [(x * x).sum(), (x * x).sum(0), (x * x).sum(axis=(0, 1), keepdims=True)],
    "swapaxes": lambda x: (x * x)[None].swapaxes(0, -1),
    "take": lambda x: [x.take([3, 0, 3], axis=1), x.take([[1, 5], [5, 11]]), x.take(2, axis=-1)],
    "trace": lambda x: [(x * x).trace(), (x * x).trace(offset=-1)],
    "transpose": lambda x: [x[None].transpose(), x[None].transpose(1, 2, 0), x.transpose((1, 0))],
    "var": lambda x: [x.var(), x.var(0, ddof=1), x.var(axis=1, keepdims=True)],
}


@pytest.mark.parametrize("name", METHODS)
def test_method_has_numpys_values_and_derivatives(name: str) -> None:
    """At first and second order."""
    check_derivatives(METHODS[name], X)


def test_methods_serve_other_libraries_too() -> None:
    """They are spelt in the standard."""

    def f(x: Any) -> Any:
        y = (x * x).reshape(2, -1).swapaxes(0, 1).dot(x.ravel().reshape(2, 6)[:, 1:3])
        z = y.std(axis=0, ddof=1).clip(0.1, 0.9) + y.take([1, 3], axis=0).diagonal().cumsum()
        return z.sum() + x.mean() + x.trace() + y.repeat(2, axis=0).max() + x.copy().transpose()

    x = array_api_strict.asarray(X)
    np.testing.assert_allclose(to_numpy(ag.vjp(f, x)[0]), ag.vjp(f, X)[0], rtol=1e-13)
    np.testing.assert_allclose(gradient(f, x), gradient(f, X), rtol=1e-12)


def test_sorting_and_filling_make_a_name_stand_for_the_new_values() -> None:
    """`x.sort()` and `x.fill(v)` return nothing, as in NumPy."""

    def f(x: Any) -> Any:
        y, z = x * x, x * 1.0
        assert y.sort(axis=0) is None
        assert z.fill(2.5) is None
        return y * z

    def expected(x: Any) -> Any:
        return np.sort(x * x, axis=0) * 2.5

    np.testing.assert_allclose(gradient(f, X), gradient(expected, X), rtol=1e-14)


def test_bytes_are_counted() -> None:
    """`itemsize`, `nbytes`."""
    assert inside(lambda x: (x.itemsize, x.nbytes, x[0, :2].nbytes), X) == (8, 96, 16)


def test_order_of_memory_is_refused() -> None:
    """Elements are in C order."""
    for f in (lambda x: x.reshape(4, 3, order="F"), lambda x: x.ravel("F")):
        with pytest.raises(NoRuleError, match="order"):
            inside(f, X)
