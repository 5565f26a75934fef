"""Elements chosen, replaced and sorted; functions applied along axes."""

import functools
import math
import operator
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.methods import Methods, refuse_out, write_out
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    as_arrays,
    as_operand,
    standard,
)
from arraygrad.autodiff.tape.numpy_compositions.integers import integers
from arraygrad.autodiff.tape.numpy_compositions.writing import refuse_raw

__all__ = ["FUNCTIONS"]


def where(xp: Namespace, condition: Any, *branches: Any) -> Any:
    """Choose between arrays, or return where a condition holds."""
    condition = as_array(xp, condition)
    if not branches:
        return condition.nonzero()
    condition = condition if condition._quick.truth else condition != 0
    parts = [b if type(b) in (int, float) else as_array(xp, b) for b in branches]
    if not any(isinstance(b, Methods) for b in parts):
        parts = as_arrays(xp, *parts)
    return xp.where(condition, *parts)


def select(xp: Namespace, condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    """Choose the first array whose condition holds."""
    parts = [as_operand(xp, x) for x in (*choicelist, default)]
    dtype = xp.result_type(*parts)
    *choices, chosen = (xp.asarray(x, dtype=dtype) for x in parts)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        chosen = where(xp, condition, choice, chosen)
    return chosen


def choose(xp: Namespace, a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Array:
    """Choose between arrays, by number."""
    refuse_out(out, "numpy.choose")
    numbers = xp.constant("choose", a, list(range(len(choices))), mode=mode)
    return select(xp, [numbers == n for n in range(len(choices))], choices)


def piecewise(xp: Namespace, x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Array:
    """Apply a function, or set a number, where each condition holds; the last one wins."""
    x = as_array(xp, x)
    single = x.ndim and as_array(xp, condlist[0]).ndim == 0
    masks = [as_array(xp, c) != 0 for c in ([condlist] if single else condlist)]
    if len(funclist) == len(masks) + 1:
        masks.append(~functools.reduce(operator.or_, masks))
    y = xp.zeros_like(x)
    for mask, function in zip(masks, funclist, strict=True):
        y[mask] = function(x[mask], *args, **kw) if callable(function) else function
    return y


def apply_along_axis(xp: Namespace, func1d: Any, axis: int, arr: Any, *args: Any,
                     **kwargs: Any) -> Array:  # fmt: skip
    """Apply a function to each row along an axis."""
    x = as_array(xp, arr)
    axis %= x.ndim
    moved = xp.moveaxis(x, axis, -1)
    rows = xp.reshape(moved, (-1, x.shape[axis]))
    found = xp.stack([as_array(xp, func1d(row, *args, **kwargs)) for row in xp.unstack(rows)])
    found = xp.reshape(found, (*moved.shape[:-1], *found.shape[1:]))
    new = found.ndim - x.ndim + 1
    return xp.moveaxis(found, tuple(range(-new, 0)), tuple(range(axis, axis + new)))


def apply_over_axes(xp: Namespace, func: Any, a: Any, axes: Any) -> Array:
    """Apply a function over axes, one after the other; they stay, of length 1."""
    x = as_array(xp, a)
    for axis in integers(axes):
        y = as_array(xp, func(x, axis))
        x = y if y.ndim == x.ndim else xp.expand_dims(y, axis=axis)
    return x


def clip(xp: Namespace, a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *,
          min: Any = None, max: Any = None) -> Array:  # fmt: skip
    """Limit the elements to an interval."""
    low, high = min if a_min is None else a_min, max if a_max is None else a_max
    return as_array(xp, a).clip(low, high, out)


def sort(xp: Namespace, a: Any, axis: int | None = -1, kind: Any = None, *,
          stable: bool | None = None) -> Array:  # fmt: skip
    """Return the elements in order."""
    x = as_array(xp, a)
    return xp.sort(x.ravel()) if axis is None else xp.sort(x, axis=axis)


def partition(xp: Namespace, a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect",
              order: None = None) -> Array:  # fmt: skip
    """Return the elements so that those at `kth` are where sorting puts them."""
    x = as_array(xp, a)
    places = xp.constant("argpartition", x, kth, axis=axis, kind=kind)
    return take_along_axis(xp, x, places, axis)


def nan_to_num(xp: Namespace, x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None,
                neginf: Any = None) -> Array:  # fmt: skip
    """Replace what is not finite by numbers; without a copy, in the array itself."""
    if not copy:
        refuse_raw(x, "nan_to_num")
    given = as_array(xp, x)
    instead = [v if v is None else as_operand(xp, v) for v in (nan, posinf, neginf)]
    if xp.is_complex(given.dtype):
        clean = _cleaned(xp, given.real, *instead) + 1j * _cleaned(xp, given.imag, *instead)
    else:
        clean = _cleaned(xp, given, *instead) if xp.is_floating(given.dtype) else given
    return clean if copy else write_out(given, clean, True, "nan_to_num")


def _cleaned(xp: Namespace, x: Array, nan: Any, posinf: Any, neginf: Any) -> Array:
    """Replace what is not finite among real numbers."""
    largest = xp.finfo(x.dtype).max
    bounds = ((math.inf, largest if posinf is None else posinf),
              (-math.inf, -largest if neginf is None else neginf))  # fmt: skip
    clean = xp.where(xp.isnan(x), nan, x)
    for infinite, bound in bounds:
        clean = xp.where(x == infinite, bound, clean)
    return xp.astype(clean, x.dtype, copy=False)


def take_along_axis(xp: Namespace, arr: Any, indices: Any, axis: int | None = -1) -> Array:
    """Take one element for each index."""
    x = as_array(xp, arr)
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    return xp.take_along_axis(x, as_array(xp, indices), axis=axis)


def compress(xp: Namespace, condition: Any, a: Any, axis: int | None = None) -> Array:
    """Return the slices for which a condition holds."""
    x, (places,) = as_array(xp, a), (as_array(xp, condition) != 0).nonzero()
    return x.take(places, axis)


FUNCTIONS: dict[str, Function] = {
    "apply_along_axis": apply_along_axis,
    "apply_over_axes": apply_over_axes,
    "choose": choose,
    "clip": clip,
    "compress": compress,
    "extract": lambda xp, condition, arr: compress(xp, as_array(xp, condition).ravel(), arr),
    "nan_to_num": nan_to_num,
    "partition": partition,
    "piecewise": piecewise,
    "select": select,
    "sort": sort,
    "take_along_axis": take_along_axis,
    "unique": lambda xp, ar: xp.sort(xp.unique_values(ar)),
    "unique_all": standard("unique_all"),
    "unique_counts": standard("unique_counts"),
    "unique_inverse": standard("unique_inverse"),
    "unique_values": standard("unique_values"),
    "where": where,
}
