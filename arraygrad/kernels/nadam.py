"""Nadam: Adam with Nesterov's momentum."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moments, moving_mean, nesterov_mean, unbiased_root
from arraygrad.kernels.norms import abs_squared

__all__ = ["nadam_optax", "nadam_paper", "nadam_torch"]


def nadam_optax(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments, with one β₁ for all steps."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    ahead = nesterov_mean(xp, g, m, step, beta1)
    return -learning_rate * ahead / (unbiased_root(xp, v, step, beta2) + epsilon), m, v


def nadam_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    product: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    momentum_decay: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update, the new moments and ∏μ, where the mean itself keeps β₁."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    now, product, ahead = _looking_ahead(product, step, beta1, momentum_decay)
    rise = (learning_rate * now) * g + (learning_rate * ahead) * m
    return -rise / (unbiased_root(xp, v, step, beta2) + epsilon), m, v, product


def nadam_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    product: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    momentum_decay: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update, the new moments and ∏μ; the mean keeps μ, and ν̂ has a factor β₂."""
    m = moving_mean(m, g, _momentum(step, beta1, momentum_decay))
    v = moving_mean(v, abs_squared(xp, g), beta2)
    now, product, ahead = _looking_ahead(product, step, beta1, momentum_decay)
    rise = (learning_rate * now) * g + (learning_rate * ahead) * m
    spread = beta2**0.5 * unbiased_root(xp, v, step, beta2)
    return -rise / (spread + epsilon), m, v, product


def _momentum(step: Array, beta1: Array, momentum_decay: Array) -> Array:
    """Return μ, which grows from β₁/2 to β₁."""
    return beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))


def _looking_ahead(
    product: Array, step: Array, beta1: Array, momentum_decay: Array
) -> tuple[Array, Array, Array]:
    """Return the weight of the gradient, ∏μ up to this step, and the weight of the mean."""
    now = _momentum(step, beta1, momentum_decay)
    following = _momentum(step + 1, beta1, momentum_decay)
    product = product * now
    return (1 - now) / (1 - product), product, following / (1 - product * following)
