"""The standard's `linalg` on MLX: what it lacks, and what it names otherwise."""

from collections import namedtuple
from typing import Any

import mlx.core as mx

from arraygrad._typing import Array, DType

__all__ = [
    "cholesky", "diagonal", "eig", "eigh", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot",
    "trace", "vecdot", "vector_norm",
]  # fmt: skip

EigResult = namedtuple("EigResult", "eigenvalues eigenvectors")
QRResult = namedtuple("QRResult", "Q R")
SlogdetResult = namedtuple("SlogdetResult", "sign logabsdet")
SVDResult = namedtuple("SVDResult", "U S Vh")

matmul, tensordot = mx.matmul, mx.tensordot


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Return products of vectors; MLX's do not broadcast."""
    return mx.sum(mx.conj(x1) * x2, axis)


def matrix_transpose(x: Array, /) -> Array:
    """Return the transposes of a stack of matrices."""
    return mx.swapaxes(x, -2, -1)


def outer(x1: Array, x2: Array, /) -> Array:
    """Return all products."""
    return x1[:, None] * x2[None, :]


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """Return the diagonals of a stack of matrices."""
    return mx.diagonal(x, offset, -2, -1)


def trace(x: Array, /, *, offset: int = 0, dtype: DType | None = None) -> Array:
    """Return the sums along the diagonals."""
    return mx.trace(x, offset, -2, -1, dtype or x.dtype)


# --- factors --------------------------------------------------------------------------------------


def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    """Return triangular factors; MLX leaves the other triangle as it is."""
    factor = mx.linalg.cholesky(x, upper)
    return mx.triu(factor) if upper else mx.tril(factor)


def eig(x: Array, /) -> EigResult:
    """Return eigenvalues and eigenvectors."""
    return EigResult(*mx.linalg.eig(x))


def eigh(x: Array, /) -> EigResult:
    """Return eigenvalues and eigenvectors of Hermitian matrices."""
    return EigResult(*mx.linalg.eigh(x))


def qr(x: Array, /, *, mode: str = "reduced") -> QRResult:
    """Return an orthogonal and a triangular factor."""
    if mode != "reduced":
        message = "MLX has qr(mode='reduced') only"
        raise NotImplementedError(message)
    return QRResult(*mx.linalg.qr(x))


def slogdet(x: Array, /) -> SlogdetResult:
    """Return sign and logarithm of determinants."""
    return SlogdetResult(*mx.linalg.slogdet(x))


def pinv(x: Array, /, *, rtol: Any = None) -> Array:
    """Return pseudo-inverses; MLX has no tolerance of them."""
    u, s, vh = svd(x, full_matrices=False)
    rtol = max(x.shape[-2:]) * mx.finfo(x.dtype).eps if rtol is None else mx.array(rtol)[..., None]
    inverse = mx.where(s > rtol * mx.max(s, -1, True), 1 / s, 0)
    return matrix_transpose(vh) @ (inverse[..., None] * matrix_transpose(u))


def svd(x: Array, /, *, full_matrices: bool = True) -> SVDResult:
    """Return singular values and vectors; MLX computes all vectors."""
    u, s, vh = mx.linalg.svd(x)
    rank = min(x.shape[-2:])
    return SVDResult(u, s, vh) if full_matrices else SVDResult(u[..., :rank], s, vh[..., :rank, :])


def svdvals(x: Array, /) -> Array:
    """Return singular values."""
    return mx.linalg.svd(x)[1]


def solve(x1: Array, x2: Array, /) -> Array:
    """Solve linear systems; MLX does not broadcast stacks."""
    if x2.ndim == 1:
        return solve(x1, x2[:, None])[..., 0]
    batch = mx.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = (mx.broadcast_to(x, batch + x.shape[-2:]) for x in (x1, x2))
    return mx.linalg.solve(x1, x2)


# --- norms, powers --------------------------------------------------------------------------------


def vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Array:
    """Return norms of vectors; over several axes MLX has norms of matrices."""
    size = mx.abs(x)
    if ord == 2:
        return mx.sqrt(mx.sum(size * size, axis, keepdims))
    if ord in (float("inf"), float("-inf")):
        return (mx.max if ord > 0 else mx.min)(size, axis, keepdims)
    if ord == 0:
        return mx.sum(mx.astype(size != 0, size.dtype), axis, keepdims)
    return mx.power(mx.sum(mx.power(size, ord), axis, keepdims), 1 / ord)


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Return norms of matrices; those of complex ones MLX calls complex."""
    return mx.real(mx.linalg.norm(x, ord, (-2, -1), keepdims))


def matrix_power(x: Array, n: int, /) -> Array:
    """Return powers of matrices."""
    if n < 0:
        return matrix_power(mx.linalg.inv(x), -n)
    power = mx.broadcast_to(mx.eye(x.shape[-1], dtype=x.dtype), x.shape)
    for _ in range(n):
        power = power @ x
    return power


def matrix_rank(x: Array, /, *, rtol: Any = None) -> Array:
    """Return how many singular values are not small."""
    s = svdvals(x)
    rtol = max(x.shape[-2:]) * mx.finfo(x.dtype).eps if rtol is None else rtol
    return mx.sum(s > rtol * mx.max(s, -1, True), -1)
