"""Adadelta: steps in the units of the parameters, from the sizes of the last ones."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean
from arraygrad.kernels.norms import abs_squared, root

__all__ = ["adadelta"]


def adadelta(
    xp: Namespace,
    w: Array,
    g: Array,
    squares: Array,
    moves: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·d, and the means of |g|² and |d|²."""
    squares = moving_mean(squares, abs_squared(xp, g), decay)
    d = root(xp, moves + epsilon) / root(xp, squares + epsilon) * g
    return -learning_rate * d, squares, moving_mean(moves, abs_squared(xp, d), decay)
