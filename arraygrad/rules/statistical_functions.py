"""Derivatives of the standard's statistical functions.

Ties of `max` and `min` share the cotangent evenly; `std` of equal values has derivative 0;
products are differentiated without a division, so that zeros are no exception.
"""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.errors import ShapeError
from arraygrad.rules.primitives import conj, times

__all__ = ["CONSTANT", "LINEAR", "PULLBACKS", "others", "restored"]


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    """Return the reduced axes, counted from the front."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def restored(xp: Namespace, g: Array, x: Any, axis: Any, keepdims: bool) -> Array:
    """Return a reduction's result so that it broadcasts against the operand `x`."""
    if keepdims or axis is None:
        return g
    reduced = _axes(x, axis)
    return xp.reshape(g, tuple(1 if i in reduced else n for i, n in enumerate(x.shape)))


def _length(x: Any, axis: Any) -> int:
    """Return how many elements one reduction takes."""
    length: int = math.prod(x.shape[a] for a in _axes(x, axis))
    if length != length:  # NaN: of an array whose length only computing tells
        message = f"expected known lengths along axis {axis}, got shape {x.shape}"
        raise ShapeError(message)
    return length


def _sum(xp: Namespace, g: Array, y: Any, x: Any, *, axis: Any = None, dtype: Any = None,
         keepdims: bool = False) -> Array:  # fmt: skip
    """Give every summand the sum's cotangent."""
    return xp.broadcast_to(restored(xp, g, x, axis, keepdims), x.shape)


def _mean(
    xp: Namespace, g: Array, y: Any, x: Any, *, axis: Any = None, keepdims: bool = False
) -> Array:
    """Give every summand its share."""
    return _sum(xp, g / (_length(x, axis) or 1), y, x, axis=axis, keepdims=keepdims)


def _freedom(x: Array, axis: Any, correction: float) -> float:
    """Return what the squares are divided by: not a number where nothing is left."""
    freedom = _length(x, axis) - correction
    return freedom if freedom > 0 else math.nan


def _var(xp: Namespace, g: Array, y: Array, x: Array, *, axis: Any = None,
         correction: float = 0.0, keepdims: bool = False) -> Array:  # fmt: skip
    """Return 2 g (x - mean) / (n - correction), for complex `x` too."""
    slope = restored(xp, g, x, axis, keepdims) * (2 / _freedom(x, axis, correction))
    return slope * (x - xp.mean(x, axis=axis, keepdims=True))


def _std(xp: Namespace, g: Array, y: Array, x: Array, *, axis: Any = None,
         correction: float = 0.0, keepdims: bool = False) -> Array:  # fmt: skip
    """Return g (x - mean) / ((n - correction) std), which is 0 where all values are equal."""
    freedom = _freedom(x, axis, correction)
    g, y = (restored(xp, a, x, axis, keepdims) for a in (g, y))
    equal = xp.all(x == _first(x, axis), axis=axis, keepdims=True) | (y == 0)
    slope = g / (xp.where(equal, 1, y) * freedom)
    return xp.where(equal, 0, slope) * (x - xp.mean(x, axis=axis, keepdims=True))


def _first(x: Array, axis: Any) -> Array:
    """Return the first element along the axes, keeping them."""
    reduced = _axes(x, axis)
    return x[tuple(slice(0, min(n, 1) if i in reduced else n) for i, n in enumerate(x.shape))]


def _extremum(
    xp: Namespace, g: Array, y: Array, x: Array, *, axis: Any = None, keepdims: bool = False
) -> Array:
    """Share the cotangent evenly among the elements that are extreme, or not numbers."""
    g, y = (restored(xp, a, x, axis, keepdims) for a in (g, y))
    extreme = (x == y) | xp.isnan(x)
    count = xp.sum(xp.astype(extreme, g.dtype), axis=axis, keepdims=True)
    return xp.where(extreme, g / count, 0)


def _prod(xp: Namespace, g: Array, y: Array, x: Array, *, axis: Any = None, dtype: Any = None,
          keepdims: bool = False) -> Array:  # fmt: skip
    """Return g times the product of all the other elements."""
    x = xp.astype(x, g.dtype, copy=False)
    reduced = _axes(x, axis)
    kept = tuple(i for i in range(x.ndim) if i not in reduced)
    order = kept + reduced
    moved = xp.permute_dims(x, order)
    rows = xp.reshape(moved, (*moved.shape[: len(kept)], _length(x, axis)))
    factors = xp.reshape(others(xp, rows), moved.shape)
    factors = xp.permute_dims(factors, tuple(order.index(i) for i in range(x.ndim)))
    return times(xp, restored(xp, g, x, axis, keepdims), conj(xp, factors))


def others(xp: Namespace, x: Array) -> Array:
    """Return, along the last axis, the product of all elements but the one."""
    return _before(xp, x) * xp.flip(_before(xp, xp.flip(x, axis=-1)), axis=-1)


def _before(xp: Namespace, x: Array) -> Array:
    """Return, along the last axis, the product of all earlier elements."""
    return xp.cumulative_prod(x, axis=-1, include_initial=True)[..., :-1]


def _cumulative_sum(xp: Namespace, g: Array, y: Any, x: Any, *, axis: int | None = None,
                    dtype: Any = None, include_initial: bool = False) -> Array:  # fmt: skip
    """Sum the cotangents of all later results, and of this."""
    g = xp.moveaxis(g, axis or 0, -1)
    later = xp.flip(xp.cumulative_sum(xp.flip(g, axis=-1), axis=-1), axis=-1)
    later = later[..., 1:] if include_initial else later
    return xp.reshape(xp.moveaxis(later, -1, axis or 0), x.shape)  # a number has one sum


def _cumulative_prod(xp: Namespace, g: Array, y: Array, x: Array, *, axis: int | None = None,
                     dtype: Any = None, include_initial: bool = False) -> Array:  # fmt: skip
    """Return Σₖ≥ᵢ gₖ ∏ⱼ≤ₖ xⱼ, where j ≠ i."""
    shape, axis = x.shape, axis or 0
    x = xp.reshape(x, shape or (1,))  # a number has one product
    x = xp.moveaxis(conj(xp, xp.astype(x, g.dtype, copy=False)), axis, -1)
    g = xp.moveaxis(g, axis, -1)
    g = g[..., 1:] if include_initial else g
    return xp.reshape(xp.moveaxis(_before(xp, x) * _later(xp, g, x), -1, axis), shape)


def _later(xp: Namespace, g: Array, x: Array) -> Array:
    """Return Σₖ≥ᵢ gₖ ∏ᵢ<ⱼ≤ₖ xⱼ along the last axis, doubling the reach of each sum."""
    reach, length, factor = 1, x.shape[-1], x[..., 1:] if x.shape[-1] else x
    while reach < length:
        near = g[..., :-reach] + factor * g[..., reach:]
        g = xp.concat([near, g[..., -reach:]], axis=-1)
        if 2 * reach < length:
            factor = factor[..., :-reach] * factor[..., reach:]
        reach *= 2
    return g


# fmt: off
LINEAR = {
    "cumulative_sum":  (_cumulative_sum,),
    "mean":            (_mean,),
    "sum":             (_sum,),
}
PULLBACKS = {
    "cumulative_prod": (_cumulative_prod,),
    "max":             (_extremum,),
    "min":             (_extremum,),
    "prod":            (_prod,),
    "std":             (_std,),
    "var":             (_var,),
}
# fmt: on
CONSTANT: frozenset[str] = frozenset()
