"""Chunks for libraries/dask.py: what is made for an array lies in the chunks of that array."""

import math
from typing import Any

from arraygrad._typing import Array
from arraygrad.errors import NonFiniteError, ShapeError

__all__ = [
    "Chunked",
    "broadcast_to",
    "finite_when_computed",
    "known",
    "matmul",
    "reshape",
    "shape_of",
    "zeros",
]


class Chunked(tuple[int, ...]):
    """A shape that remembers its chunks; and, where lengths are unknown, who has them."""

    # A shape that somebody built anew has neither.
    chunks: tuple[tuple[int, ...], ...] | None = None
    like: Array | None = None


def known(shape: tuple[int, ...]) -> bool:
    """Say whether all lengths are known before anything is computed: the others are NaN."""
    return not any(math.isnan(length) for length in shape)


def shape_of(x: Array) -> tuple[int, ...]:
    """Return an array's shape, with its chunks."""
    shape = Chunked(x.shape)
    shape.chunks, shape.like = x.chunks, None if known(x.shape) else x
    return shape


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """Return zeros, in the chunks of the shape."""
    import dask.array as da

    if not isinstance(shape, Chunked) or shape.chunks is None:
        return da.zeros(shape, dtype=dtype or float)
    if shape.like is not None:
        return da.zeros_like(shape.like, dtype=dtype or float)
    return da.zeros(shape, dtype=dtype or float, chunks=shape.chunks)


def reshape(x: Array, /, shape: Any, *, copy: bool | None = None) -> Array:
    """Reshape, into the chunks of the shape."""
    import dask.array as da

    shape = (shape,) if isinstance(shape, int) else shape
    if type(shape) is Chunked and x.chunks == shape.chunks:
        return x.copy() if copy else x
    if not known(shape) or not known(x.shape):
        return _reshape_unknown(x, tuple(shape))
    if 0 in x.shape and 0 in shape:  # of which dask does not find the chunks
        return zeros(shape, dtype=x.dtype)
    try:
        y = da.reshape(x, tuple(shape))
    except NotImplementedError:  # dask merges axes, or it splits one
        y = da.reshape(x.ravel(), tuple(shape))
    y = y.copy() if copy else y
    chunks = getattr(shape, "chunks", None)
    return y if chunks is None else y.rechunk(chunks)


def _reshape_unknown(x: Array, shape: tuple[int, ...]) -> Array:
    """Reshape in one chunk; to a shape that is not known, drop and insert axes of length one."""
    import dask.array as da
    import numpy as np

    if known(shape):
        axes = tuple(range(len(shape)))
        own = tuple(range(len(shape), len(shape) + x.ndim))
        new = dict(zip(axes, shape, strict=True))
        return da.blockwise(
            np.reshape, axes, x, own, shape, None, new_axes=new, dtype=x.dtype, concatenate=True
        )
    if [n for n in map(str, x.shape) if n != "1"] != [n for n in map(str, shape) if n != "1"]:
        message = (
            f"expected known lengths, got shape {x.shape} to reshape to {shape}: "
            "call compute_chunk_sizes() on what a mask has selected"
        )
        raise ShapeError(message)
    x = x[tuple(0 if n == 1 else slice(None) for n in x.shape)]
    return x[tuple(None if n == 1 else slice(None) for n in shape)]


def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
    """Broadcast, chunk by chunk: in one chunk it would be cut up by the first that it meets."""
    import dask.array as da
    import numpy as np
    from dask.layers import ArrayChunkShapeDep

    if str(x.shape) == str(tuple(shape)):  # NaN is not equal to itself
        return x
    if not isinstance(shape, Chunked) or shape.chunks is None:
        return da.broadcast_to(x, tuple(shape))
    axes = tuple(range(len(shape)))
    own = axes[len(shape) - x.ndim :]
    whole = dict(zip(axes, shape.chunks, strict=True))  # where `x` has one that is repeated
    if shape.like is not None:
        operands: Any = (_spread, axes, x, own, shape.like, axes)
    else:
        # NumPy's own function, so that workers need nothing of ours.
        pairs = zip(x.chunks, (shape.chunks[axis] for axis in own), strict=True)
        x = x.rechunk(tuple(ours if ours == (1,) else theirs for ours, theirs in pairs))
        operands = (np.broadcast_to, axes, x, own, ArrayChunkShapeDep(shape.chunks), axes)
    # Blockwise, so that dask fuses it with what comes next.
    return da.blockwise(*operands, dtype=x.dtype, align_arrays=False, adjust_chunks=whole)


def _spread(x: Any, like: Any) -> Any:
    import numpy as np

    return np.broadcast_to(x, like.shape)


def matmul(x1: Array, x2: Array, /) -> Array:
    """Multiply; a vector without the new axis that dask gives it, which is a task per chunk."""
    import dask.array as da

    vector = {x1.ndim, x2.ndim} == {1, 2}
    return da.tensordot(x1, x2, axes=1) if vector else da.matmul(x1, x2)


def finite_when_computed(x: Array, message: str) -> Array:
    """Return `x`, of which computing a chunk raises if that holds an infinity or a NaN."""
    import dask.array as da

    if not isinstance(x, da.Array):  # traced, by a call around this one
        return x
    return da.map_blocks(_finite, x, message, dtype=x.dtype, meta=x._meta)


def _finite(x: Any, message: str) -> Any:
    import numpy as np

    if not np.all(np.isfinite(x)):
        raise NonFiniteError(message)
    return x
