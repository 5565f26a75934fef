"""The standard's functions that dask.array lacks, or has in parts, chunk by chunk."""

from typing import Any

import dask.array as da
import numpy as np

from arraygrad._typing import Array, DType
from arraygrad.libraries.dask import linalg
from arraygrad.libraries.dask.chunks import reshape
from arraygrad.libraries.dask.indexing import getitem

__all__ = ["can_cast", "diff", "eye", "linalg", "repeat", "reshape", "take", "take_along_axis"]


def can_cast(from_: Any, to: DType, /) -> bool:
    """Say whether a dtype, or that of an array, can become another; NumPy computes arrays."""
    return np.can_cast(getattr(from_, "dtype", from_), to)


def diff(
    x: Array,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """Return differences of neighbours; dask computes what it shall prepend or append."""
    parts = [part for part in (prepend, x, append) if part is not None]
    return da.diff(da.concatenate(parts, axis=axis), n=n, axis=axis)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DType | None = None,
    device: Any = None,
) -> Array:
    """Return ones on a diagonal: dask's own loses chunks where it is not square."""
    columns = n_rows if n_cols is None else n_cols
    on = da.arange(n_rows)[:, None] + k == da.arange(columns)[None, :]
    return on.astype(np.float64 if dtype is None else dtype)


def repeat(x: Array, repeats: Any, /, *, axis: int | None = None) -> Array:
    """Repeat each element as often as a number says; dask knows no other lengths in time."""
    if axis is None:
        return da.repeat(x.ravel(), repeats, axis=0)
    return da.repeat(x, repeats, axis=axis)


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    """Take slices along an axis."""
    return getitem(x, (*(slice(None),) * (0 if axis is None else axis % x.ndim), indices))


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """Take elements along an axis, which is gathered in one chunk."""
    axes, axis = tuple(range(x.ndim)), axis % x.ndim
    _, (x, indices) = da.core.unify_chunks(
        x.rechunk({axis: -1}), tuple(-1 if n == axis else n for n in axes),
        indices.rechunk({axis: -1}), tuple(-2 if n == axis else n for n in axes),
    )  # fmt: skip
    return da.blockwise(
        np.take_along_axis, axes, x, tuple(x.ndim if n == axis else n for n in axes),
        indices, axes, dtype=x.dtype, concatenate=True, align_arrays=False, axis=axis,
    )  # fmt: skip
