"""Gradient descent."""

from arraygrad._typing import Array, Namespace

__all__ = ["gradient_descent"]


def gradient_descent(xp: Namespace, w: Array, g: Array, lr: Array) -> Array:
    """Return the update -lr·g."""
    return -lr * g
