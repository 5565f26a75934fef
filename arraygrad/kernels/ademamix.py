"""AdEMAMix: Adam with a second, slower mean of gradients beside the first."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean, one_minus_power, unbiased_root
from arraygrad.kernels.norms import abs_squared

__all__ = ["ademamix"]


def ademamix(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    slow: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    beta3: Array,
    alpha: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update and the new moments; the slow mean's bias stays."""
    m, slow = moving_mean(m, g, beta1), moving_mean(slow, g, beta3)
    v = moving_mean(v, abs_squared(xp, g), beta2)
    mixed = m / one_minus_power(xp, beta1, step) + alpha * slow
    divisor = unbiased_root(xp, v, step, beta2) + epsilon
    return -learning_rate * mixed / divisor, m, slow, v
