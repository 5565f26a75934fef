"""Arrays joined, cut, and changed in length."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import Function, as_array, standard
from arraygrad.autodiff.tape.numpy_compositions.integers import integers, is_integer

__all__ = ["FUNCTIONS"]


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


def _at_least(ndim: int) -> Function:
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


def vstack(xp: Namespace, tup: Any, *, dtype: Any = None, casting: Any = None) -> Array:
    """Join arrays one below the other."""
    return concatenate(xp, [atleast_2d(xp, x) for x in tup], dtype=dtype)


def dstack(xp: Namespace, tup: Any) -> Array:
    """Join arrays one behind the other."""
    return xp.concat([atleast_3d(xp, x) for x in tup], axis=2)


def column_stack(xp: Namespace, tup: Any) -> Array:
    """Join arrays as columns of a matrix."""
    arrays = [as_array(xp, x) for x in tup]
    return xp.concat([x if x.ndim > 1 else xp.reshape(x, (-1, 1)) for x in arrays], axis=1)


def block(xp: Namespace, arrays: Any) -> Array:
    """Join nested lists of arrays: the innermost along the last axis."""
    depth = _depth(arrays)
    ndim = max(depth, *(_block_ndims(xp, arrays)))
    return _joined(xp, arrays, ndim, depth)


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _block_ndims(xp: Namespace, arrays: Any) -> Iterator[int]:
    if isinstance(arrays, list):
        for part in arrays:
            yield from _block_ndims(xp, part)
    else:
        yield as_array(xp, arrays).ndim


def _joined(xp: Namespace, arrays: Any, ndim: int, depth: int) -> Array:
    if not isinstance(arrays, list):
        x = as_array(xp, arrays)
        return xp.reshape(x, (1,) * (ndim - x.ndim) + x.shape)
    return xp.concat([_joined(xp, part, ndim, depth - 1) for part in arrays], axis=-depth)


def append(xp: Namespace, arr: Any, values: Any, axis: int | None = None) -> Array:
    """Join two arrays; without an axis, their elements."""
    return xp.concat([as_array(xp, arr), as_array(xp, values)], axis=axis)


def insert(xp: Namespace, arr: Any, obj: Any, values: Any, axis: int | None = None) -> Array:
    """Put values before indices of an axis; without one, of all elements."""
    x, values = as_array(xp, arr), as_array(xp, values)
    x, axis = (x.ravel(), 0) if axis is None else (x, axis % x.ndim)
    length = x.shape[axis]
    values = xp.reshape(values, (1,) * (x.ndim - values.ndim) + values.shape)
    obj = as_array(xp, list(range(*obj.indices(length))) if isinstance(obj, slice) else obj)
    obj = obj.nonzero()[0] if obj._quick.truth else obj
    values = values if obj.ndim else xp.moveaxis(values, 0, axis)
    count = values.shape[axis] if obj.size == 1 else obj.size
    values = xp.broadcast_to(values, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    joined = xp.concat([x, xp.astype(values, x.dtype)], axis=axis)
    # What the library does to the elements' numbers is what we do to them.
    new = xp.arange(length, length + count)
    return xp.take(joined, xp.constant("insert", xp.arange(length), obj, new), axis=axis)


def delete(xp: Namespace, arr: Any, obj: Any, axis: int | None = None) -> Array:
    """Leave out what stands at indices of an axis; without one, of all elements."""
    x = as_array(xp, arr)
    x, axis = (x.ravel(), 0) if axis is None else (x, axis % x.ndim)
    return xp.take(x, xp.constant("delete", xp.arange(x.shape[axis]), obj), axis=axis)


def resize(xp: Namespace, a: Any, new_shape: Any) -> Array:
    """Return the elements in another shape, again and again."""
    x, shape = as_array(xp, a).ravel(), integers(new_shape)
    return xp.reshape(xp.take(x, xp.arange(math.prod(shape)) % x.size), shape)


def array_split(xp: Namespace, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut an array into a number of parts, or at indices."""
    x = as_array(xp, ary)
    before = (slice(None),) * (axis % x.ndim)
    bounds = _bounds(x.shape[axis], indices_or_sections)
    return [x[(*before, slice(start, max(start, stop)), ...)] for start, stop in bounds]


def _bounds(length: int, given: Any) -> Iterator[tuple[int, int]]:
    """Return where the parts of an axis start and stop."""
    if is_integer(given):
        (given,) = integers(given)
        if given < 1:
            message = f"numpy.array_split: {given} parts"
            raise ValueError(message)
        short, longer = divmod(length, given)
        cuts = [n * short + min(n, longer) for n in range(given + 1)]
    else:
        inner = [int(cut) for cut in given]
        cuts = [0, *(min(c if c >= 0 else max(0, c + length), length) for c in inner), length]
    return pairwise(cuts)


def split(xp: Namespace, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut an array into equal parts, or at indices."""
    x = as_array(xp, ary)
    if is_integer(indices_or_sections) and x.shape[axis] % indices_or_sections:
        message = f"{indices_or_sections} equal parts of an axis of length {x.shape[axis]}"
        raise ValueError(message)
    return array_split(xp, x, indices_or_sections, axis)


def split_along(axis: int, least: int) -> Function:
    """Return the function that cuts along one axis of an array that has some at least."""

    def function(xp: Namespace, ary: Any, indices_or_sections: Any) -> list[Array]:
        x = as_array(xp, ary)
        if x.ndim < least:
            message = f"an array of {x.ndim} axes cannot be cut along axis {axis}"
            raise ValueError(message)
        return split(xp, x, indices_or_sections, min(axis, x.ndim - 1))

    return function


FUNCTIONS: dict[str, Function] = {
    "append": append,
    "array_split": array_split,
    "atleast_1d": atleast_1d,
    "atleast_2d": atleast_2d,
    "atleast_3d": atleast_3d,
    "block": block,
    "column_stack": column_stack,
    "concatenate": concatenate,
    "delete": delete,
    "dsplit": split_along(2, 3),
    "dstack": dstack,
    "hsplit": split_along(1, 1),
    "hstack": hstack,
    "insert": insert,
    "resize": resize,
    "split": split,
    "stack": stack,
    "unstack": standard("unstack"),
    "vsplit": split_along(0, 2),
    "vstack": vstack,
}
