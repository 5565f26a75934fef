"""NumPy's sums, quicker: `np.sum` spends its time on dispatch, and on many short loops.

A sum over rows that are short calls an inner loop for each row. BLAS, which multiplies by ones,
and the addition of whole columns do not.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from arraygrad._typing import Array

__all__ = ["quick_sums"]

_MANY = 128  # rows, from which on the detours pay
_SHORT = {"f": 7, "d": 7, "F": 3, "D": 3}  # rows up to here are added in order by NumPy, too

Sum = Callable[..., Array]


def quick_sums() -> dict[str, Sum]:
    """Return `sum` and `mean`."""
    add: Sum = np.add.reduce

    def along(x: Array, axis: Any, keepdims: bool) -> Array:
        """Sum an array of some size along axes."""
        if x.dtype.char in _SHORT and x.flags.c_contiguous:
            if _is_last(axis, x) and 1 < x.shape[-1] <= _SHORT[x.dtype.char]:
                return _columns_added(x, keepdims)
            first = _leading(axis, x)
            rows = math.prod(x.shape[:first])
            if rows >= _MANY:
                # Of complex numbers both parts: inf times 1 + 0j has an imaginary part that is NaN.
                real = x.reshape(rows, -1).view(x.dtype.char.lower())
                y = (np.ones(rows, real.dtype) @ real).view(x.dtype)
                return y.reshape((1,) * first * keepdims + x.shape[first:])
        return add(x, axis, None, None, keepdims)

    def sum(x: Array, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Array:
        small = x.size < 2 * _MANY or (axis == 0 and x.shape[0] < _MANY)
        if axis is None or dtype is not None or small:
            return add(x, axis, dtype, None, keepdims)
        return along(x, axis, keepdims)

    def mean(x: Array, /, *, axis: Any = None, keepdims: bool = False) -> Array:
        if x.dtype.kind not in "fc" or x.dtype.itemsize < 4 or not x.size:
            return np.mean(x, axis=axis, keepdims=keepdims)
        total = sum(x, axis=axis, keepdims=keepdims)
        return total / (x.size // total.size)

    return {"mean": mean, "sum": sum}


def _is_last(axis: Any, x: Array) -> bool:
    return type(axis) is int and axis in (-1, len(x.shape) - 1)


def _columns_added(x: Array, keepdims: bool) -> Array:
    """Sum along the last axis, in NumPy's order: the same but for the sign of a zero."""
    y = x[..., 0] + x[..., 1]
    for n in range(2, x.shape[-1]):
        y += x[..., n]
    return y[..., None] if keepdims else y


def _leading(axis: Any, x: Array) -> int:
    """Return how many axes are summed, if they are the first ones and others are left, else 0."""
    axes = axis if type(axis) is tuple else (axis,)
    first = len(axes)
    return first if axes == tuple(range(first)) and first < len(x.shape) else 0
