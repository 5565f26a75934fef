"""Derivatives of the standard's manipulation functions: elements move, cotangents move back."""

import math
from itertools import accumulate, pairwise, zip_longest
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import axis_of, scatter_add, unbroadcast, zeros_of

__all__ = ["COMPOSITIONS", "CONSTANT", "LINEAR"]


def _reshape_back(xp: Namespace, g: Array, y: Any, x: Any, *_: Any, **__: Any) -> Array:
    """Undo anything that keeps the order of elements."""
    return xp.reshape(g, x.shape)


def _along(axis: int, part: Any) -> tuple[Any, ...]:
    """Return the key of one part of an axis, counted from the front."""
    return (*(slice(None),) * axis, part, ...)


def _concat(xp: Namespace, g: Array, y: Any, arrays: Any, *, axis: int | None = 0) -> list[Array]:
    """Cut the cotangent where the arrays were joined."""
    lengths = [math.prod(x.shape) if axis is None else x.shape[axis] for x in arrays]
    cuts = pairwise(accumulate(lengths, initial=0))
    parts = [g[_along((axis or 0) % y.ndim, slice(start, stop))] for start, stop in cuts]
    return [xp.reshape(part, x.shape) for part, x in zip(parts, arrays, strict=True)]


def _stack(xp: Namespace, g: Array, y: Any, arrays: Any, *, axis: int = 0) -> list[Array]:
    """Take the stack apart."""
    return [g[_along(axis % y.ndim, i)] for i in range(len(arrays))]


def _permute_dims(xp: Namespace, g: Array, y: Any, x: Any, axes: Any) -> Array:
    """Permute back."""
    order = [axis % x.ndim for axis in axes]
    return xp.permute_dims(g, tuple(order.index(i) for i in range(x.ndim)))


def _roll(xp: Namespace, g: Array, y: Any, x: Any, shift: Any, *, axis: Any = None) -> Array:
    """Roll back."""
    back = -shift if isinstance(shift, int) else tuple(-s for s in shift)
    return xp.roll(g, back, axis=axis)


def _repeat(xp: Namespace, g: Array, y: Any, x: Any, repeats: Any, *, axis: Any = None) -> Array:
    """Sum over the copies of each element."""
    shape = (math.prod(x.shape),) if axis is None else x.shape
    axis = 0 if axis is None else axis % x.ndim
    if isinstance(repeats, int):
        copies = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
        return xp.reshape(xp.sum(xp.reshape(g, copies), axis=axis + 1), x.shape)
    origin = xp.repeat(xp.arange(shape[axis], device=x.device), repeats)
    zeros = xp.reshape(zeros_of(xp, g, x), shape)
    return xp.reshape(scatter_add(xp, zeros, (*(slice(None),) * axis, origin), g), x.shape)


def _tile(xp: Namespace, g: Array, y: Any, x: Any, repetitions: Any) -> Array:
    """Sum over the tiles."""
    counts = (repetitions,) if isinstance(repetitions, int) else tuple(repetitions)
    counts = (1,) * (y.ndim - len(counts)) + counts
    shape = (1,) * (y.ndim - x.ndim) + x.shape
    tiles = tuple(n for pair in zip(counts, shape, strict=True) for n in pair)
    summed = xp.sum(xp.reshape(g, tiles), axis=tuple(range(0, 2 * y.ndim, 2)))
    return xp.reshape(summed, x.shape)


def broadcast_arrays(xp: Namespace, *arrays: Array) -> tuple[Array, ...]:
    """Broadcast each to the shape of all."""
    lengths = zip_longest(*(x.shape[::-1] for x in arrays), fillvalue=1)
    shape = tuple(next((n for n in axis if n != 1), 1) for axis in lengths)[::-1]
    return tuple(xp.broadcast_to(x, shape) for x in arrays)


def unstack(xp: Namespace, x: Array, *, axis: int = 0) -> tuple[Array, ...]:
    """Index each slice."""
    axis = axis_of(x, axis)
    return tuple(x[_along(axis, i)] for i in range(x.shape[axis]))


# fmt: off
LINEAR = {
    "broadcast_to": (lambda xp, g, y, x, shape: unbroadcast(xp, g, x.shape),),
    "concat":       (_concat,),
    "expand_dims":  (_reshape_back,),
    "flip":         (lambda xp, g, y, x, *, axis=None: xp.flip(g, axis=axis),),
    "moveaxis":     (lambda xp, g, y, x, source, destination: xp.moveaxis(g, destination, source),),
    "permute_dims": (_permute_dims,),
    "repeat":       (_repeat,),
    "reshape":      (_reshape_back,),
    "roll":         (_roll,),
    "squeeze":      (_reshape_back,),
    "stack":        (_stack,),
    "tile":         (_tile,),
}
COMPOSITIONS = {
    "broadcast_arrays": broadcast_arrays,
    "unstack":          unstack,
}
# fmt: on
CONSTANT = frozenset({"broadcast_shapes"})
