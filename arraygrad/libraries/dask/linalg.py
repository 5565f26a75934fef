"""The standard's `linalg` on dask: stacks of matrices, each matrix in one chunk.

Where a matrix lies in many chunks, dask's own algorithms serve, as far as there are some.
"""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np

from arraygrad._typing import Array

__all__ = [
    "cholesky", "cross", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matrix_norm",
    "matrix_power", "pinv", "qr", "slogdet", "solve", "svd", "svdvals",
]  # fmt: skip

EigResult = namedtuple("EigResult", "eigenvalues eigenvectors")
QRResult = namedtuple("QRResult", "Q R")
SlogdetResult = namedtuple("SlogdetResult", "sign logabsdet")
SVDResult = namedtuple("SVDResult", "U S Vh")


def _stacked(
    function: Callable[..., Any], signature: str, *arrays: Array, dtypes: Any = None, **sizes: int
) -> Any:
    """Apply a function of NumPy to stacks of matrices, or vectors, that are whole in a chunk."""
    dtypes = da.result_type(*arrays) if dtypes is None else dtypes
    keywords = {"output_dtypes": dtypes, "output_sizes": sizes or None, "allow_rechunk": True}
    return da.apply_gufunc(function, signature, *arrays, **keywords)


def _is_chunked(x: Array) -> bool:
    """Say whether dask's own algorithms serve: for a real matrix in several chunks."""
    return bool(x.ndim == 2 and x.npartitions > 1 and x.dtype.kind == "f")


def _has_square_chunks(x: Array) -> bool:
    return _is_chunked(x) and len(set(x.chunks[0] + x.chunks[1])) == 1


def _real(x: Array) -> Any:
    return np.empty(0, x.dtype).real.dtype


def _complex(x: Array) -> Any:
    return np.result_type(x.dtype, np.complex64)


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Return cross products."""
    after, before = (1, 2, 0), (2, 0, 1)

    def turned(x: Array, order: tuple[int, ...]) -> Array:
        return da.take(x, list(order), axis=axis)

    return turned(x1, after) * turned(x2, before) - turned(x1, before) * turned(x2, after)


# --- factors --------------------------------------------------------------------------------------


def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    """Return triangular factors."""
    if _has_square_chunks(x):
        return da.linalg.cholesky(x, lower=not upper)
    lower = _stacked(np.linalg.cholesky, "(i,j)->(i,j)", x)
    return da.conj(da.swapaxes(lower, -2, -1)) if upper else lower


def qr(x: Array, /, *, mode: str = "reduced") -> QRResult:
    """Return orthogonal and triangular factors."""
    if _is_chunked(x) and 1 in x.numblocks and mode == "reduced":
        return QRResult(*da.linalg.qr(x))
    inner = "i" if mode == "complete" else "k"
    sizes = {} if mode == "complete" else {"k": min(x.shape[-2:])}
    signature, function = f"(i,j)->(i,{inner}),({inner},j)", _QR[mode]
    return QRResult(*_stacked(function, signature, x, dtypes=(x.dtype, x.dtype), **sizes))


def _complete_qr(x: Any) -> Any:
    return np.linalg.qr(x, mode="complete")


_QR: dict[str, Callable[..., Any]] = {"complete": _complete_qr, "reduced": np.linalg.qr}


def svd(x: Array, /, *, full_matrices: bool = True) -> SVDResult:
    """Return singular values and vectors."""
    if _is_chunked(x) and 1 in x.numblocks and not full_matrices:
        return SVDResult(*da.linalg.svd(x, coerce_signs=False))
    signature = "(i,j)->(i,i),(k),(j,j)" if full_matrices else "(i,j)->(i,k),(k),(k,j)"
    dtypes, size = (x.dtype, _real(x), x.dtype), min(x.shape[-2:])
    return SVDResult(*_stacked(_SVD[full_matrices], signature, x, dtypes=dtypes, k=size))


def _reduced_svd(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)


_SVD: dict[bool, Callable[..., Any]] = {True: np.linalg.svd, False: _reduced_svd}


def svdvals(x: Array, /) -> Array:
    """Return singular values."""
    return svd(x, full_matrices=False).S


# --- eigenvalues ----------------------------------------------------------------------------------


def eig(x: Array, /) -> EigResult:
    """Return eigenvalues and eigenvectors, complex ones."""
    dtypes = (_complex(x), _complex(x))
    return EigResult(*_stacked(_complex_eig, "(i,j)->(i),(i,j)", x, dtypes=dtypes))


def _complex_eig(x: Any) -> Any:
    dtype = np.result_type(x.dtype, np.complex64)
    return tuple(part.astype(dtype) for part in np.linalg.eig(x))


def eigvals(x: Array, /) -> Array:
    """Return eigenvalues, complex ones."""
    return eig(x).eigenvalues


def eigh(x: Array, /) -> EigResult:
    """Return eigenvalues and eigenvectors of Hermitian matrices."""
    dtypes = (_real(x), x.dtype)
    return EigResult(*_stacked(np.linalg.eigh, "(i,j)->(i),(i,j)", x, dtypes=dtypes))


def eigvalsh(x: Array, /) -> Array:
    """Return eigenvalues of Hermitian matrices."""
    return eigh(x).eigenvalues


# --- inverses, powers, norms ----------------------------------------------------------------------


def det(x: Array, /) -> Array:
    """Return determinants."""
    return _stacked(np.linalg.det, "(i,j)->()", x)


def slogdet(x: Array, /) -> SlogdetResult:
    """Return signs and logarithms of determinants."""
    dtypes = (x.dtype, _real(x))
    return SlogdetResult(*_stacked(np.linalg.slogdet, "(i,j)->(),()", x, dtypes=dtypes))


def inv(x: Array, /) -> Array:
    """Return inverses."""
    if _has_square_chunks(x):
        return da.linalg.inv(x)
    return _stacked(np.linalg.inv, "(i,j)->(i,j)", x)


def solve(x1: Array, x2: Array, /) -> Array:
    """Solve linear systems."""
    if _has_square_chunks(x1) and x2.ndim <= 2 and x2.dtype.kind == "f":
        return da.linalg.solve(x1, x2.rechunk({0: x1.chunks[1]}))
    signature = "(i,j),(j)->(i)" if x2.ndim == 1 else "(i,j),(j,k)->(i,k)"
    return _stacked(np.linalg.solve, signature, x1, x2)


def pinv(x: Array, /, *, rtol: Any = None) -> Array:
    """Return pseudo-inverses."""
    rtol = max(x.shape[-2:]) * np.finfo(x.dtype).eps if rtol is None else rtol
    return _stacked(np.linalg.pinv, "(i,j),()->(j,i)", x, da.asarray(rtol), dtypes=x.dtype)


def matrix_power(x: Array, n: int, /) -> Array:
    """Return powers of matrices: multiply squares of squares."""
    if n < 0:
        return matrix_power(inv(x), -n)
    if n < 2:
        return x if n else da.broadcast_to(da.eye(x.shape[-1], dtype=x.dtype), x.shape)
    square = matrix_power(da.matmul(x, x), n // 2)
    return da.matmul(square, x) if n % 2 else square


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Return norms of matrices."""
    if ord in ("nuc", 2, -2):
        reduce = {"nuc": da.sum, 2: da.max, -2: da.min}[ord]
        norm = reduce(svdvals(x), axis=-1)
        return norm[..., None, None] if keepdims else norm
    return da.linalg.norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)
