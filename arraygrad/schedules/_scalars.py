"""What every schedule begins and ends with: numbers alone, or arrays of one real dtype."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, TypeAlias

from arraygrad._namespace import array_namespace, common_device, is_array, lift_constants
from arraygrad._numbers import NUMBERS, is_number
from arraygrad._typing import Array, Namespace
from arraygrad.errors import HyperparameterError

__all__ = [
    "Scalar",
    "at_least",
    "double_precision",
    "increasing",
    "one_of",
    "positive",
    "real",
    "scalars",
]

Scalar: TypeAlias = float | Array
"""A Python number or an array."""


def scalars(*values: Any) -> tuple[Any, ...]:
    """Return a namespace and the values, all as numbers, or all as arrays of one real dtype.

    The dtype is the widest of the floating arrays among them; if the arrays are all integers,
    double precision where there is one.
    """
    if all(map(is_number, values)):
        return NUMBERS, *map(float, values)
    found = lift_constants(dict(enumerate(values))).values()  # type: ignore[arg-type]
    arrays = [x for x in found if is_array(x)]
    xp = array_namespace(*arrays)
    floating = [x.dtype for x in arrays if xp.isdtype(x.dtype, "real floating")]
    device = common_device(*arrays)
    dtype = xp.result_type(*floating) if floating else double_precision(xp, device)
    return xp, *(_as_array(xp, x, dtype, device) for x in found)


def double_precision(xp: Namespace, device: Any) -> Any:
    """Return the dtype of double precision, or the default where a device has none."""
    info = xp.__array_namespace_info__()
    if not str(device).startswith("mps"):  # of which array-api-compat does not tell
        double = info.dtypes(device=device, kind="real floating").get("float64")
        if double is not None:
            return double
    return info.default_dtypes(device=device)["real floating"]


def _as_array(xp: Namespace, x: Any, dtype: Any, device: Any) -> Array:
    if is_array(x):
        x = x if x.dtype == dtype else xp.astype(x, dtype)
        return x if x.shape else x[...]
    return xp.asarray(x, dtype=dtype, device=device)


def at_least(least: float, **values: Any) -> None:
    """Refuse smaller numbers: see `_within`."""
    _within(f"at least {least}", lambda x: x >= least, values)


def positive(**values: Any) -> None:
    """Refuse numbers that are not greater than 0: see `_within`."""
    _within("greater than 0", lambda x: x > 0, values)


def _within(expected: str, contains: Callable[[Any], bool], values: Mapping[str, Any]) -> None:
    """Refuse numbers out of a range, and what is no number; arrays are not read.

    Raises
    ------
    HyperparameterError
        If a value is out of it, or neither a real number nor an array.
    """
    real(**values)
    for name, value in values.items():
        if _is_real(value) and not contains(value):
            message = f"`{name}` must be {expected}, got {value}"
            raise HyperparameterError(message)


def real(**values: Any) -> None:
    """Refuse what is neither a real number nor an array.

    Raises
    ------
    HyperparameterError
        If a value is neither.
    """
    for name, value in values.items():
        if not _is_real(value) and (isinstance(value, str) or not is_array(value)):
            message = f"`{name}` must be a real number or an array, got {value!r}"
            raise HyperparameterError(message)


def _is_real(value: Any) -> bool:
    """Say whether a value is a real number: of Python, or a NumPy scalar."""
    return isinstance(value, Real)


def increasing(name: str, steps: Iterable[int]) -> tuple[int, ...]:
    """Return numbers of steps that grow.

    Raises
    ------
    HyperparameterError
        If they do not, or are no numbers.
    """
    found = tuple(steps) if isinstance(steps, Iterable) else None
    if found is None or not all(map(_is_real, found)):
        message = f"`{name}` must be a sequence of numbers of steps, got {steps!r}"
        raise HyperparameterError(message)
    if any(later <= sooner for sooner, later in itertools.pairwise(found)):
        message = f"`{name}` must grow, got {found}"
        raise HyperparameterError(message)
    return found


def one_of(known: tuple[str, ...], **values: str) -> None:
    """Refuse unknown names.

    Raises
    ------
    HyperparameterError
        If a value is none of them.
    """
    for name, value in values.items():
        if value not in known:
            message = f"`{name}` must be one of {list(known)}, got {value!r}"
            raise HyperparameterError(message)
