"""Gradient descent with noise, and with the step that a known minimum allows."""

from arraygrad._numbers import is_number, namespace_for
from arraygrad._typing import Array, Namespace

__all__ = ["noisy_sgd", "polyak_sgd", "polyak_sgd_positive"]


def noisy_sgd(
    xp: Namespace,
    w: Array,
    g: Array,
    noise: Array,
    *,
    learning_rate: Array,
    step: Array,
    eta: Array,
    gamma: Array,
) -> tuple[Array]:
    """Return the update -lr·(g + √(η / t^γ)·noise)."""
    return (-learning_rate * (g + (eta / step**gamma) ** 0.5 * noise),)


def polyak_sgd(
    xp: Namespace,
    w: Array,
    g: Array,
    *,
    scaling: Array,
    max_learning_rate: Array,
    f_min: Array,
    epsilon: Array,
    value: Array,
    squared_norm: Array,
) -> tuple[Array]:
    """Return the update -scaling·min((f - f_min) / (‖g‖² + ε), max)·g, ‖g‖ over all arrays."""
    step, moves = _polyak_step(xp, value - f_min, squared_norm + epsilon)
    return (-(scaling * moves * _at_most(xp, step, max_learning_rate)) * g,)


def polyak_sgd_positive(
    xp: Namespace,
    w: Array,
    g: Array,
    *,
    scaling: Array,
    max_learning_rate: Array,
    f_min: Array,
    epsilon: Array,
    value: Array,
    squared_norm: Array,
) -> tuple[Array]:
    """Return `polyak_sgd`, which stands still below the minimum instead of going uphill."""
    step, moves = _polyak_step(xp, value - f_min, squared_norm + epsilon)
    step = _at_most(xp, step, max_learning_rate)
    return (-(scaling * moves * namespace_for(xp, step).clip(step, min=0)) * g,)


def _at_most(xp: Namespace, x: Array, bound: Array) -> Array:
    """Return the lesser of two scalars, by whichever is an array."""
    if is_number(x):
        x, bound = bound, x
    return namespace_for(xp, x, bound).clip(x, max=bound)


def _polyak_step(xp: Namespace, gap: Array, divisor: Array) -> tuple[Array, Array]:
    """Return gap / divisor, and 1; where the divisor is zero, the gap and 0."""
    sp = namespace_for(xp, divisor)
    zero, one = sp.zeros_like(divisor), sp.ones_like(divisor)
    guard = sp.where(divisor == 0, one, zero)
    return gap / (divisor + guard), one - guard
