"""Derivatives of indexing: reading an element again and again adds its cotangents up.

Beside the chapter's two functions, the rules of `x[key]` and of the primitives that write.
"""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.indexing import is_basic, is_mask
from arraygrad.rules.primitives import (
    broadcast_mask,
    getitem,
    scatter_add,
    set_at,
    unbroadcast,
    zeros_of,
)

__all__ = ["LINEAR"]


def _getitem(xp: Namespace, g: Array, y: Any, x: Any, key: Any) -> Array:
    """Add the cotangent where it was read."""
    return scatter_add(xp, zeros_of(xp, g, x), key, g)


def _take(
    xp: Namespace, g: Array, y: Any, x: Any, indices: Array, *, axis: int | None = None
) -> Array:
    """Add each slice where it was taken."""
    before = 0 if axis is None else axis % x.ndim
    return _getitem(xp, g, y, x, (*(slice(None),) * before, indices))


def _take_along_axis(
    xp: Namespace, g: Array, y: Any, x: Any, indices: Array, *, axis: int = -1
) -> Array:
    """Add each element where it was taken; the other axes index themselves."""
    key = [
        xp.reshape(xp.arange(n, device=x.device), (1,) * i + (n,) + (1,) * (x.ndim - i - 1))
        for i, n in enumerate(x.shape)
    ]
    key[axis] = indices
    return _getitem(xp, g, y, x, tuple(key))


def _scatter_add_values(xp: Namespace, g: Array, y: Any, x: Any, key: Any, values: Any) -> Array:
    """Read the cotangent where the values were added."""
    return unbroadcast(xp, getitem(xp, g, key), values.shape)


def _set_at_value(xp: Namespace, g: Array, y: Any, x: Any, key: Any, value: Any) -> Array:
    """Read the cotangent where the value was written; a mask needs no shape that depends on it."""
    mask = broadcast_mask(xp, x, key, value)
    if mask is not None:
        return unbroadcast(xp, xp.where(mask, g, 0), value.shape)
    read = getitem(xp, g, key)
    if not is_basic(key) and not is_mask(xp, key):
        read = xp.where(_is_last(xp, x, key, read.shape), read, 0)
    return unbroadcast(xp, read, value.shape)


def _is_last(xp: Namespace, x: Any, key: Any, shape: tuple[int, ...]) -> Array:
    """Say of each value written at `key` whether no later one was written to its place."""
    turns = xp.reshape(xp.arange(math.prod(shape), device=x.device), shape)
    before = xp.zeros(x.shape, dtype=turns.dtype, device=x.device)
    return getitem(xp, set_at(xp, before, key, turns), key) == turns


# fmt: off
LINEAR = {
    "getitem":         (_getitem, None),
    "scatter_add":     (lambda xp, g, y, x, key, values: g, None, _scatter_add_values),
    "set_at":          (lambda xp, g, y, x, key, value: set_at(xp, g, key, 0), None, _set_at_value),
    "take":            (_take, None),
    "take_along_axis": (_take_along_axis, None),
}
# fmt: on
