"""Writes at keys for libraries/dask.py, chunk by chunk: no value is computed here.

dask assigns, in chunks, at basic keys only, and it adds nothing up. What else it can read has a way
of its own here: integers along one axis, and masks. All other keys are right, but each chunk of
the array then reads all that is written.
"""

import math
from functools import partial
from typing import Any

from arraygrad._namespace import array_namespace, is_array
from arraygrad._typing import Array, Namespace
from arraygrad.libraries import library_of
from arraygrad.libraries.dask.chunks import known
from arraygrad.libraries.indexing import broadcast_mask, is_basic, is_mask

__all__ = ["getitem", "places", "scatter_add", "set_at"]


def getitem(x: Array, key: Any) -> Array:
    """Return `x[key]`; at several arrays, of which dask reads one only, in one chunk."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays = [part for part in parts if is_array(part) and part.ndim]
    if len(arrays) < 2 and all(map(_is_read_by_dask, arrays)):
        x, key = places(x, arrays[0]) if len(parts) == len(arrays) == 1 else (x, key)
        return x[key]
    return _read(x, parts)


def _is_read_by_dask(array: Array) -> bool:
    # Of what it reads at one integer, dask has the shape wrong.
    return bool(array.dtype == bool or (array.ndim < 2 and array.shape != (1,)))


def places(x: Array, mask: Array) -> tuple[Array, Any]:
    """Return an array and the mask of it that means `x[mask]`: of all elements, or of rows."""
    if 1 < mask.ndim < x.ndim and mask.dtype == bool:
        return x.reshape((-1, *x.shape[mask.ndim :])), mask.ravel()
    return x, mask


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return `x` with `value` at `key`; the last one wins where `key` has duplicates."""
    if is_basic(key):
        return _assign(xp, x, key, value)
    mask = broadcast_mask(xp, x, key, value)
    if mask is not None:
        return xp.where(mask, xp.asarray(value, dtype=x.dtype), x)
    value = xp.asarray(value, dtype=x.dtype)
    found = _in_step(xp, x, key, value, "set_at")
    return _everywhere(x, key, value, "set_at") if found is None else found


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates in `key` add up."""
    if is_basic(key):
        return _assign(xp, x, key, x[key] + values)
    mask = broadcast_mask(xp, x, key, values)
    if mask is not None:
        return x + xp.where(mask, values, 0)
    found = _in_step(xp, x, key, values, "scatter_add")
    if found is not None:
        return found
    place = _one_axis(xp, x, key)
    if place is None or not known(values.shape):
        return _everywhere(x, key, values, "scatter_add")
    around, axis, indices = place
    part = x[around]
    shape = (*part.shape[:axis], *indices.shape, *part.shape[axis + 1 :])
    added = _added_along(part, axis, indices, xp.broadcast_to(values, shape))
    return _assign(xp, x, around, part + added)


# --- basic keys -----------------------------------------------------------------------------------


def _assign(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return `x` with `value` at a basic key, in dask's way: without new axes, nor nothing."""
    parts = key if isinstance(key, tuple) else (key,)
    places = tuple(part for part in parts if part is not None)
    if 0 in x[places].shape:
        return x
    if len(places) < len(parts):
        value = xp.reshape(xp.broadcast_to(xp.asarray(value), x[key].shape), x[places].shape)
    y = x.copy()
    y[places] = value
    return y


# --- masks ----------------------------------------------------------------------------------------


def _in_step(xp: Namespace, x: Array, key: Any, values: Array, name: str) -> Array | None:
    """Write at a mask what was read at one, chunk by chunk: how many, only computing tells."""
    import dask.array as da

    if not is_mask(xp, key) or known(values.shape) or not isinstance(key, da.Array):
        return None
    rows, mask = (x.ravel(), key.ravel()) if key.ndim == x.ndim else places(x, key)
    found = _chunk_by_chunk(rows, mask, values, name)
    return None if found is None else found.reshape(x.shape).rechunk(x.chunks)


def _chunk_by_chunk(x: Array, mask: Array, values: Array, name: str) -> Array | None:
    """Write rows at a mask of rows; `None` unless the values lie in the chunks of both."""
    import dask.array as da

    axes = tuple(range(x.ndim))
    _, (x, mask) = da.core.unify_chunks(x, axes, mask, axes[:1])
    if values.ndim != x.ndim or values.numblocks[0] != x.numblocks[0]:
        return None
    values = values.rechunk(dict(enumerate(x.chunks[1:], start=1)))
    write, rows = partial(_write, name), axes[:1]
    return da.blockwise(
        write, axes, x, axes, mask, rows, values, axes, dtype=x.dtype, align_arrays=False
    )


def _write(name: str, x: Any, key: Any, values: Any) -> Any:
    """Write in a chunk, as its own library does."""
    xp = array_namespace(x)
    return getattr(library_of(xp), name)(xp, x, key, values)


# --- integers along one axis ----------------------------------------------------------------------


def _one_axis(xp: Namespace, x: Array, key: Any) -> tuple[tuple[Any, ...], int, Array] | None:
    """Split a key whose one array has integers: the basic key, the axis in `x[key]`, the array."""
    import dask.array as da

    parts = list(key) if isinstance(key, tuple) else [key]
    arrays = [n for n, part in enumerate(parts) if is_array(part)]
    if len(arrays) != 1 or not is_basic(tuple(p for p in parts if not is_array(p))):
        return None
    at, indices = arrays[0], parts[arrays[0]]
    if indices.ndim != 1 or not xp.isdtype(indices.dtype, "integral"):
        return None
    if any(part is None for part in parts) or not known(indices.shape):
        return None
    parts[at] = slice(None)
    return tuple(parts), _axis_of(parts, at, x.ndim), da.asarray(indices)


def _axis_of(parts: list[Any], at: int, ndim: int) -> int:
    """Return which axis of the result of a basic key its part at a position makes."""
    before, after = parts[:at], parts[at + 1 :]
    if Ellipsis in after or Ellipsis not in before:
        return sum(not isinstance(part, int) for part in before)
    dropped = sum(isinstance(part, int) for part in parts)
    return ndim - dropped - 1 - sum(not isinstance(part, int) for part in after)


def _added_along(x: Array, axis: int, indices: Array, values: Array) -> Array:
    """Return zeros like `x`, the values added at the indices of an axis: sums of partial sums."""
    import dask.array as da
    from dask.layers import ArraySliceDep

    if 0 in values.shape or 0 in x.shape:
        return da.zeros_like(x, dtype=values.dtype)
    chunks = list(x.chunks)
    chunks[axis] = _gathered(values, axis, x.shape[axis])
    values, indices = values.rechunk(tuple(chunks)), indices.rechunk((chunks[axis],))
    axes, several = tuple(range(x.ndim)), x.ndim
    given = tuple(several if n == axis else n for n in axes)
    parts = da.blockwise(
        partial(_partial_sum, axis, x.shape[axis]),
        (several, *axes),
        *(values, given, indices, (several,), ArraySliceDep(x.chunks), axes),
        adjust_chunks={several: 1},
        dtype=values.dtype,
        align_arrays=False,
    )
    return parts.sum(axis=0, dtype=values.dtype)


def _gathered(values: Array, axis: int, length: int) -> tuple[int, ...]:
    """Return chunks of an axis such that a partial sum is not longer than what it sums.

    Unless they were larger than dask's limit for a chunk.
    """
    import dask
    from dask.utils import parse_bytes

    row = values.dtype.itemsize * math.prod(
        max(chunk) for n, chunk in enumerate(values.chunks) if n != axis
    )
    limit = min(length, parse_bytes(dask.config.get("array.chunk-size")) // max(row, 1))
    lengths = [0]
    for chunk in values.chunks[axis]:
        if lengths[-1] + chunk > limit and lengths[-1]:
            lengths.append(0)
        lengths[-1] += chunk
    return tuple(lengths)


def _partial_sum(axis: int, length: int, values: Any, indices: Any, where: Any) -> Any:
    """Sum what lies in one chunk, with an axis in front for the chunks of values."""
    xp, rows = array_namespace(values), where[axis]
    indices = xp.where(indices < 0, indices + length, indices)
    inside = (rows.start <= indices) & (indices < rows.stop)
    full = (slice(None),) * axis
    shape = (*values.shape[:axis], rows.stop - rows.start, *values.shape[axis + 1 :])
    zeros = xp.zeros(shape, dtype=values.dtype)
    key = (*full, indices[inside] - rows.start)
    return library_of(xp).scatter_add(xp, zeros, key, values[(*full, inside)])[None]


# --- any other key --------------------------------------------------------------------------------


def _everywhere(x: Array, key: Any, values: Array, name: str) -> Array:
    """Write at any key: each chunk takes what falls into it."""
    import dask.array as da
    from dask.layers import ArraySliceDep

    parts = key if isinstance(key, tuple) else (key,)
    axes = tuple(range(x.ndim))
    operands: list[Any] = [x, axes, ArraySliceDep(x.chunks), axes]
    fresh = x.ndim
    for array in (values, *(part for part in parts if isinstance(part, da.Array))):
        operands += [array, tuple(range(fresh, fresh + array.ndim))]
        fresh += array.ndim
    template = tuple(None if isinstance(part, da.Array) else (part,) for part in parts)
    write = partial(_write_inside, name, x.shape, template)
    return da.blockwise(write, axes, *operands, dtype=x.dtype, concatenate=True, align_arrays=False)


def _read(x: Array, parts: tuple[Any, ...]) -> Array:
    """Read at a key with any arrays, all of one array at once."""
    import dask.array as da
    import numpy as np

    arrays = [part for part in parts if isinstance(part, da.Array)]
    stand_ins = iter([np.zeros(array.shape, dtype=np.int64) for array in arrays])
    template = tuple(None if isinstance(part, da.Array) else (part,) for part in parts)
    key = tuple(next(stand_ins) if part is None else part[0] for part in template)
    shape = np.broadcast_to(np.zeros((), bool), x.shape)[key].shape
    axes = tuple(range(len(shape)))
    operands, fresh = [], len(shape)
    for array in (x, *arrays):
        operands += [array, tuple(range(fresh, fresh + array.ndim))]
        fresh += array.ndim
    return da.blockwise(
        partial(_read_at, template), axes, *operands, dtype=x.dtype, concatenate=True,
        align_arrays=False, new_axes=dict(zip(axes, shape, strict=True)),
    )  # fmt: skip


def _read_at(template: Any, x: Any, *arrays: Any) -> Any:
    rest = iter(arrays)
    return x[tuple(next(rest) if part is None else part[0] for part in template)]


def _write_inside(
    name: str, shape: tuple[int, ...], template: Any, x: Any, where: Any, values: Any, *arrays: Any
) -> Any:
    """Write into one chunk; of the key, `template` has the parts that are no arrays of dask."""
    xp, rest = array_namespace(x), iter(arrays)
    key = tuple(next(rest) if part is None else part[0] for part in template)
    axes = [
        xp.broadcast_to(xp.reshape(xp.arange(n), (n,) + (1,) * (len(shape) - axis - 1)), shape)[key]
        for axis, n in enumerate(shape)
    ]
    inside = xp.ones(axes[0].shape, dtype=bool) if axes else xp.ones((), dtype=bool)
    for position, rows in zip(axes, where, strict=True):
        inside = inside & (rows.start <= position) & (position < rows.stop)
    local = tuple(position[inside] - rows.start for position, rows in zip(axes, where, strict=True))
    return _write(name, x, local, xp.broadcast_to(values, inside.shape)[inside])
