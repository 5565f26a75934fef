"""Adagrad: a step divided by the root of the sum of all squares so far."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.norms import abs_squared, root

__all__ = ["adagrad", "adagrad_inside"]


def adagrad(
    xp: Namespace,
    w: Array,
    g: Array,
    total: Array,
    *,
    learning_rate: Array,
    step: Array,
    learning_rate_decay: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·g / (√Σ|g|² + ε), and the sum."""
    total = total + abs_squared(xp, g)
    rate = learning_rate / (1 + (step - 1) * learning_rate_decay)
    return -rate * g / (root(xp, total) + epsilon), total


def adagrad_inside(
    xp: Namespace,
    w: Array,
    g: Array,
    total: Array,
    *,
    learning_rate: Array,
    step: Array,
    learning_rate_decay: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·g / √(Σ|g|² + ε), and the sum."""
    total = total + abs_squared(xp, g)
    rate = learning_rate / (1 + (step - 1) * learning_rate_decay)
    return -rate * g / root(xp, total + epsilon), total
