"""Adam: a step along the mean gradient, divided by the root of its mean square."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import corrected_ratio, moments, one_minus_power
from arraygrad.kernels.norms import root

__all__ = [
    "adam_direction",
    "adam_ivy",
    "adam_keras",
    "adam_paper",
]


def adam_ivy(
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
    """Return the update -lr·delta and the new moments: Ivy's Adam."""
    delta, m, v = adam_direction(xp, g, m, v, step=step, beta1=beta1, beta2=beta2, epsilon=epsilon)
    return -learning_rate * delta, m, v


def adam_paper(
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
    """Return the update and the new moments; ε joins the root of the corrected ν."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    update = corrected_ratio(xp, m, v, step, beta1, beta2, epsilon, rate=-learning_rate)
    return update, m, v


def adam_keras(
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
    """Return the update and the new moments; ε joins √ν before its correction."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    rate = one_minus_power(xp, beta2, step) ** 0.5 / one_minus_power(xp, beta1, step)
    return -learning_rate * rate * m / (root(xp, v) + epsilon), m, v


def adam_direction(
    xp: Namespace,
    g: Array,
    m: Array,
    v: Array,
    *,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return delta and the new moments; ε joins √v before its correction, and 1-β₁ᵗ."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    rate = one_minus_power(xp, beta2, step) ** 0.5 / (one_minus_power(xp, beta1, step) + epsilon)
    return rate * m / (root(xp, v) + epsilon), m, v
