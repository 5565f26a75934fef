"""Keys of arrays: what they select, and how to write there with the standard alone.

The standard reads `x[key]` and `take(x, indices)`, but it neither assigns at integer arrays nor
adds up duplicates. Both are done here by sorting positions: no loop over values, no shape that
depends on them, and no product with a matrix of zeros and ones.
"""

import math
from types import EllipsisType
from typing import Any, NamedTuple

from arraygrad._namespace import common_device, is_array
from arraygrad._typing import Array, Namespace

__all__ = [
    "add_by_sorting",
    "broadcast_mask",
    "getitem",
    "is_basic",
    "is_mask",
    "positions",
    "set_by_sorting",
]


def is_basic(key: Any) -> bool:
    """Say whether a key has only integers, slices, ellipsis and new axes: it selects a view."""
    parts = key if isinstance(key, tuple) else (key,)
    kinds = (int, slice, EllipsisType, type(None))
    return all(isinstance(part, kinds) and not isinstance(part, bool) for part in parts)


def is_mask(xp: Namespace, key: Any) -> bool:
    """Say whether a key is one boolean array."""
    return is_array(key) and bool(xp.isdtype(key.dtype, "bool"))


def broadcast_mask(xp: Namespace, x: Array, key: Any, value: Any) -> Array | None:
    """Return the mask `m` for which `x[key] = value` is `where(m, value, x)`, if there is one."""
    if not is_mask(xp, key) or getattr(value, "ndim", 0) > x.ndim - key.ndim:
        return None
    return xp.reshape(key, key.shape + (1,) * (x.ndim - key.ndim))


def getitem(xp: Namespace, x: Array, key: Any) -> Array:
    """Return `x[key]`, by `take` where the key is an integer array behind full slices."""
    if not _takes_along_one_axis(xp, key):
        return x[key]
    axis, indices = len(key) - 1, key[-1]
    taken = xp.take(x, xp.reshape(indices, (-1,)), axis=axis)
    return xp.reshape(taken, x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def _takes_along_one_axis(xp: Namespace, key: Any) -> bool:
    if not isinstance(key, tuple) or not key or not is_array(key[-1]):
        return False
    full = all(isinstance(part, slice) and part == slice(None) for part in key[:-1])
    return full and bool(xp.isdtype(key[-1].dtype, "integral"))


def positions(xp: Namespace, x: Array, key: Any) -> Array:
    """Return where in the flattened `x` the elements of `x[key]` lie."""
    everywhere = xp.arange(math.prod(x.shape), device=common_device(x))
    return getitem(xp, xp.reshape(everywhere, x.shape), key)


class _Runs(NamedTuple):
    """Updates sorted by position, so that those of one position are a run."""

    order: Array  # sorts the updates; stable, so the last of a run was given last
    sorted: Array  # their positions
    written: Array  # for every position: whether there is a run
    last: Array  # for every position: where its run ends


def _runs(xp: Namespace, where: Array, size: int) -> _Runs:
    order = xp.argsort(where, stable=True)
    where = xp.take(where, order)
    every = xp.arange(size, dtype=where.dtype, device=common_device(where))
    last = xp.searchsorted(where, every, side="right") - 1
    last = xp.where(last < 0, 0, last)
    return _Runs(order, where, xp.take(where, last) == every, last)


def add_by_sorting(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates add up, pairwise."""
    where = positions(xp, x, key)
    if 0 in where.shape:
        return xp.asarray(x, copy=True)
    values = xp.reshape(xp.broadcast_to(values, where.shape), (-1,))
    runs = _runs(xp, xp.reshape(where, (-1,)), math.prod(x.shape))
    sums = _running_sums(xp, runs.sorted, xp.take(values, runs.order))
    added = xp.where(runs.written, xp.take(sums, runs.last), 0)
    return x + xp.reshape(added, x.shape)


def _running_sums(xp: Namespace, where: Array, values: Array) -> Array:
    """Return the sums within each run so far, doubling their reach each time."""
    reach, size = 1, where.shape[0]
    while reach < size:
        before = xp.where(where[reach:] == where[:-reach], values[:-reach], 0)
        values = xp.concat([values[:reach], values[reach:] + before])
        reach *= 2
    return values


def set_by_sorting(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value` at `key`; the last one wins where `key` has duplicates."""
    where = positions(xp, x, key)
    if 0 in where.shape:
        return xp.asarray(x, copy=True)
    value = xp.asarray(value, dtype=x.dtype, device=common_device(x))
    value = xp.reshape(xp.broadcast_to(value, where.shape), (-1,))
    runs = _runs(xp, xp.reshape(where, (-1,)), math.prod(x.shape))
    written = xp.take(xp.take(value, runs.order), runs.last)
    return xp.where(xp.reshape(runs.written, x.shape), xp.reshape(written, x.shape), x)
