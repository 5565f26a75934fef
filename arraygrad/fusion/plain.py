"""The plain expression: a kernel as it is written, on any library, traced or not.

Computed in the widest of the arrays' dtypes, in float32 at least; each result has the dtype of
the array it replaces.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from arraygrad._namespace import (
    array_namespace,
    cast,
    is_array,
    is_complex,
    is_floating,
    lift_constants,
    real_dtype,
)
from arraygrad._numbers import as_number
from arraygrad._typing import Array, DType, Namespace
from arraygrad.errors import DtypeError, HyperparameterError, ShapeError
from arraygrad.fusion.columns import Call, Column, Runner

__all__ = ["evaluate", "leaf", "prepared"]


def prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    return partial(evaluate, call)


def evaluate(call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> list[Column]:
    """Return a kernel's results for every leaf: see `arraygrad.fusion`."""
    kernel, slots, add, _ = call
    rows = [leaf(kernel, row, scalars, add=add) for row in zip(*columns, strict=True)]
    return list(zip(*rows, strict=True)) if rows else [()] * (1 + slots)


def leaf(
    kernel: Callable[..., Any], arrays: Sequence[Array], scalars: Mapping[str, Any], *, add: bool
) -> tuple[Array, ...]:
    """Return the results for one leaf: the update, or with `add` the new weights, and the slots."""
    arrays, scalars = _lifted(arrays, scalars)
    xp = array_namespace(*arrays)
    wide = _widest(xp, arrays)
    operands = [cast(xp, x, _like(xp, x, wide)) for x in arrays]
    numbers = _scalars(xp, scalars, real_dtype(xp, wide), tuple(arrays[0].shape))
    found = kernel(xp, *operands, **numbers)
    update, *slots = found if isinstance(found, tuple) else (found,)
    first = operands[0] + update if add else update
    kept = (arrays[0], *arrays[2 : 2 + len(slots)])
    return tuple(_fit(xp, x, old.dtype) for x, old in zip((first, *slots), kept, strict=True))


def _lifted(
    arrays: Sequence[Array], scalars: Mapping[str, Any]
) -> tuple[list[Array], dict[str, Any]]:
    """Return all arrays traced where one of them is, and NumPy's scalars as numbers."""
    scalars = {name: as_number(x) for name, x in scalars.items()}
    named: dict[Any, Any] = dict(enumerate(arrays))
    lifted = lift_constants({**named, **scalars})
    return [lifted[n] for n in named], {name: lifted[name] for name in scalars}


def _widest(xp: Namespace, arrays: Sequence[Array]) -> DType:
    return xp.result_type(xp.float32, *(x.dtype for x in arrays if is_floating(xp, x.dtype)))


def _like(xp: Namespace, x: Array, wide: DType) -> DType:
    """Return the dtype in which an array takes part: real ones stay real."""
    return wide if is_complex(xp, x.dtype) else real_dtype(xp, wide)


def _scalars(
    xp: Namespace, scalars: Mapping[str, Any], real: DType, shape: tuple[int, ...]
) -> dict[str, Any]:
    """Return hyperparameters which do not promote: arrays in the real dtype of the computation.

    Raises
    ------
    HyperparameterError
        If one is complex.
    ShapeError
        If one does not broadcast into the parameter's shape, which the new parameter has.
    """
    for name, x in scalars.items():
        if isinstance(x, complex) or (is_array(x) and is_complex(xp, x.dtype)):
            message = f"`{name}` must be real, got {x!r}"
            raise HyperparameterError(message)
    arrays = {name: x for name, x in scalars.items() if is_array(x)}
    for name, x in arrays.items():
        if x.shape and not _broadcasts(tuple(x.shape), shape):
            given = f"`{name}` has shape {tuple(x.shape)}"
            message = f"{given}, which does not broadcast into that of a parameter, {shape}"
            raise ShapeError(message)
    return {**scalars, **{name: cast(xp, x, real) for name, x in arrays.items()}}


def _broadcasts(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Say whether an array of a shape leaves another shape as it is."""
    pairs = zip(reversed(shape), reversed(into), strict=False)
    return len(shape) <= len(into) and all(a in (1, b) for a, b in pairs)


def _fit(xp: Namespace, x: Array, dtype: DType) -> Array:
    """Return a result in the dtype of what it replaces, as an array where NumPy makes scalars."""
    if is_complex(xp, x.dtype) and not is_complex(xp, dtype):
        message = f"what is real ({dtype}) cannot become complex: the gradient is {x.dtype}"
        raise DtypeError(message)
    fitted = cast(xp, x, dtype)
    return fitted if fitted.shape else fitted[...]
