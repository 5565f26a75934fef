"""Optimistic steps: a direction is expected to change once more as it just did."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import (
    after_first,
    copied,
    corrected_ratio,
    moments,
    moving_mean,
    nesterov_mean,
    unbiased_root,
)
from arraygrad.kernels.norms import abs_squared

__all__ = ["optimistic_adam", "optimistic_adam_nesterov", "optimistic_gradient_descent"]


def optimistic_gradient_descent(
    xp: Namespace,
    w: Array,
    g: Array,
    previous: Array,
    *,
    learning_rate: Array,
    step: Array,
    alpha: Array,
    beta: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·(αg + β(g - previous)), and g."""
    return -learning_rate * _ahead(xp, g, previous, step, alpha, beta), copied(g)


def optimistic_adam(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    previous: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    alpha: Array,
    beta: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the optimistic update of Adam's direction, the new moments and the direction."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    direction = corrected_ratio(xp, m, v, step, beta1, beta2, epsilon)
    ahead = _ahead(xp, direction, previous, step, alpha, beta)
    return -learning_rate * ahead, m, v, direction


def optimistic_adam_nesterov(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    previous: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    alpha: Array,
    beta: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return `optimistic_adam` with the mean gradient of the next step."""
    m = moving_mean(m, g, beta1)
    v = moving_mean(v, abs_squared(xp, g), beta2)
    mean = nesterov_mean(xp, g, m, step, beta1)
    direction = mean / (unbiased_root(xp, v, step, beta2) + epsilon)
    ahead = _ahead(xp, direction, previous, step, alpha, beta)
    return -learning_rate * ahead, m, v, direction


def _ahead(
    xp: Namespace, x: Array, previous: Array, step: Array, alpha: Array, beta: Array
) -> Array:
    """Return αx + β(x - previous); before the first step there was the same x."""
    return alpha * x + after_first(xp, step) * beta * (x - previous)
