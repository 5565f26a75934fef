"""NumPy's functions that are given `out` by position: what they write keeps its gradient."""

from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import GraphBreakError
from conformance_tests.internals.traced_checks import check_derivatives

X = np.asarray([[0.31, 0.72, 0.15], [0.86, 0.24, 0.67], [0.52, 0.91, 0.36], [0.11, 0.44, 0.99]])

# Each writes into `y`, an array of the shape that stands beside it.
WRITING = {
    "choose": (lambda x, y: np.choose([0, 1, 0], [x[0] * x[1], x[2]], y), (3,)),
    "choose with a mode": (lambda x, y: np.choose([0, 3, 0], [x[0], x[2]], y, "wrap"), (3,)),
    "clip": (lambda x, y: np.clip(x * x, 0.1, 0.6, y), (4, 3)),
    "compress": (lambda x, y: np.compress([True, False, True], x * x, 0, y), (2, 3)),
    "cumsum": (lambda x, y: np.cumsum(x * x, 0, None, y), (4, 3)),
    "dot": (lambda x, y: np.dot(x.T, x, y), (3, 3)),
    "max": (lambda x, y: np.max(x * x, 0, y), (3,)),
    "mean": (lambda x, y: np.mean(x * x, 0, None, y), (3,)),
    "mean, kept": (lambda x, y: np.mean(x * x, 0, None, y, True), (1, 3)),
    "median": (lambda x, y: np.median(x * x, 0, y), (3,)),
    "nanmax": (lambda x, y: np.nanmax(x * x, 0, y), (3,)),
    "nanmean": (lambda x, y: np.nanmean(x * x, 0, None, y), (3,)),
    "nanmedian": (lambda x, y: np.nanmedian(x * x, 0, y), (3,)),
    "nanmin": (lambda x, y: np.nanmin(x * x, 0, y), (3,)),
    "nanstd": (lambda x, y: np.nanstd(x, 0, None, y, 1), (3,)),
    "nanvar": (lambda x, y: np.nanvar(x, 0, None, y, 1), (3,)),
    "outer": (lambda x, y: np.outer(x[0], x[1], y), (3, 3)),
    "percentile": (lambda x, y: np.percentile(x * x, 30, 0, y), (3,)),
    "ptp": (lambda x, y: np.ptp(x * x, 0, y), (3,)),
    "quantile": (lambda x, y: np.quantile(x * x, 0.3, 0, y), (3,)),
    "sum": (lambda x, y: np.sum(x * x, 0, None, y), (3,)),
    "take": (lambda x, y: np.take(x * x, [2, 0], 0, y), (2, 3)),
}


@pytest.mark.parametrize("name", WRITING)
def test_traced_array_takes_the_result(name: str) -> None:
    """Value and derivatives of what was written."""
    write, shape = WRITING[name]

    def f(x: Any) -> Any:
        y = np.zeros_like(x, shape=shape)
        write(x, y)
        return y * 2.0

    check_derivatives(f, X)


@pytest.mark.parametrize("name", WRITING)
def test_raw_array_is_refused(name: str) -> None:
    """Its gradient would be lost."""
    write, shape = WRITING[name]
    raw = np.zeros(shape)
    with pytest.raises(GraphBreakError, match="out"):
        ag.grad(lambda x: (write(x, raw), np.sum(x))[1])(X)
    np.testing.assert_array_equal(raw, np.zeros(shape))


def test_out_of_a_namespace_is_refused() -> None:
    """The traced namespace serves the same functions, without NumPy's dispatch."""
    for name in ("median", "nanvar", "ptp"):

        def f(x: Any, name: str = name) -> Any:
            return getattr(x.__array_namespace__(), name)(x, out=np.zeros(()))

        with pytest.raises(GraphBreakError, match="out"):
            ag.grad(f)(X)


def test_nan_to_num_writes_without_a_copy() -> None:
    """The name of the array stands for the clean one; a raw array is refused."""
    holes = np.where(X > 0.7, np.nan, 1.0)

    def f(x: Any) -> Any:
        y = x * x * holes
        np.nan_to_num(y, copy=False, nan=2.0)
        return y * x

    check_derivatives(f, X)
    with pytest.raises(GraphBreakError, match="nan_to_num"):
        ag.grad(lambda x: np.nan_to_num(np.zeros(3), copy=False, nan=x[0, 0]).sum())(X)
