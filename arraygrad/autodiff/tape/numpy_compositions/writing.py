"""Functions that write into an array: a traced one is assigned to, any other would lose it all."""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.general import strip
from arraygrad.autodiff.tape.methods import Methods
from arraygrad.autodiff.tape.numpy_compositions.arguments import Function, as_array
from arraygrad.errors import GraphBreakError

__all__ = ["FUNCTIONS", "refuse_raw"]


def copyto(xp: Namespace, dst: Any, src: Any, casting: str = "same_kind",
           where: Any = True) -> None:  # fmt: skip
    """Assign one array to another, or where a mask holds."""
    refuse_raw(dst, "copyto")
    source = xp.broadcast_to(as_array(xp, src), dst.shape)
    dst[...] = source if where is True else xp.where(as_array(xp, where) != 0, source, dst)


def fill_diagonal(xp: Namespace, a: Any, val: Any, wrap: bool = False) -> None:
    """Assign to the main diagonal; with `wrap`, to another one below that of a tall matrix."""
    refuse_raw(a, "fill_diagonal")
    step = 1 + sum(math.prod(a.shape[n:]) for n in range(1, a.ndim))
    stop = a.size if wrap or a.ndim > 2 else min(a.size, a.shape[1] ** 2)
    _assign(xp, a, list(range(0, stop, step)), val)


def place(xp: Namespace, arr: Any, mask: Any, vals: Any) -> None:
    """Assign values in turn where a mask holds."""
    refuse_raw(arr, "place")
    (places,) = (as_array(xp, mask) != 0).ravel().nonzero()
    _assign(xp, arr, strip(places), vals)


def put(xp: Namespace, a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Assign values in turn at places of the flat array."""
    refuse_raw(a, "put")
    places = xp.constant("arange", a.size)
    chosen = xp.constant("take", strip(places), strip(ind), mode=mode)
    _assign(xp, a, strip(chosen.ravel()), v)


def putmask(xp: Namespace, a: Any, mask: Any, values: Any) -> None:
    """Assign where a mask holds, of values that are repeated over the whole array."""
    refuse_raw(a, "putmask")
    over_all = xp.reshape(_in_turn(xp, values, a.size), a.shape)
    a[...] = xp.where(as_array(xp, mask) != 0, over_all, a)


def put_along_axis(xp: Namespace, arr: Any, indices: Any, values: Any,
                   axis: int | None) -> None:  # fmt: skip
    """Assign where `take_along_axis` reads."""
    refuse_raw(arr, "put_along_axis")
    flat = arr.ravel() if axis is None else arr
    axis = 0 if axis is None else axis % flat.ndim
    where: list[Any] = []
    for n, length in enumerate(flat.shape):
        others = (1,) * n + (-1,) + (1,) * (flat.ndim - n - 1)
        where.append(indices if n == axis else xp.reshape(xp.arange(length), others))
    flat[tuple(map(strip, where))] = values
    if flat is not arr:
        arr[...] = xp.reshape(flat, arr.shape)


def refuse_raw(a: Any, name: str) -> None:
    """Raise if what is written into has no place for a gradient."""
    if not isinstance(a, Methods):
        message = (
            f"numpy.{name} writes into an array that is not traced, where gradients are lost: "
            "write `x[key] = value` to a traced `x` instead, such as `xp.zeros_like(x)`"
        )
        raise GraphBreakError(message)


def _assign(xp: Namespace, a: Any, places: Any, values: Any) -> None:
    """Assign values in turn at places of the flat array."""
    flat = a.ravel()
    flat[places] = _in_turn(xp, values, len(places))
    a[...] = xp.reshape(flat, a.shape)


def _in_turn(xp: Namespace, values: Any, count: int) -> Array:
    """Return so many values, from the beginning again after the last."""
    values = as_array(xp, values).ravel()
    return values if values.size == count else values[[n % values.size for n in range(count)]]


FUNCTIONS: dict[str, Function] = {
    "copyto": copyto,
    "fill_diagonal": fill_diagonal,
    "place": place,
    "put": put,
    "put_along_axis": put_along_axis,
    "putmask": putmask,
}
