"""What NumPy's functions are given: integers of all kinds, lists, keywords, other dtypes."""

from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from conformance_tests.internals.traced_checks import check_derivatives, inside

X = np.asarray([[0.31, 0.72, 0.15], [0.86, 0.24, 0.67]])
V = np.asarray([1.3, 2.1, 3.4])
B = np.asarray([True, False, True])
HOLES = np.asarray([1.0, np.nan, 1.0])
ZERO, ONE, TWO, THREE = map(np.int64, range(4))
WINDOWS = np.lib.stride_tricks.sliding_window_view

INTEGERS = {
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x * x, ZERO),
    "apply_over_axes in an array": lambda x: np.apply_over_axes(np.sum, x, np.asarray([0, 1])),
    "array_split": lambda x: np.array_split(x * x, TWO, axis=ONE),
    "average": lambda x: np.average(x, axis=ZERO, weights=x[:, 0]),
    "broadcast_to": lambda x: [
        np.broadcast_to(x[0], THREE),
        np.broadcast_to(x[0], np.asarray([2, 3])),
    ],
    "expand_dims": lambda x: np.expand_dims(x * x, ONE),
    "gradient": lambda x: np.gradient(x * x, axis=ZERO),
    "histogram": lambda x: np.histogram([1.0, 2.0, 3.0], bins=TWO, weights=x[0] * x[1]),
    "median": lambda x: np.median(x * x, axis=ONE),
    "norm": lambda x: [np.linalg.norm(x, axis=ONE), np.linalg.norm(x, axis=(ZERO, ONE))],
    "reshape": lambda x: [
        (x * x).reshape(np.asarray([3, 2])),
        x.reshape(THREE, TWO),
        x.reshape(np.asarray(6)),
    ],
    "resize": lambda x: np.resize(x * x, THREE),
    "roll": lambda x: [
        np.roll(x * x, ONE),
        np.roll(x, np.asarray([1, 2]), np.asarray([0, 1])),
        np.roll(x, (1, 2)),
        np.roll(x, 1, (0, 1)),
    ],
    "sliding_window_view": lambda x: [
        WINDOWS(x[0] * x[1], TWO),
        WINDOWS(x, np.asarray([2, 2])),
    ],
    "split": lambda x: [np.split(x, THREE, axis=1), np.split(x, np.asarray(3), axis=1)],
    "tensordot": lambda x: [np.tensordot(x, x, TWO), np.tensordot(x, x, (ZERO, ZERO))],
    "tile": lambda x: [np.tile(x, TWO), np.tile(x, np.asarray([2, 1]))],
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_of_numpy(name: str) -> None:
    """Wherever Python's may stand, and arrays where tuples may."""
    check_derivatives(INTEGERS[name], X)


KEYWORDS: dict[str, Any] = {
    "sum": lambda x: [x.sum(where=B), x.sum(initial=2.0), x.sum(0, None, None, False, 3.0, B)],
    "prod": lambda x: [x.prod(where=B, initial=2.0), x.prod(initial=2.0)],
    "max": lambda x: [x.max(initial=2.0, where=B), x.max(0, None, False, 9.0)],
    "min": lambda x: [x.min(initial=2.0, where=B), np.min(x, initial=0.5)],
    "mean": lambda x: [x.mean(where=B), np.mean(x, where=[False, True, True], keepdims=True)],
    "std": lambda x: [x.std(where=B), np.std(x * x, where=B, ddof=1)],
    "var": lambda x: [x.var(where=B), np.var(x * x, where=B, correction=1)],
    "all": lambda x: [x.all(where=B) * x, (x > 2).all(where=[False, True, True]) * x],
    "any": lambda x: np.any(x > 2, where=[True, False, False]) * x,
    "nanmax": lambda x: np.nanmax(x, initial=2.5, where=B),
    "nanmean": lambda x: np.nanmean(x * HOLES, where=[True, True, True]),
    "nanvar": lambda x: np.nanvar(x * HOLES[::-1], where=[True, True, True]),
    "add.reduce": lambda x: [
        np.add.reduce(x, initial=2.0, where=B),
        np.add.reduce(x, initial=None),
        np.add.reduce(x, axis=None, keepdims=True, initial=1.0),
    ],
    "multiply.reduce": lambda x: np.multiply.reduce(x, initial=2.0, where=B),
    "maximum.reduce": lambda x: [
        np.maximum.reduce(x, initial=2.0, where=B),
        np.maximum.reduce(x, dtype=np.float64),
    ],
    "minimum.reduce": lambda x: np.minimum.reduce(x, initial=2.0, where=B),
    "logical_and.reduce": lambda x: np.logical_and.reduce(x > 2, where=~B) * x,
    "astype": lambda x: [
        x.astype(float, order="C"),
        x.astype(np.complex128, casting="safe").real,
        x.astype(float, "C", "safe", True, False),
    ],
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_keywords_of_methods(name: str) -> None:
    """Functions, methods and ufuncs take the same ones."""
    check_derivatives(KEYWORDS[name], V)


LISTS: dict[str, Any] = {
    "choose": lambda x: np.choose([0, 1, 0], [x * x, 1.5]),
    "clip": lambda x: [np.clip(x, [0, 0, 0], [2, 2, 2]), x.clip([2, 2, 2])],
    "diff": lambda x: np.diff(x, prepend=[0.0, 0.0], append=x[0] * x[1]),
    "insert by a mask": lambda x: [np.insert(x, B, 7.0), np.insert(x, x > 2, 7.0)],
    "linspace": lambda x: [np.linspace(x, [1, 2, 3], 4), np.linspace([1, 2, 3], x, 4)],
    "logspace": lambda x: [
        np.logspace(0, 2, 3, base=x),
        np.logspace(0, 2, 4, base=x, axis=-1),
        np.logspace(0, [1.0, 2.0, 3.0], 4, base=x, axis=1),
    ],
    "select": lambda x: np.select([x > 3, [False, True, False]], [x * x, 1.5], [1, 2, 3]),
    "take": lambda x: np.take(x * x, [True, False]),
    "where": lambda x: np.where(x > 2, 1.5, 0) * x,
}


@pytest.mark.parametrize("name", LISTS)
def test_list_beside_an_array(name: str) -> None:
    """Lists, masks and numbers count as arrays."""
    check_derivatives(LISTS[name], V)


def test_clip_between_lists_at_every_order() -> None:
    """Forward, and mixed with reverse."""
    f = lambda x: np.clip(x**3, [0, 0, 0], [5, 5, 50])
    t = np.asarray([1.0, 2.0, 3.0])
    _, pushed = ag.jvp(f, (V,), (t,))
    np.testing.assert_allclose(pushed, 3 * V**2 * t * [1, 0, 1])
    hessian = ag.hessian(lambda x: np.sum(f(x)))(V)
    np.testing.assert_allclose(hessian, np.diag(6 * V * [1, 0, 1]))


PROMOTED: dict[str, Any] = {
    "clip of integers": lambda x: np.clip(np.arange(5), x[0], 3),
    "clip by arrays": lambda x: np.clip(np.arange(6).reshape(2, 3), x, 4),
    "diff of integers": lambda x: np.diff(np.arange(3), prepend=x[0]),
    "fmod of truth values": lambda x: np.fmod(B, x),
    "fmod of integers": lambda x: np.fmod(np.arange(7, 10), x),
    "heaviside of truth values": lambda x: np.heaviside(B, x),
    "fmax of truth values": lambda x: np.fmax(B, x),
}


@pytest.mark.parametrize("name", PROMOTED)
def test_common_dtype(name: str) -> None:
    """Operands take the dtype that they have together, before anything is done."""
    check_derivatives(PROMOTED[name], V)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.clip(x, np.zeros(3), 2),
        lambda x: np.clip(x, 0.5, np.float64(2)),
        lambda x: np.clip(x, 0.5, 2),
        lambda x: np.diff(x, prepend=0.5),
        lambda x: np.select([x > 3, x > 2], [x, 1.5], 0),
        lambda x: np.maximum.reduce(x, dtype=np.float64),
        lambda x: np.nan_to_num(x / 0, posinf=np.float64(3)),
        lambda x: np.median(x),
        lambda x: x.mean(where=B),
        lambda x: x.var(where=B),
    ],
)
def test_dtype_of_single_precision(f: Any) -> None:
    """Numbers of Python keep it, arrays in double do not."""
    x = V.astype(np.float32)
    with np.errstate(divide="ignore"):
        assert inside(f, x).dtype == f(x).dtype


def test_long_double() -> None:
    """Its elements have no integers of their length."""
    x = V.astype(np.longdouble)
    f = lambda x: np.sum(np.where(x > 2, x * x, 0)) + np.max(x)
    gradient = ag.grad(f)(x)
    assert gradient.dtype == np.longdouble
    np.testing.assert_allclose(gradient, 2 * V * (V > 2) + [0, 0, 1])
