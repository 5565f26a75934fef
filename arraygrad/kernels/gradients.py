"""What is done to gradients and updates on their way: scaled, centred, decayed, perturbed."""

from typing import Any

from arraygrad._typing import Array, Namespace

__all__ = [
    "add_decayed_weights",
    "add_noise",
    "add_to_mean",
    "add_to_sum",
    "centralize",
    "decouple_weight_decay",
    "move_part",
    "scale",
    "set_to_zero",
    "zero_nans",
]


def scale(xp: Namespace, w: Array, g: Array, *, factor: Array) -> tuple[Array]:
    """Return the gradient times a factor."""
    return (g * factor,)


def set_to_zero(xp: Namespace, w: Array, g: Array) -> tuple[Array]:
    """Return zeros."""
    return (xp.zeros_like(w),)


def zero_nans(xp: Namespace, w: Array, g: Array) -> tuple[Array]:
    """Return the gradient, 0 where it is NaN."""
    return (xp.where(g == g, g, xp.zeros_like(g)),)


def centralize(xp: Namespace, w: Array, g: Array, *, axis: Any) -> tuple[Array]:
    """Return the gradient of a matrix less its mean over all axes but the first, or over `axis`."""
    if g.ndim < 2 or 0 in g.shape:
        return (g,)
    return (g - xp.mean(g, axis=tuple(range(1, g.ndim)) if axis is None else axis, keepdims=True),)


def add_decayed_weights(xp: Namespace, w: Array, g: Array, *, weight_decay: Array) -> tuple[Array]:
    """Return the gradient of the cost and of half the squared norm of the parameter."""
    return (g + weight_decay * w,)


def decouple_weight_decay(
    xp: Namespace, w: Array, g: Array, *, learning_rate: Array, weight_decay: Array
) -> tuple[Array]:
    """Return the update, less a part of the parameter."""
    return (g - learning_rate * weight_decay * w,)


def add_noise(
    xp: Namespace, w: Array, g: Array, noise: Array, *, eta: Array, gamma: Array, step: Array
) -> tuple[Array]:
    """Return the gradient and noise, whose variance is η / tᵞ."""
    return (g + (eta / step**gamma) ** 0.5 * noise,)


def add_to_mean(xp: Namespace, w: Array, g: Array, *, done: Array) -> tuple[Array]:
    """Return what a mean of so many changes by, if one more joins."""
    return ((g - w) / (done + 1),)


def add_to_sum(xp: Namespace, w: Array, g: Array) -> tuple[Array]:
    """Return what a sum changes by, if one more joins."""
    return (g,)


def move_part(xp: Namespace, w: Array, g: Array, *, part: Array) -> tuple[Array]:
    """Return a part of the way from one array to another."""
    return (part * (g - w),)
