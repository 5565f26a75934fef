"""What functions of every subject do with their arguments."""

from collections.abc import Callable
from functools import reduce
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.methods import Methods
from arraygrad.autodiff.tape.numpy_compositions.integers import places_of
from arraygrad.errors import NoRuleError

__all__ = [
    "Function",
    "as_array",
    "as_arrays",
    "as_floating",
    "as_operand",
    "axes_of",
    "refuse",
    "standard",
]

Function = Callable[..., Any]


def as_array(xp: Namespace, x: Any) -> Array:
    """Return an argument as a traced array."""
    return x if isinstance(x, Methods) else xp.asarray(x)


def as_operand(xp: Namespace, x: Any) -> Any:
    """Return an argument as a traced array; a Python number stays what it is."""
    return x if type(x) in (complex, float, int) else as_array(xp, x)


def as_arrays(xp: Namespace, *given: Any) -> list[Array]:
    """Return arguments as traced arrays of their common dtype."""
    arrays = [as_array(xp, x) for x in given]
    dtype = xp.result_type(*arrays)
    return [xp.astype(x, dtype, copy=False) for x in arrays]


def as_floating(xp: Namespace, x: Any) -> Array:
    """Return an argument as a traced array of floating-point numbers."""
    x = as_array(xp, x)
    return x if xp.is_floating(x.dtype) else xp.astype(x, xp.float64)


def axes_of(x: Array, axis: Any) -> tuple[int, ...]:
    """Return axes, counted from the front; all of them for `None`."""
    if axis is None:
        return tuple(range(x.ndim))
    return places_of(axis, x.ndim)


def standard(name: str) -> Function:
    """Return a function whose arguments are arrays here, and in the standard too."""
    return lambda xp, *arrays, **keywords: reduce(getattr, name.split("."), xp)(
        *(as_array(xp, x) for x in arrays), **keywords
    )


def refuse(function: str, **options: Any) -> None:
    """Raise if one of the options is given: nobody has written its rule."""
    for option, value in options.items():
        if value is not None:
            message = f"numpy.{function} with {option}={value!r} has no derivative rule"
            raise NoRuleError(message)
