"""Steps made of another optimizer's: schedule-free, lookahead, and sharpness-aware ones."""

from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean, unbiased_root
from arraygrad.kernels.norms import abs_squared, root

__all__ = [
    "adam_without_mean",
    "adaptive_ascent",
    "ascent",
    "ascent_scale",
    "averaged",
    "larger",
    "lookahead",
    "schedule_free",
    "share",
    "squares",
    "squares_by_size",
]


def schedule_free(
    xp: Namespace, w: Array, u: Array, z: Array, *, beta1: Array, portion: Array
) -> tuple[Array, Array]:
    """Return the update of y = (1 - β)z + βx, and z + u, which has had its portion in the mean x.

    In terms of y and z alone: x is neither stored nor computed.
    """
    return portion * (z - w) + (1 - beta1 * (1 - portion)) * u, z + u


def averaged(xp: Namespace, y: Array, z: Array, *, beta1: Array) -> tuple[Array]:
    """Return the mean x, from y = (1 - β)z + βx."""
    return (z + (y - z) / beta1,)


def share(xp: Namespace | None, weight: Array, total: Array) -> Array:
    """Return what a weight is of a total, 0 of none."""
    sp = namespace_for(xp, weight, total)
    some = total > 0
    return sp.where(some, weight / sp.where(some, total, sp.ones_like(total)), 0 * total)


def larger(xp: Namespace | None, x: Array, y: Array) -> Array:
    """Return the larger of two numbers."""
    return namespace_for(xp, x, y).maximum(x + 0 * y, y + 0 * x)  # arrays both, where one is


def adam_without_mean(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta2: Array,
    epsilon: Array,
    weight_decay: Array,
) -> tuple[Array, Array]:
    """Return AdamW's update for β₁ = 0, and the new moment."""
    v = moving_mean(v, abs_squared(xp, g), beta2)
    direction = g / (unbiased_root(xp, v, step, beta2) + epsilon)
    return -learning_rate * (direction + weight_decay * w), v


def lookahead(
    xp: Namespace, w: Array, u: Array, slow: Array, *, left: Array, slow_step_size: Array
) -> tuple[Array, Array]:
    """Return the update of the fast weights, and the slow ones: they meet when no step is left."""
    met = slow + slow_step_size * (w + u - slow)
    sp = namespace_for(xp, left)
    return sp.where(left == 0, met - w, u), sp.where(left == 0, met, slow)


def squares(xp: Namespace, g: Array) -> Array:
    """Return the sum of squares of a gradient."""
    return xp.sum(abs_squared(xp, g))


def squares_by_size(xp: Namespace, g: Array, w: Array, offset: Array) -> Array:
    """Return the sum of squares of a gradient in units of the sizes of parameters."""
    return xp.sum(abs_squared(xp, (xp.abs(w) + offset) * g))


def ascent_scale(xp: Namespace, radius: Array, total: Array) -> Array:
    """Return the factor of a gradient, of which the total is the sum of squares."""
    return radius / (root(xp, total) + 1e-12)


def ascent(xp: Namespace, w: Array, g: Array, *, scale: Array) -> tuple[Array]:
    """Return the way up a gradient."""
    return (scale * g,)


def adaptive_ascent(
    xp: Namespace, w: Array, g: Array, *, scale: Array, offset: Array
) -> tuple[Array]:
    """Return the way up a gradient, in units of the sizes of parameters."""
    sizes = xp.abs(w) + offset
    return (scale * sizes * sizes * g,)
