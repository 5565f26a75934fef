"""The standard's `linalg` on ndonnx, as far as products and sums go: ONNX factorizes nothing."""

from typing import Any

import ndonnx as ndx

from arraygrad._typing import Array, DType

__all__ = [
    "cross", "diagonal", "matmul", "matrix_norm", "matrix_power", "matrix_transpose", "outer",
    "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip

matmul, matrix_transpose = ndx.matmul, ndx.matrix_transpose
tensordot, vecdot = ndx.tensordot, ndx.vecdot


def outer(x1: Array, x2: Array, /) -> Array:
    """Return all products."""
    return x1[:, None] * x2[None, :]


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Return the vectors orthogonal to two."""
    x1, x2 = ndx.broadcast_arrays(x1, x2)
    (a, b, c), (d, e, f) = (ndx.unstack(x, axis=axis) for x in (x1, x2))
    return ndx.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=axis)


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """Return the diagonals of a stack of matrices."""
    rows, columns = x.shape[-2:]
    size = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    along = ndx.arange(size)
    places = (along - min(offset, 0)) * columns + along + max(offset, 0)
    return ndx.take(ndx.reshape(x, (*x.shape[:-2], rows * columns)), places, axis=-1)


def trace(x: Array, /, *, offset: int = 0, dtype: DType | None = None) -> Array:
    """Return the sums along the diagonals."""
    return ndx.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def matrix_power(x: Array, n: int, /) -> Array:
    """Return a matrix multiplied by itself."""
    if n < 0:
        message = "ONNX has no inverse: matrix_power needs n ≥ 0"
        raise NotImplementedError(message)
    y = ndx.broadcast_to(ndx.eye(x.shape[-1], dtype=x.dtype), x.shape)
    for bit in f"{n:b}" if n else "":
        y = y @ y
        y = y @ x if bit == "1" else y
    return y


def vector_norm(
    x: Array,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: float = 2,
) -> Array:
    """Return norms along axes."""
    a = ndx.abs(x)
    where: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    if ord == float("inf"):
        return ndx.max(a, **where)
    if ord == float("-inf"):
        return ndx.min(a, **where)
    if ord == 0:
        return ndx.sum(ndx.astype(a != 0, x.dtype), **where)
    if ord == 1:
        return ndx.sum(a, **where)
    if ord == 2:
        return ndx.sqrt(ndx.sum(a * a, **where))
    return ndx.pow(ndx.sum(ndx.pow(a, ord), **where), 1 / ord)


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: float | str = "fro") -> Array:
    """Return norms of matrices, those of sums: Frobenius', and of rows or columns."""
    a = ndx.abs(x)
    if ord == "fro":
        return ndx.sqrt(ndx.sum(a * a, axis=(-2, -1), keepdims=keepdims))
    if ord in (1, -1, float("inf"), float("-inf")):
        first, second = (-2, -1) if ord in (1, -1) else (-1, -2)
        extreme = ndx.max if ord > 0 else ndx.min
        y = extreme(ndx.sum(a, axis=first, keepdims=True), axis=second, keepdims=True)
        return y if keepdims else ndx.squeeze(y, axis=(-2, -1))
    message = f"ONNX has no singular values: matrix_norm with ord={ord!r} needs them"
    raise NotImplementedError(message)
