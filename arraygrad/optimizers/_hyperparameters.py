"""Hyperparameters of an optimizer: numbers, 0-d arrays, or schedules of the step's number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from arraygrad._namespace import array_namespace, is_array, is_complex
from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.libraries import library_of

__all__ = [
    "at_least_one",
    "at_least_zero",
    "axes",
    "check_real",
    "chosen",
    "current",
    "first_values",
    "in_unit",
    "one_number",
    "positive",
    "real",
    "whole",
    "within",
]


def first_values(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values before the first step."""
    return {
        name: _scheduled(name, x(0)) if callable(x) else x for name, x in hyperparameters.items()
    }


def _scheduled(name: str, value: Any) -> Any:
    """Return what a schedule returned, if it is a real number or array."""
    if type(value) is not float and not _is_real(value):
        message = f"`{name}` must be a schedule of real numbers or arrays, it returned {value!r}"
        raise HyperparameterError(message)
    return value


def current(
    hyperparameters: Mapping[str, Any], state: Any, *, scheduled: bool = True
) -> dict[str, Any]:
    """Return the values of this step: a schedule's own, else what the state holds.

    Who knows that nothing is `scheduled` says so.

    Raises
    ------
    StructureError
        If it does not hold one: the state is that of another optimizer, or none.
    HyperparameterError
        If a schedule returns no real number.
    """
    try:
        kept, count = state.hyperparameters, state.count
    except AttributeError:
        message = f"`state` must be what `init` returned, got {type(state).__name__}"
        raise StructureError(message) from None
    if not isinstance(kept, dict):
        message = f"`state.hyperparameters` must be a dict, got {type(kept).__name__}"
        raise StructureError(message)
    if not scheduled and kept.keys() == hyperparameters.keys():
        return dict(kept)
    missing = [name for name, x in hyperparameters.items() if name not in kept and not callable(x)]
    if missing:
        message = f"`state` has no {missing[0]!r}: it is not one of this optimizer"
        raise StructureError(message)
    return {
        name: _scheduled(name, x(count)) if callable(x) else kept[name]
        for name, x in hyperparameters.items()
    }


def within(expected: str, contains: Callable[[Any], bool], /, **values: Any) -> None:
    """Refuse numbers out of a range, and what is no number at all.

    Schedules are not called, and arrays read only where that is free.

    Raises
    ------
    HyperparameterError
        If a value is neither a real number in the range nor an array nor a schedule.
    """
    for name, value in values.items():
        if not (_is_unread(value) or (_is_real(value) and contains(value))):
            real = _is_real(value)
            given = f"{expected}, got {value}" if real else f"a number {expected}, got {value!r}"
            message = f"`{name}` must be {given}"
            raise HyperparameterError(message)


def _is_real(value: Any) -> bool:
    """Say whether a value is a real number, maybe in a 0-d array."""
    if isinstance(value, str) or not is_array(value):  # NumPy's strings are both
        return isinstance(value, Real)
    return not is_complex(array_namespace(value), value.dtype)


def _is_unread(value: Any) -> bool:
    """Say whether a value is a schedule, or a real array whose number is not to be read."""
    if not is_array(value):
        return callable(value)
    if not _is_real(value):
        return False
    return value.shape != () or not library_of(array_namespace(value)).readable


def one_number(value: Any, argument: str) -> Any:
    """Return a real number, or a real 0-d array.

    Raises
    ------
    HyperparameterError
        If it is none.
    """
    if not _is_real(value) or (is_array(value) and value.shape != ()):
        message = f"`{argument}` must be a real number or a 0-d array, got {value!r}"
        raise HyperparameterError(message)
    return value


def check_real(hyperparameters: Mapping[str, Any]) -> None:
    """Refuse, of what a state holds, what is neither a real number nor a real array.

    Raises
    ------
    HyperparameterError
        If a value is none.
    """
    for name, value in hyperparameters.items():
        if not _is_real(value):
            where = f"`state.hyperparameters[{name!r}]`"
            message = f"{where} must be a real number or array, got {value!r}"
            raise HyperparameterError(message)


def real(**values: Any) -> None:
    """Refuse what is neither a real number nor a real array nor a schedule.

    Raises
    ------
    HyperparameterError
        If a value is none.
    """
    for name, value in values.items():
        if not (_is_unread(value) or _is_real(value)):
            message = f"`{name}` must be a real number, an array or a schedule, got {value!r}"
            raise HyperparameterError(message)


def at_least_zero(**values: Any) -> None:
    """Refuse negative numbers: see `within`."""
    within("at least 0", lambda x: x >= 0, **values)


def at_least_one(**values: Any) -> None:
    """Refuse numbers less than 1: see `within`."""
    within("at least 1", lambda x: x >= 1, **values)


def positive(**values: Any) -> None:
    """Refuse numbers that are not greater than 0: see `within`."""
    within("greater than 0", lambda x: x > 0, **values)


def in_unit(**values: Any) -> None:
    """Refuse numbers outside [0, 1): see `within`."""
    within("in [0, 1)", lambda x: 0 <= x < 1, **values)


def whole(**values: Any) -> None:
    """Refuse what is no integer of at least 1: a number of steps, or of times.

    Raises
    ------
    HyperparameterError
        If a value is none.
    """
    for name, value in values.items():
        if not isinstance(value, int) or value < 1:
            message = f"`{name}` must be an integer of at least 1, got {value!r}"
            raise HyperparameterError(message)


def axes(axis: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    """Return an axis, or several in a tuple.

    Raises
    ------
    HyperparameterError
        If they are no integers.
    """
    if axis is None or isinstance(axis, int):
        return axis
    found = tuple(axis) if isinstance(axis, Iterable) else (axis,)
    if not all(isinstance(x, Integral) for x in found):
        message = f"`axis` must be an integer or a sequence of integers, got {axis!r}"
        raise HyperparameterError(message)
    return found


def chosen(name: str, known: Mapping[str, Any], argument: str = "convention") -> Any:
    """Return what a name stands for, of a convention for example.

    Raises
    ------
    HyperparameterError
        If nothing is called that.
    """
    if not isinstance(name, str) or name not in known:
        message = f"`{argument}` must be one of {sorted(known)}, got {name!r}"
        raise HyperparameterError(message)
    return known[name]
