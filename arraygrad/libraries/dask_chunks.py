"""Chunks for libraries/dask.py: what is broadcast lies in the chunks of what it meets."""

import math
from typing import Any

from arraygrad._typing import Array

__all__ = ["Chunked", "broadcast_to", "shape_of"]


class Chunked(tuple[int, ...]):
    """A shape that remembers its chunks."""

    chunks: tuple[tuple[int, ...], ...]


def shape_of(x: Array) -> tuple[int, ...]:
    """Return an array's shape, with its chunks where all their lengths are known."""
    if any(math.isnan(length) for length in x.shape):
        return x.shape  # type: ignore[no-any-return]
    shape = Chunked(x.shape)
    shape.chunks = x.chunks
    return shape


def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
    """Broadcast, chunk by chunk: in one chunk it would be cut up by the first that it meets."""
    import dask.array as da

    if type(shape) is not Chunked or x.shape == shape:
        return da.broadcast_to(x, shape)
    # Zeros take no memory, and dask fuses what works block by block with what comes next.
    zeros = da.zeros(shape, chunks=shape.chunks, dtype=x.dtype)
    return da.map_blocks(_spread, x, zeros, dtype=x.dtype, meta=x._meta)


def _spread(x: Any, like: Any) -> Any:
    import numpy as np

    return np.broadcast_to(x, like.shape)
