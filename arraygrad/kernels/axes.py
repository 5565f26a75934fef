"""Arrays seen along one axis as matrices: Gram matrices, products, roots, eigenvectors.

What belongs to an axis is a matrix, or, where that would be too large, a vector: its diagonal.
"""

from collections.abc import Callable

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.norms import abs_squared

__all__ = ["adjoint", "along", "eigenvectors", "gram", "power", "renewed", "turned"]


def adjoint(xp: Namespace, x: Array) -> Array:
    """Return xᴴ."""
    return xp.matrix_transpose(xp.conj(x) if is_complex(xp, x.dtype) else x)


def gram(xp: Namespace, x: Array, axis: int, *, diagonal: bool = False) -> Array:
    """Return the inner products of the slices of an axis: x xᴴ, for a matrix and its axis 0."""
    rows = _unfolded(xp, x, axis)
    return xp.sum(abs_squared(xp, rows), axis=1) if diagonal else rows @ adjoint(xp, rows)


def along(xp: Namespace, matrix: Array, x: Array, axis: int) -> Array:
    """Return `x` multiplied along an axis: matrix @ x, for a matrix and its axis 0."""
    shape = xp.moveaxis(x, axis, 0).shape
    rows = _unfolded(xp, x, axis)
    product = matrix @ rows if matrix.ndim == 2 else matrix[:, None] * rows
    return xp.moveaxis(xp.reshape(product, shape), 0, axis)


def power(xp: Namespace, x: Array, exponent: float, ridge: Array) -> Array:
    """Return (x + ridge·I)^exponent of a positive semi-definite matrix, or of a diagonal."""
    if x.ndim == 1:
        return (x + ridge) ** exponent
    values, vectors = xp.linalg.eigh(x)
    values = (xp.clip(values, min=0.0) + ridge) ** exponent
    return (vectors * xp.astype(values, x.dtype)) @ adjoint(xp, vectors)


def eigenvectors(xp: Namespace, x: Array) -> Array:
    """Return the eigenvectors of a Hermitian matrix, the largest eigenvalue's first."""
    return xp.flip(xp.linalg.eigh(x)[1], axis=1)


def turned(xp: Namespace, x: Array, basis: Array) -> tuple[Array, Array]:
    """Return a basis turned towards the eigenvectors of x, and the order of the old vectors.

    One power iteration, orthonormalized, from the vectors in the order of their eigenvalues.
    """
    product = x @ basis
    inner = xp.conj(basis) * product if is_complex(xp, x.dtype) else basis * product
    sizes = xp.sum(inner, axis=0)
    order = xp.argsort(xp.real(sizes) if is_complex(xp, x.dtype) else sizes, descending=True)
    return xp.linalg.qr(xp.take(product, order, axis=1))[0], order


def renewed(xp: Namespace, due: Array | bool, make: Callable[[], Array], kept: Array) -> Array:
    """Return what is made anew if it is due; where `due` is an array, both are computed."""
    if isinstance(due, bool):
        return make() if due else kept
    return xp.where(due, make(), kept)


def _unfolded(xp: Namespace, x: Array, axis: int) -> Array:
    """Return `x` as a matrix with one row for each place of an axis."""
    moved = xp.moveaxis(x, axis, 0)
    return xp.reshape(moved, (moved.shape[0], -1))
