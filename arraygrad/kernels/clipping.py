"""Clipping: gradients no longer than a bound, by elements, whole arrays, or units of a layer."""

import math
from typing import Any

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.norms import abs_squared, norm, root

__all__ = [
    "clip_adaptively",
    "clip_by_block_rms",
    "clip_by_norm",
    "clip_by_norm_torch",
    "clip_by_value",
    "clipped",
]


def clip_by_value(xp: Namespace, w: Array, g: Array, *, max_value: Array) -> tuple[Array]:
    """Return elements of at most this magnitude."""
    if is_complex(xp, g.dtype):
        bound = xp.ones_like(xp.real(g)) * max_value
        return (g * (bound / xp.maximum(xp.abs(g), bound)),)
    bound = xp.ones_like(g) * max_value
    return (xp.maximum(xp.minimum(g, bound), -bound),)


def clip_by_norm(xp: Namespace, w: Array, g: Array, *, max_norm: Array) -> tuple[Array]:
    """Return the gradient, scaled to this norm where its own is greater."""
    return (clipped(xp, g, norm(xp, g), max_norm),)


def clip_by_norm_torch(xp: Namespace, w: Array, g: Array, *, max_norm: Array) -> tuple[Array]:
    """Return the gradient, scaled where needed; the divisor is 1e-6 more than its norm."""
    ratio = max_norm / (norm(xp, g) + 1e-6)
    return (g * xp.minimum(ratio, xp.ones_like(ratio)),)


def clip_by_block_rms(xp: Namespace, w: Array, g: Array, *, max_rms: Array) -> tuple[Array]:
    """Return the gradient, scaled to this root mean square where its own is greater."""
    rms = norm(xp, g) / max(math.prod(g.shape), 1) ** 0.5
    ratio = rms / max_rms
    return (g / xp.maximum(ratio, xp.ones_like(ratio)),)


def clip_adaptively(
    xp: Namespace, w: Array, g: Array, *, clipping: Array, epsilon: Array, axis: Any
) -> tuple[Array]:
    """Return units of the gradient, scaled to a part of the norm of the parameter's unit."""
    floor = xp.ones_like(xp.real(g) if is_complex(xp, g.dtype) else g)
    most = clipping * xp.maximum(_unit_norm(xp, w, axis), floor * epsilon)
    length = _unit_norm(xp, g, axis)
    return (xp.where(length < most, g, g * (most / xp.maximum(length, floor * 1e-6))),)


def clipped(xp: Namespace, g: Array, length: Array, most: Array) -> Array:
    """Return an array of this length, scaled to another where it is greater."""
    longer = length > most
    one = xp.ones_like(length)
    return g * xp.where(longer, most / xp.where(longer, length, one), one)


def _unit_norm(xp: Namespace, x: Array, axis: Any) -> Array:
    """Return the norm of each unit: by default all of a vector, else a column of the last axis."""
    axes = axis
    if axis is None and sum(n != 1 for n in x.shape) > 1:
        axes = 0 if x.ndim <= 3 else tuple(range(x.ndim - 1))
    return root(xp, xp.sum(abs_squared(xp, x), axis=axes, keepdims=True))
