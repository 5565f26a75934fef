"""Functions of the traced namespace that make arrays, or ask about them, from mixed arguments."""

from collections.abc import Callable
from typing import Any

from arraygrad._namespace import is_array
from arraygrad._typing import Array
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.general import strip, top_tape
from arraygrad.autodiff.tape.record import CONSTANTS

__all__ = ["CREATION"]


def asarray(
    space: Any, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> Array:
    """Return an array, a number, or nested sequences of both, as a traced array."""
    if isinstance(obj, (list, tuple)) and top_tape(obj) is not CONSTANTS:
        obj = _stacked(space, obj)
    if isinstance(obj, TracedArray):
        there = device is None or device == obj.device
        same = dtype is None or dtype == obj.dtype
        if copy is False and not (there and same):  # raises if it takes one
            space.base.asarray(strip(obj), dtype=dtype, device=device, copy=False)
        if not there:
            obj = obj.to_device(device)
        if not same:
            if space.is_complex(obj.dtype) and not space.is_complex(dtype):
                obj = obj != 0 if dtype == space.bool else space.real(obj)
            return space.astype(obj, dtype)
        return obj.copy() if copy else obj
    if device is not None:
        return space.lift(space.base.asarray(strip(obj), dtype=dtype, device=device, copy=copy))
    return space.lift(space.raw.asarray(strip(obj), dtype=dtype, copy=copy))


def _stacked(space: Any, rows: Any) -> Array:
    parts = [_stacked(space, row) if isinstance(row, (list, tuple)) else row for row in rows]
    like = next(part for part in parts if is_array(part))
    own = space.library.numpy_functions  # NumPy's numbers in lists are of double precision
    same = {} if own else {"dtype": like.dtype, "device": like.device}
    return space.stack([p if is_array(p) else space.asarray(p, **same) for p in parts])


def astype(
    space: Any, x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None
) -> Array:  # fmt: skip
    """Return an array in another dtype; with `copy=False`, the array itself if it has it."""
    if not copy and isinstance(x, TracedArray) and x.dtype == dtype and device in (None, x.device):
        return x
    there = {} if device is None else {"device": device}
    return space.call("astype", x, dtype, copy=copy, **there)


def _about(name: str) -> Callable[..., Any]:
    """Return a function that asks about dtypes or shapes: arrays count as their values."""

    def function(space: Any, *arguments: Any, **keywords: Any) -> Any:
        return getattr(space.base, name)(*strip(arguments), **strip(keywords))

    return function


CREATION: dict[str, Callable[..., Any]] = {
    "asarray": asarray,
    "astype": astype,
    **{
        name: _about(name)
        for name in ("broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type")
    },
}
