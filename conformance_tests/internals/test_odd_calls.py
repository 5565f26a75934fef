"""Odd calls: a traced namespace takes what the library takes, and refuses what it refuses."""

import importlib

import array_api_strict
import numpy as np
import pytest
from array_api_compat import array_namespace

from arraygrad.errors import ShapeError

BASES = {"traced_numpy": array_namespace(np.empty(0)), "traced_array_api_strict": array_api_strict}
CALLS = {
    "diff of order -1": lambda xp, x: xp.diff(x, n=-1),
    "diff of order 0": lambda xp, x: xp.diff(x, n=0),
    "diff beyond the axes": lambda xp, x: xp.diff(x, axis=5),
    "unstack beyond the axes": lambda xp, x: xp.unstack(x, axis=4),
    "norm of no order": lambda xp, x: xp.linalg.matrix_norm(x, ord=None),
    "norm of an unknown order": lambda xp, x: xp.linalg.matrix_norm(x, ord=3),
    "norm of nothing": lambda xp, x: xp.linalg.matrix_norm(x[:0, :0]),
    "largest sum of nothing": lambda xp, x: xp.linalg.matrix_norm(x[:, :0], ord=1, keepdims=True),
    "broadcast to a length": lambda xp, x: xp.broadcast_to(x[0, 0], 3),
    "broadcast a row to a length": lambda xp, x: xp.broadcast_to(x[0, :], 2),
    "a number as it is": lambda xp, x: xp.asarray(x, copy=False),
    "real part of complex": lambda xp, x: xp.asarray(xp.asarray([1j]), dtype=xp.float64),
    "truth of complex": lambda xp, x: xp.asarray(xp.asarray([1j]), dtype=xp.bool),
    "diff of order 0 beside another": lambda xp, x: xp.diff(x, n=0, prepend=x),
    "where of a number and 0": lambda xp, x: xp.where(xp.asarray([True, False]), 0.5, 0),
    "where of two numbers": lambda xp, x: xp.where(xp.asarray([True, False]), 1, 0),
    "where of integers": lambda xp, x: xp.where(xp.asarray([1, 0]), x, 0),
}


def outcome(xp, call):
    """Return what a call gives, or that it is refused."""
    try:
        found = call(xp, xp.asarray([[1.0, 2.0], [3.0, 4.0]]))
    except (IndexError, NotImplementedError, TypeError, ValueError):
        return "refused"
    return np.asarray(getattr(found, "_value", found))


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("module", BASES)
def test_a_traced_namespace_takes_what_its_library_takes(module, name):
    traced = importlib.import_module(f"arraygrad.testing.{module}")
    found, expected = (outcome(xp, CALLS[name]) for xp in (traced, BASES[module]))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("module", BASES)
def test_outer_takes_vectors_only(module):
    xp = importlib.import_module(f"arraygrad.testing.{module}")
    with pytest.raises(ShapeError, match=r"shapes \(2, 2\) and \(2,\)"):
        xp.linalg.outer(xp.ones((2, 2)), xp.ones((2,)))
