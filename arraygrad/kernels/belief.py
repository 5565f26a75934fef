"""Adam with another second moment: the gradient's distance to its mean, or a slower square."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean, nesterov_mean, one_minus_power, unbiased_root
from arraygrad.kernels.norms import abs_squared, root

__all__ = ["adabelief", "adabelief_nesterov", "yogi_optax", "yogi_paper"]


def adabelief(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    s: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments; ε joins s at every step, and its root."""
    m, s = _belief(xp, g, m, s, beta1, beta2, epsilon)
    rate = learning_rate / one_minus_power(xp, beta1, step)
    return -rate * m / (unbiased_root(xp, s, step, beta2) + epsilon), m, s


def adabelief_nesterov(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    s: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return what `adabelief` does, with the mean gradient of the next step."""
    m, s = _belief(xp, g, m, s, beta1, beta2, epsilon)
    ahead = nesterov_mean(xp, g, m, step, beta1)
    return -learning_rate * ahead / (unbiased_root(xp, s, step, beta2) + epsilon), m, s


def _belief(
    xp: Namespace, g: Array, m: Array, s: Array, beta1: Array, beta2: Array, epsilon: Array
) -> tuple[Array, Array]:
    """Return the new mean, and the mean squared distance of gradients to it."""
    m = moving_mean(m, g, beta1)
    return m, moving_mean(s, abs_squared(xp, g - m), beta2) + epsilon


def yogi_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·m / (√v + ε) and the new moments: no bias is corrected."""
    m = moving_mean(m, g, beta1)
    v = _towards(xp, v, abs_squared(xp, g), beta2)
    return -learning_rate * m / (root(xp, v) + epsilon), m, v


def yogi_optax(
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
    """Return what `yogi_paper` does, both moments divided as if they had started from zeros."""
    m = moving_mean(m, g, beta1)
    v = _towards(xp, v, abs_squared(xp, g), beta2)
    rate = learning_rate / one_minus_power(xp, beta1, step)
    return -rate * m / (unbiased_root(xp, v, step, beta2) + epsilon), m, v


def _towards(xp: Namespace, v: Array, square: Array, beta2: Array) -> Array:
    """Return v, moved towards the square by what depends on the square alone."""
    return v - (1 - beta2) * xp.sign(v - square) * square
