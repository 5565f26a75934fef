"""Fewer tasks, for libraries/dask.py: what the sweep calls most, chunk by chunk."""

import math

from arraygrad._typing import Array

__all__ = ["Chunked", "broadcast_to", "matmul", "shape_of"]


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
    import numpy as np
    from dask.layers import ArrayChunkShapeDep

    if type(shape) is not Chunked or x.shape == shape:
        return da.broadcast_to(x, shape)
    # Blockwise, so that dask fuses it with what comes next; NumPy's own function, so that
    # workers need nothing of ours.
    axes = tuple(range(len(shape)))
    own = axes[len(shape) - x.ndim :]
    pairs = zip(x.chunks, (shape.chunks[axis] for axis in own), strict=True)
    x = x.rechunk(tuple(ours if ours == (1,) else theirs for ours, theirs in pairs))
    shapes = ArrayChunkShapeDep(shape.chunks)
    return da.blockwise(
        np.broadcast_to, axes, x, own, shapes, axes, dtype=x.dtype, align_arrays=False
    )


def matmul(x1: Array, x2: Array, /) -> Array:
    """Multiply; a vector without the new axis that dask gives it, which is a task per chunk."""
    import dask.array as da

    vector = {x1.ndim, x2.ndim} == {1, 2}
    return da.tensordot(x1, x2, axes=1) if vector else da.matmul(x1, x2)
