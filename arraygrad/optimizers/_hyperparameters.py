"""Hyperparameters of an optimizer: numbers, 0-d arrays, or schedules of the step's number."""

from collections.abc import Mapping
from typing import Any

from arraygrad.errors import HyperparameterError

__all__ = ["at_least_zero", "chosen", "current", "first_values", "in_unit"]


def first_values(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values before the first step."""
    return {name: x(0) if callable(x) else x for name, x in hyperparameters.items()}


def current(hyperparameters: Mapping[str, Any], state: Any) -> dict[str, Any]:
    """Return the values of this step: a schedule's own, else what the state holds."""
    kept = state.hyperparameters
    return {
        name: x(state.count) if callable(x) else kept[name] for name, x in hyperparameters.items()
    }


def at_least_zero(**values: Any) -> None:
    """Refuse negative numbers; arrays and schedules are not read.

    Raises
    ------
    HyperparameterError
        If a number is negative, or not a number.
    """
    for name, value in values.items():
        if isinstance(value, int | float) and not value >= 0:
            message = f"`{name}` must be at least 0, got {value}"
            raise HyperparameterError(message)


def in_unit(**values: Any) -> None:
    """Refuse numbers outside [0, 1); arrays and schedules are not read.

    Raises
    ------
    HyperparameterError
        If a number is outside.
    """
    for name, value in values.items():
        if isinstance(value, int | float) and not 0 <= value < 1:
            message = f"`{name}` must be in [0, 1), got {value}"
            raise HyperparameterError(message)


def chosen(convention: str, known: Mapping[str, Any]) -> Any:
    """Return what a convention stands for.

    Raises
    ------
    HyperparameterError
        If nobody calls it that.
    """
    if convention not in known:
        message = f"`convention` must be one of {sorted(known)}, got {convention!r}"
        raise HyperparameterError(message)
    return known[convention]
