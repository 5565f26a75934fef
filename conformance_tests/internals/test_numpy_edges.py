"""NumPy's functions at the edges: nothing, infinity, orders of memory, and what they refuse."""

from typing import Any

import numpy as np
import pytest

from arraygrad.errors import NoRuleError
from conformance_tests.internals.traced_checks import check_derivatives, gradient, inside

X = np.asarray([[0.31, 0.72, 0.15], [0.86, 0.24, 0.67]])
V = np.asarray([1.3, 2.1, 3.4])
STACK = np.arange(24.0).reshape(2, 3, 4) + 0.5
INF = np.inf


@pytest.mark.parametrize("start", range(-3, 4))
@pytest.mark.parametrize("axis", [-3, -1, 0, 1, 2])
def test_rollaxis(axis: int, start: int) -> None:
    """The axis goes before the one that stands at `start`."""
    found = inside(lambda x: np.rollaxis(x, axis, start) * 1.0, STACK)
    np.testing.assert_array_equal(found._value, np.rollaxis(STACK, axis, start), strict=True)


FUNCTIONS: dict[str, Any] = {
    "0-d": lambda x: [
        np.prod(x[0], axis=0) * x,
        np.max(x[0], axis=-1) * x,
        np.repeat(x[0] * x[1], 3, axis=0),
    ],
    "diff, not at all": lambda x: np.diff(x * x, n=0, prepend=1.0),
    "nan_to_num of complex": lambda x: np.nan_to_num(x * x * (1 + 2j)),
    "norm of all": lambda x: [np.linalg.norm(x), np.linalg.norm(x, keepdims=True)],
    "rollaxis": lambda x: np.rollaxis(np.multiply.outer(x, x), 0, -1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_at_an_edge(name: str) -> None:
    """Value, and derivatives of two orders."""
    check_derivatives(FUNCTIONS[name], V)


@pytest.mark.parametrize("values", [[1, INF, INF], [1, INF], [-INF, -INF, 2, 3], [-INF, INF]])
@pytest.mark.parametrize("median", [np.median, np.nanmedian])
def test_median_of_infinite_values(median: Any, values: list[float]) -> None:
    """Two infinite elements have a mean, though no difference."""
    x = np.asarray(values)
    with np.errstate(invalid="ignore"):
        found = inside(lambda x: median(x), x)
        np.testing.assert_array_equal(found._value, median(x), strict=True)


def test_quantile_of_nothing() -> None:
    """Nothing has no median."""
    for f in (np.median, np.nanmedian, lambda x: np.nanquantile(x, 0.3)):
        assert np.isnan(inside(lambda x, f=f: f(x[:0]), V)._value)
    rows = inside(lambda x: np.median(x[:0], axis=0), X)
    np.testing.assert_array_equal(rows._value, [np.nan] * 3)


def test_gradient_of_a_median_beside_infinity() -> None:
    """The elements in the middle share it, also where two are equal."""
    x = np.asarray([1.0, INF, 3.0, 2.0, -INF])
    np.testing.assert_array_equal(gradient(np.median, x), np.cos(1.0) * (x == 2.0))
    x = np.asarray([2.0, 5.0, 2.0, 1.0])
    np.testing.assert_array_equal(gradient(np.median, x), np.cos(1.0) * (x == 2.0) / 2)


def test_nan_to_num_cleans_both_parts() -> None:
    """One part may be finite where the other is not."""
    x = np.asarray([complex(1, INF), complex(np.nan, 2), complex(-INF, np.nan)])
    found = inside(lambda x: np.nan_to_num(x, nan=7.0, posinf=5.0), x)
    expected = np.nan_to_num(x, nan=7.0, posinf=5.0)
    np.testing.assert_array_equal(found._value, expected, strict=True)
    assert inside(lambda x: np.nan_to_num(np.argsort(x)), V).dtype == np.int64


@pytest.mark.parametrize("order", ["A", "K"])
def test_order_of_memory_is_served_where_it_is_in_rows(order: str) -> None:
    """Contiguous arrays, vectors, slices."""
    check_derivatives(lambda x: [(x * x).ravel(order), np.ravel(x[:, ::2], order)], X)
    check_derivatives(lambda x: [x[::2].flatten(order), np.ravel(x[0], order)], V)
    check_derivatives(lambda x: np.reshape(x * x, (3, 2), order="A"), X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.T.ravel("K"),
        lambda x: x.T.flatten("A"),
        lambda x: np.ravel(x.T, order="K"),
        lambda x: np.reshape(x.T, 6, order="A"),
        lambda x: np.broadcast_to(x[0], (2, 3)).T.ravel("K"),
        lambda x: x.astype(float, order="F"),
    ],
)
def test_order_of_memory_is_refused_elsewhere(f: Any) -> None:
    """Of columns, that order would be another one."""
    with pytest.raises(NoRuleError, match="order"):
        inside(f, X)


REFUSED: dict[str, tuple[Any, Any]] = {
    "array_split": (lambda x: np.array_split(x, 0), ValueError),
    "astype": (lambda x: x.astype(np.float32, casting="safe"), TypeError),
    "average": (lambda x: np.average(x, weights=[1.0, -1.0, 0.0]), ZeroDivisionError),
    "diff": (lambda x: np.diff(x, n=-1), ValueError),
    "diff of 0-d": (lambda x: np.diff(x[0]), ValueError),
    "dsplit": (lambda x: np.dsplit(x[None], 3), ValueError),
    "histogram": (lambda x: np.histogram(x, bins=0), ValueError),
    "hsplit": (lambda x: np.hsplit(x[0], 1), ValueError),
    "max": (lambda x: x.max(where=[True, False, True]), ValueError),
    "median": (lambda x: np.median(x, axis=5), np.exceptions.AxisError),
    "nanstd": (lambda x: np.nanstd(x, ddof=1, correction=1), ValueError),
    "nanvar": (lambda x: np.nanvar(x, ddof=1, correction=0), ValueError),
    "norm": (lambda x: np.linalg.norm(x[:, None, None], 1), ValueError),
    "norm of axes": (lambda x: np.linalg.norm(x[:, None, None], axis=(0, 1, 2)), ValueError),
    "pad": (lambda x: np.pad(x, -1), ValueError),
    "reshape": (lambda x: np.reshape(x, 3, order="K"), ValueError),
    "rollaxis": (lambda x: np.rollaxis(x, 0, 5), ValueError),
    "std": (lambda x: np.std(x, ddof=1, correction=1), ValueError),
    "take": (lambda x: np.take(x, np.asarray([1.0])), TypeError),
    "var": (lambda x: np.var(x, ddof=1, correction=0), ValueError),
    "vsplit": (lambda x: np.vsplit(x, 3), ValueError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_numpy_refuses(name: str) -> None:
    """With the same class of error."""
    f, error = REFUSED[name]
    with pytest.raises(error):
        f(V)
    with pytest.raises(error):
        inside(f, V)
