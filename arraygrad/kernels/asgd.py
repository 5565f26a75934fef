"""Averaged stochastic gradient descent."""

from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace

__all__ = ["asgd"]


def asgd(
    xp: Namespace,
    w: Array,
    g: Array,
    average: Array,
    *,
    learning_rate: Array,
    step: Array,
    decay: Array,
    power: Array,
    start: Array,
) -> tuple[Array, Array]:
    """Return the update -η(g + λw), η = lr / (1 + λ·lr·(t - 1))ᵖ, and the average of weights."""
    eta = learning_rate / (1 + decay * learning_rate * (step - 1)) ** power
    update = -eta * (g + decay * w)
    averaged = namespace_for(xp, step, start).maximum(step - 1 - start, 1)
    return update, average + (w + update - average) / averaged
