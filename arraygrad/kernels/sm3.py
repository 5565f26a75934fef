"""SM3: AdaGrad that remembers one number for each row, column, ... instead of each element."""

import functools

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean
from arraygrad.kernels.norms import abs_squared

__all__ = ["sm3"]


def sm3(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    covers: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·m, the new mean direction, and the largest sums of each slice."""
    v = _smallest(xp, covers, g.shape) + abs_squared(xp, g)
    known, zero, one = v > 0, xp.zeros_like(v), xp.ones_like(v)
    scale = xp.where(known, xp.where(known, v + epsilon, one) ** -0.5, zero)
    m = moving_mean(m, scale * g, momentum)
    return -learning_rate * m, m, covers if 0 in g.shape else _largest(xp, v)


def _smallest(xp: Namespace, covers: Array, shape: tuple[int, ...]) -> Array:
    """Return, for each element, the least of what is remembered of its slices."""
    if not shape:
        return xp.reshape(covers, ())
    parts, start = [], 0
    for axis, size in enumerate(shape):
        along = tuple(size if n == axis else 1 for n in range(len(shape)))
        parts.append(xp.reshape(covers[start : start + size], along))
        start += size
    return functools.reduce(xp.minimum, parts)


def _largest(xp: Namespace, v: Array) -> Array:
    """Return the largest element of each slice, axis after axis, as one vector."""
    if v.ndim < 2:
        return xp.reshape(v, (-1,))
    axes = range(v.ndim)
    return xp.concat([xp.max(v, axis=tuple(n for n in axes if n != axis)) for axis in axes])
