"""Gradient descent, with and without momentum."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import after_first

__all__ = [
    "dampened_momentum",
    "momentum",
    "nesterov",
    "nesterov_velocity",
    "sgd",
    "velocity",
]


def sgd(xp: Namespace, w: Array, g: Array, *, learning_rate: Array) -> tuple[Array]:
    """Return the update -lr·g."""
    return (-learning_rate * g,)


def momentum(
    xp: Namespace, w: Array, g: Array, b: Array, *, learning_rate: Array, momentum: Array
) -> tuple[Array, Array]:
    """Return the update -lr·b, and b ← μb + g."""
    b = momentum * b + g
    return -learning_rate * b, b


def dampened_momentum(
    xp: Namespace,
    w: Array,
    g: Array,
    b: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    dampening: Array,
    step: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·b, and b ← μb + (1 - τ)g; at the first step b ← g."""
    b = momentum * b + (1 - dampening * after_first(xp, step)) * g
    return -learning_rate * b, b


def nesterov(
    xp: Namespace, w: Array, g: Array, b: Array, *, learning_rate: Array, momentum: Array
) -> tuple[Array, Array]:
    """Return the update -lr·(g + μb), and b ← μb + g."""
    b = momentum * b + g
    return -learning_rate * (g + momentum * b), b


def velocity(
    xp: Namespace, w: Array, g: Array, b: Array, *, learning_rate: Array, momentum: Array
) -> tuple[Array, Array]:
    """Return the update b ← μb - lr·g, and b."""
    b = momentum * b - learning_rate * g
    return b, b


def nesterov_velocity(
    xp: Namespace, w: Array, g: Array, b: Array, *, learning_rate: Array, momentum: Array
) -> tuple[Array, Array]:
    """Return the update μb - lr·g, and b ← μb - lr·g before it."""
    move = learning_rate * g
    b = momentum * b - move
    return momentum * b - move, b
