"""Adan: Nesterov's momentum from the differences of gradients."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import (
    after_first,
    copied,
    moving_mean,
    one_minus_power,
    unbiased_root,
)
from arraygrad.kernels.norms import abs_squared, root

__all__ = ["adan_optax", "adan_paper"]


def adan_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    d: Array,
    v: Array,
    previous: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    beta3: Array,
    epsilon: Array,
    weight_decay: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Return the update, the new moments and g; the means start from the first gradient's."""
    later = after_first(xp, step)
    difference = later * (g - previous)
    m = moving_mean(m, g, later * beta1)
    d = moving_mean(d, difference, beta2)
    v = moving_mean(v, abs_squared(xp, g + beta2 * difference), later * beta3)
    moved = w - learning_rate * (m + beta2 * d) / (root(xp, v) + epsilon)
    return moved / (1 + learning_rate * weight_decay) - w, m, d, v, copied(g)


def adan_optax(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    d: Array,
    v: Array,
    previous: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    beta3: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Return the update, the new moments and g; the means start from zeros, unbiased in use."""
    difference = after_first(xp, step) * (g - previous)
    m = moving_mean(m, g, beta1)
    d = moving_mean(d, difference, beta2)
    v = moving_mean(v, abs_squared(xp, g + (1 - beta2) * difference), beta3)
    ahead = m / one_minus_power(xp, beta1, step)
    ahead = ahead + (1 - beta2) / one_minus_power(xp, beta2, step) * d
    divisor = unbiased_root(xp, v, step, beta3) + epsilon
    return -learning_rate * ahead / divisor, m, d, v, copied(g)
