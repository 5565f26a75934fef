"""NumPy's reads and writes at keys, quicker where NumPy has a slow way and a quick one."""

from typing import Any

import numpy as np

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.indexing import is_basic, is_mask, positions

__all__ = ["add_at", "places", "scatter_add", "set_at"]


def places(x: Array, mask: Array) -> tuple[Array, Any]:
    """Return a view of `x`, and the key of it that means `x[mask]`: the indices of a thin mask.

    Reading there takes NumPy half the time, and adding a fifth. A dense mask, which it copies by
    runs, or one of rows, stays what it is.
    """
    if mask.shape != x.shape or 2 * np.count_nonzero(mask) > mask.size:
        return x, mask
    if not x.flags.c_contiguous:
        return x, mask
    return x.reshape(-1), mask.reshape(-1).nonzero()[0]


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value` at `key`."""
    y = np.array(x)
    if type(key) is np.ndarray and key.dtype == bool and getattr(value, "ndim", 0) < 2:
        view, at = places(y, key)
        view[at] = value
    else:
        y[key] = value
    return y


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return a copy of `x` with `values` added at `key`; duplicates add up."""
    return add_at(np.array(x, order="C"), key, values)


def add_at(y: Array, key: Any, values: Array) -> Array:
    """Add to `y`, or to a copy of it in rows: NumPy accumulates quickly in one dimension only."""
    y = y if y.flags.c_contiguous else y.copy()
    if is_mask(np, key):
        view, at = places(y, key)
        view[at] += values
    elif is_basic(key):
        y[key] += values
    elif y.ndim == 1:
        np.add.at(y, key, values)
    else:
        where = _positions(y, key)
        if values.shape != where.shape:
            values = np.broadcast_to(values, where.shape)
        np.add.at(y.reshape(-1), where.reshape(-1), values.reshape(-1))
    return y


def _positions(x: Array, key: Any) -> Array:
    """Return where in the flattened `x` the elements of `x[key]` lie; rows without a search."""
    if type(key) is tuple and len(key) == 1:
        (key,) = key
    if not isinstance(key, np.ndarray) or key.dtype.kind not in "iu":
        return positions(np, x, key)
    columns = x.size // max(len(x), 1)
    rows = np.where(key < 0, key + len(x), key).astype(np.intp)[..., np.newaxis]
    where = rows * columns + np.arange(columns)
    return where.reshape(key.shape + x.shape[1:])
