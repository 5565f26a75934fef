"""Adamax: Adam with the largest recent magnitude for a divisor."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean, one_minus_power

__all__ = ["adamax", "adamax_torch"]


def adamax(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    u: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·m̂ / (u + ε), the new mean, and u ← max(β₂u, |g|)."""
    m = moving_mean(m, g, beta1)
    u = xp.maximum(beta2 * u, xp.abs(g))
    return -(learning_rate / one_minus_power(xp, beta1, step)) * m / (u + epsilon), m, u


def adamax_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    u: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·m̂ / u, the new mean, and u ← max(β₂u, |g| + ε)."""
    m = moving_mean(m, g, beta1)
    u = xp.maximum(beta2 * u, xp.abs(g) + epsilon)
    return -(learning_rate / one_minus_power(xp, beta1, step)) * m / u, m, u
