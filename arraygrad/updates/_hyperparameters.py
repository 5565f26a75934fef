"""Hyperparameters: Python numbers and small arrays, checked where their values can be read."""

import math
import numbers
from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace, is_array, is_complex
from arraygrad._typing import Array
from arraygrad.errors import DtypeError, HyperparameterError
from arraygrad.libraries import library_of

__all__ = ["is_number", "settle"]


def is_number(value: Any) -> bool:
    """Say whether a value is a real number: of Python, or a NumPy scalar."""
    return isinstance(value, numbers.Real)


def settle(name: str, value: Any, where: str) -> float | Array:
    """Return a number where the value can be read, else an array, 0-d if it has one element.

    Numbers never promote an array. A value is only read from arrays of libraries where that is
    free: elsewhere it would wait for a device, or end a trace.

    Raises
    ------
    DtypeError
        If it is neither a real number nor a real array.
    HyperparameterError
        If it can be read and lies outside its range.
    """
    if is_number(value):
        return _in_range(name, float(value), where)
    if not is_array(value) or is_complex(xp := array_namespace(value), value.dtype):
        message = f"{where} must be a real number or a real array, got {_describe(value)}"
        raise DtypeError(message)
    one = math.prod(value.shape) == 1
    value = xp.reshape(value, ()) if one else value
    if not library_of(xp).readable:
        return value
    return _in_range(name, float(value) if one else value, where)


def _in_range(name: str, value: Any, where: str) -> Any:
    """Return a readable value that lies in the range of its name."""
    if name not in _RANGES:
        return value
    range_, contains = _RANGES[name]
    inside = contains(value)
    if not (inside if isinstance(value, float) else array_namespace(value).all(inside)):
        message = f"{where} must be {range_}, got {value}"
        raise HyperparameterError(message)
    return value


def _describe(value: Any) -> str:
    """Say what was given."""
    return f"dtype {value.dtype}" if is_array(value) else repr(value)


_IN_UNIT = ("in [0, 1)", lambda x: (x >= 0) & (x < 1))
_NOT_NEGATIVE = ("at least 0", lambda x: x >= 0)
_POSITIVE = ("greater than 0", lambda x: x > 0)
_RANGES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "step": _POSITIVE,
    "beta1": _IN_UNIT,
    "beta2": _IN_UNIT,
    "epsilon": _NOT_NEGATIVE,
    "max_trust_ratio": _POSITIVE,
    "decay_lambda": _NOT_NEGATIVE,
}
