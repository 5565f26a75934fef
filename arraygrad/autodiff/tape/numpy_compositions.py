"""Functions of NumPy that are several of the standard's, or differ in their arguments.

Each takes the traced namespace first, then NumPy's own arguments, under NumPy's names.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.methods import Methods
from arraygrad.errors import NoRuleError

__all__ = [
    "angle",
    "append",
    "array_split",
    "as_array",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "average",
    "clip",
    "column_stack",
    "concatenate",
    "cross",
    "diag",
    "diff",
    "expand_dims",
    "hstack",
    "inner",
    "kron",
    "linspace",
    "nan_to_num",
    "nanmean",
    "nansum",
    "outer",
    "ptp",
    "reshape",
    "rot90",
    "select",
    "sort",
    "split",
    "split_along",
    "stack",
    "standard",
    "take_along_axis",
    "tensordot",
    "transpose",
    "trapezoid",
    "where",
]


def as_array(xp: Namespace, x: Any) -> Array:
    """Return an argument as a traced array."""
    return x if isinstance(x, Methods) else xp.asarray(x)


def standard(name: str) -> Callable[..., Any]:
    """Return a function whose arguments are arrays here, and in the standard too."""
    return lambda xp, *arrays, **keywords: getattr(xp, name)(
        *(as_array(xp, x) for x in arrays), **keywords
    )


# --- joining and splitting ------------------------------------------------------------------------


def concatenate(
    xp: Namespace, arrays: Any, axis: int | None = 0, *, dtype: Any = None, casting: Any = None
) -> Array:
    """Join arrays along an axis; a `dtype` is cast to afterwards."""
    joined = xp.concat([as_array(xp, x) for x in arrays], axis=axis)
    return joined if dtype is None else xp.astype(joined, dtype)


def stack(xp: Namespace, arrays: Any, axis: int = 0, *, dtype: Any = None) -> Array:
    """Join arrays along a new axis."""
    stacked = xp.stack([as_array(xp, x) for x in arrays], axis=axis)
    return stacked if dtype is None else xp.astype(stacked, dtype)


def _at_least(ndim: int) -> Callable[..., Any]:
    """Return the function that adds axes of length 1, where NumPy adds them."""

    def one(xp: Namespace, x: Any) -> Array:
        x = as_array(xp, x)
        new = {0: (1,) * ndim, 1: (1, *x.shape, 1)[: x.ndim + ndim - 1]} if x.ndim < 2 else {}
        shape = new.get(x.ndim, (*x.shape, 1))
        return x if x.ndim >= ndim else xp.reshape(x, shape)

    def function(xp: Namespace, *arrays: Any) -> Any:
        found = tuple(one(xp, x) for x in arrays)
        return found[0] if len(found) == 1 else found

    return function


atleast_1d, atleast_2d, atleast_3d = map(_at_least, (1, 2, 3))


def hstack(xp: Namespace, tup: Any) -> Array:
    """Join arrays side by side."""
    arrays = [atleast_1d(xp, x) for x in tup]
    return xp.concat(arrays, axis=0 if arrays[0].ndim == 1 else 1)


def column_stack(xp: Namespace, tup: Any) -> Array:
    """Join arrays as columns of a matrix."""
    arrays = [as_array(xp, x) for x in tup]
    return xp.concat([x if x.ndim > 1 else xp.reshape(x, (-1, 1)) for x in arrays], axis=1)


def append(xp: Namespace, arr: Any, values: Any, axis: int | None = None) -> Array:
    """Join two arrays; without an axis, their elements."""
    return xp.concat([as_array(xp, arr), as_array(xp, values)], axis=axis)


def array_split(xp: Namespace, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut an array into a number of parts, or at indices."""
    x = as_array(xp, ary)
    before = (slice(None),) * (axis % x.ndim)
    bounds = _bounds(x.shape[axis], indices_or_sections)
    return [x[(*before, slice(start, max(start, stop)), ...)] for start, stop in bounds]


def _bounds(length: int, given: Any) -> Iterator[tuple[int, int]]:
    """Return where the parts of an axis start and stop."""
    if isinstance(given, int):
        short, longer = divmod(length, given)
        cuts = [n * short + min(n, longer) for n in range(given + 1)]
    else:
        inner = [int(cut) for cut in given]
        cuts = [0, *(min(c if c >= 0 else max(0, c + length), length) for c in inner), length]
    return pairwise(cuts)


def split(xp: Namespace, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut an array into equal parts, or at indices."""
    x = as_array(xp, ary)
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        message = f"{indices_or_sections} equal parts of an axis of length {x.shape[axis]}"
        raise ValueError(message)
    return array_split(xp, x, indices_or_sections, axis)


def split_along(axis: int) -> Callable[..., list[Array]]:
    """Return the function that cuts along one axis."""

    def function(xp: Namespace, ary: Any, indices_or_sections: Any) -> list[Array]:
        x = as_array(xp, ary)
        return split(xp, x, indices_or_sections, min(axis, x.ndim - 1) if axis == 1 else axis)

    return function


# --- shapes ---------------------------------------------------------------------------------------


def reshape(
    xp: Namespace, a: Any, shape: Any, order: str = "C", *, copy: bool | None = None
) -> Array:
    """Return the elements in another shape."""
    return as_array(xp, a).reshape(shape, order=order, copy=copy)


def transpose(xp: Namespace, a: Any, axes: Any = None) -> Array:
    """Return the array with its axes in another order."""
    return as_array(xp, a).transpose(*(() if axes is None else (tuple(axes),)))


def expand_dims(xp: Namespace, a: Any, axis: Any) -> Array:
    """Add axes of length 1."""
    x = as_array(xp, a)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for place in sorted(place % (x.ndim + len(axes)) for place in axes):
        x = xp.expand_dims(x, axis=place)
    return x


def rot90(xp: Namespace, m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Rotate by quarter turns."""
    x = as_array(xp, m)
    for _ in range(k % 4):
        x = xp.flip(x.swapaxes(*axes), axis=axes[0])
    return x


def diag(xp: Namespace, v: Any, k: int = 0) -> Array:
    """Return a diagonal of a matrix, or the matrix of a diagonal."""
    x = as_array(xp, v)
    if x.ndim == 2:
        return x.diagonal(k)
    beside = xp.zeros(abs(k), dtype=x.dtype, device=x.device)
    row = xp.concat([beside, x] if k > 0 else [x, beside])
    chosen = xp.eye(row.shape[0], k=k, dtype=xp.bool, device=x.device)
    return xp.where(chosen, row[None, :], xp.zeros_like(row)[None, :])


# --- sums and statistics --------------------------------------------------------------------------


def ptp(xp: Namespace, a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Array:
    """Return the maximum less the minimum."""
    x = as_array(xp, a)
    return x.max(axis, None, keepdims) - x.min(axis, None, keepdims)


def average(xp: Namespace, a: Any, axis: Any = None, weights: Any = None,
             returned: bool = False, *, keepdims: bool = False) -> Any:  # fmt: skip
    """Return a weighted mean, and the sum of the weights if asked."""
    x = as_array(xp, a)
    w = xp.ones_like(x) if weights is None else as_array(xp, weights)
    if w.shape != x.shape:
        if w.ndim != 1 or not isinstance(axis, int):
            message = "numpy.average: weights of another shape must be 1-d, along one axis"
            raise ValueError(message)
        w = xp.reshape(w, (-1,) + (1,) * (x.ndim - 1 - axis % x.ndim))
        w = xp.broadcast_to(w, x.shape)
    total = xp.sum(w, axis=axis, keepdims=keepdims)
    mean = xp.sum(x * w, axis=axis, keepdims=keepdims) / total
    return (mean, xp.broadcast_to(total, mean.shape)) if returned else mean


def nansum(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: None = None,
            keepdims: bool = False) -> Array:  # fmt: skip
    """Return the sum of what is a number."""
    x = as_array(xp, a)
    return xp.where(xp.isnan(x), xp.zeros_like(x), x).sum(axis, dtype, None, keepdims)


def nanmean(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: None = None,
             keepdims: bool = False) -> Array:  # fmt: skip
    """Return the mean of what is a number."""
    x = as_array(xp, a)
    count = xp.astype(~xp.isnan(x), x.dtype).sum(axis, dtype, None, keepdims)
    return nansum(xp, x, axis, dtype, None, keepdims) / count


def trapezoid(xp: Namespace, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """Integrate by the trapezoidal rule."""
    y = xp.moveaxis(as_array(xp, y), axis, -1)
    if x is not None:
        x = as_array(xp, x)
        dx = xp.diff(x if x.ndim == 1 else xp.moveaxis(x, axis, -1))
    return (dx * (y[..., 1:] + y[..., :-1]) / 2.0).sum(axis=-1)


# --- products -------------------------------------------------------------------------------------


def inner(xp: Namespace, a: Any, b: Any, /) -> Array:
    """Sum products over the last axes."""
    a, b = as_array(xp, a), as_array(xp, b)
    if not a.ndim or not b.ndim:
        return xp.multiply(a, b)
    return xp.tensordot(a, b, axes=([a.ndim - 1], [b.ndim - 1]))


def outer(xp: Namespace, a: Any, b: Any) -> Array:
    """Return all products of two arrays' elements."""
    return xp.multiply(as_array(xp, a).reshape(-1, 1), as_array(xp, b).reshape(1, -1))


def kron(xp: Namespace, a: Any, b: Any) -> Array:
    """Return the Kronecker product."""
    a, b = as_array(xp, a), as_array(xp, b)
    ndim = max(a.ndim, b.ndim)
    left, right = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    a = xp.reshape(a, tuple(n for length in left for n in (length, 1)))
    b = xp.reshape(b, tuple(n for length in right for n in (1, length)))
    return xp.reshape(a * b, tuple(m * n for m, n in zip(left, right, strict=True)))


def cross(xp: Namespace, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
           axis: int | None = None) -> Array:  # fmt: skip
    """Return the cross products of vectors in space."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = xp.moveaxis(as_array(xp, a), axisa, -1), xp.moveaxis(as_array(xp, b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        message = "numpy.cross has a derivative rule for vectors of length 3 only"
        raise NoRuleError(message)
    left = xp.roll(a, -1, axis=-1) * xp.roll(b, 1, axis=-1)
    right = xp.roll(a, 1, axis=-1) * xp.roll(b, -1, axis=-1)
    return xp.moveaxis(left - right, -1, axisc)


def tensordot(xp: Namespace, a: Any, b: Any, axes: Any = 2) -> Array:
    """Sum products over axes; these may be negative."""
    a, b = as_array(xp, a), as_array(xp, b)
    if not isinstance(axes, int):
        each = ([n] if isinstance(n, int) else list(n) for n in axes)
        axes = tuple([n % x.ndim for n in part] for x, part in zip((a, b), each, strict=True))
    return xp.tensordot(a, b, axes=axes)


# --- choosing, sorting ----------------------------------------------------------------------------


def where(xp: Namespace, condition: Any, *branches: Any) -> Any:
    """Choose between arrays, or return where a condition holds."""
    condition = as_array(xp, condition)
    if not branches:
        return condition.nonzero()
    condition = condition if condition._quick.truth else condition != 0
    return xp.where(
        condition, *(b if type(b) in (int, float) else as_array(xp, b) for b in branches)
    )


def select(xp: Namespace, condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    """Choose the first array whose condition holds."""
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        chosen = where(xp, condition, choice, chosen)
    return chosen


def clip(xp: Namespace, a: Any, a_min: Any = None, a_max: Any = None, out: None = None, *,
          min: Any = None, max: Any = None) -> Array:  # fmt: skip
    """Limit the elements to an interval."""
    return as_array(xp, a).clip(min if a_min is None else a_min, max if a_max is None else a_max)


def sort(xp: Namespace, a: Any, axis: int | None = -1, kind: Any = None, *,
          stable: bool | None = None) -> Array:  # fmt: skip
    """Return the elements in order."""
    x = as_array(xp, a)
    return xp.sort(x.ravel()) if axis is None else xp.sort(x, axis=axis)


def nan_to_num(xp: Namespace, x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None,
                neginf: Any = None) -> Array:  # fmt: skip
    """Replace what is not finite by numbers."""
    x = as_array(xp, x)
    largest = xp.finfo(x.dtype).max
    bounds = ((math.inf, largest if posinf is None else posinf),
              (-math.inf, -largest if neginf is None else neginf))  # fmt: skip
    clean = xp.where(xp.isnan(x), nan, x)
    for infinite, bound in bounds:
        clean = xp.where(x == infinite, bound, clean)
    return clean


def take_along_axis(xp: Namespace, arr: Any, indices: Any, axis: int | None = -1) -> Array:
    """Take one element for each index."""
    x = as_array(xp, arr)
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    return xp.take_along_axis(x, as_array(xp, indices), axis=axis)


def diff(xp: Namespace, a: Any, n: int = 1, axis: int = -1, **edges: Any) -> Array:
    """Subtract neighbours."""
    return xp.diff(as_array(xp, a), n=n, axis=axis, **edges)


def linspace(xp: Namespace, start: Any, stop: Any, num: int = 50, endpoint: bool = True, *,
              dtype: Any = None, device: Any = None) -> Array:  # fmt: skip
    """Return evenly spaced numbers."""
    return xp.linspace(start, stop, num, endpoint=endpoint, dtype=dtype, device=device)


def angle(xp: Namespace, z: Any, deg: bool = False) -> Array:
    """Return the argument of complex numbers."""
    z = as_array(xp, z)
    angle = xp.atan2(z.imag, z.real)
    return angle * (180 / math.pi) if deg else angle
