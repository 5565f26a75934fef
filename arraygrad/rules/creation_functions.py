"""Derivatives of the standard's creation functions: most make constants."""

import math
from typing import Any

from arraygrad._namespace import is_floating
from arraygrad._typing import Array, Namespace
from arraygrad.rules.data_type_functions import on_device_of
from arraygrad.rules.primitives import constant, unbroadcast

__all__ = ["COMPOSITIONS", "CONSTANT", "LINEAR"]

_NUMBERS = (bool, int, float, complex)


def arange(xp: Namespace, start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None,
           device: Any = None) -> Array:  # fmt: skip
    """Count from the start in steps, if they are arrays; how far has no derivative."""
    values = constant(xp, "arange", start, stop, step, dtype=dtype, device=device)
    live = [x for x in (start, step) if not isinstance(x, _NUMBERS)]
    if not live or not is_floating(xp, values.dtype):
        return values
    count = xp.arange(values.shape[0], dtype=values.dtype, device=device)
    return count * step + (start if stop is not None else 0)


def full(
    xp: Namespace, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None
) -> Array:
    """Broadcast the fill value, if it is an array."""
    if isinstance(fill_value, _NUMBERS):
        return constant(xp, "full", shape, fill_value, dtype=dtype, device=device)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return xp.broadcast_to(xp.asarray(fill_value, dtype=dtype, device=device), shape)


def full_like(
    xp: Namespace, x: Array, fill_value: Any, *, dtype: Any = None, device: Any = None
) -> Array:
    """Broadcast the fill value, if it is an array."""
    if isinstance(fill_value, _NUMBERS):
        return constant(xp, "full_like", x, fill_value, dtype=dtype, device=device)
    dtype = x.dtype if dtype is None else dtype
    return full(xp, x.shape, fill_value, dtype=dtype, device=device)


def linspace(xp: Namespace, start: Any, stop: Any, num: int, *, dtype: Any = None,
             device: Any = None, endpoint: bool = True) -> Array:  # fmt: skip
    """Weigh the two ends, if they are arrays."""
    if isinstance(start, _NUMBERS) and isinstance(stop, _NUMBERS):
        return constant(
            xp, "linspace", start, stop, num, dtype=dtype, device=device, endpoint=endpoint
        )
    ends = start + stop  # for the dtype, shape and device of both
    device = ends.device if device is None else device
    of = ends.dtype if is_floating(xp, ends.dtype) else None
    weight = constant(xp, "linspace", 0, 1, num, dtype=of, device=device, endpoint=endpoint)
    weight = xp.reshape(weight, (num,) + (1,) * ends.ndim)
    line = start * (1 - weight) + stop * weight
    return line if dtype is None else xp.astype(line, dtype, copy=False)


def meshgrid(xp: Namespace, *arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """Broadcast each array along its own axis."""
    axes = list(range(len(arrays)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    lengths = [math.prod(x.shape) for x in arrays]
    shape = tuple(lengths[axis] for axis in axes)
    rows = [tuple(n if i == axis else 1 for i in axes) for axis, n in enumerate(lengths)]
    return tuple(
        xp.broadcast_to(xp.reshape(x, row), shape) for x, row in zip(arrays, rows, strict=True)
    )


def _asarray(xp: Namespace, g: Array, y: Any, x: Any, *, dtype: Any = None, device: Any = None,
             copy: bool | None = None) -> Array:  # fmt: skip
    """Bring the cotangent back to the operand's device."""
    return on_device_of(xp, x, g, device)


# fmt: off
LINEAR = {
    "asarray": (_asarray,),
    "tril":    (lambda xp, g, y, x, *, k=0: unbroadcast(xp, xp.tril(g, k=k), x.shape),),
    "triu":    (lambda xp, g, y, x, *, k=0: unbroadcast(xp, xp.triu(g, k=k), x.shape),),
}
COMPOSITIONS = {
    "arange":    arange,
    "full":      full,
    "full_like": full_like,
    "linspace":  linspace,
    "meshgrid":  meshgrid,
}
# fmt: on
CONSTANT = frozenset(
    {
        "empty",
        "empty_like",
        "eye",
        "from_dlpack",
        "ones",
        "ones_like",
        "zeros",
        "zeros_like",
    }
)  # fmt: skip
