"""NumPy's `linalg`: the standard's, and what is made of it."""

import math
from functools import cache
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.general import rebuilt
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    axes_of,
    refuse,
    standard,
)
from arraygrad.autodiff.tape.numpy_compositions.products import tensordot

__all__ = ["FUNCTIONS"]


def norm(xp: Namespace, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """Return a norm of vectors, or of matrices where there are two axes."""
    x = as_array(xp, x)
    if axis is None and ord is None:
        y = xp.linalg.vector_norm(x.ravel())
        return xp.reshape(y, (1,) * x.ndim) if keepdims else y
    axes = axes_of(x, axis)
    if len(axes) not in (1, 2):
        message = f"numpy.linalg.norm: of {len(axes)} axes"
        raise ValueError(message)
    if len(axes) == 1:
        return xp.linalg.vector_norm(
            x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord
        )
    y = xp.linalg.matrix_norm(xp.moveaxis(x, axes, (-2, -1)), ord="fro" if ord is None else ord)
    if not keepdims:
        return y
    kept = (1 if n in axes else m for n, m in enumerate(x.shape))
    return xp.reshape(y, tuple(kept))


def cond(xp: Namespace, x: Any, p: Any = None) -> Array:
    """Return the condition number of matrices."""
    x = as_array(xp, x)
    if p in (None, 2, -2):
        s = xp.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return norm(xp, x, p, (-2, -1)) * norm(xp, xp.linalg.inv(x), p, (-2, -1))


def multi_dot(xp: Namespace, arrays: Any) -> Array:
    """Multiply a chain of matrices, in the order that costs least."""
    chain = first, *others = [as_array(xp, x) for x in arrays]
    ends = (x.shape[n] if x.ndim == 2 else 1 for n, x in ((0, first), (-1, chain[-1])))
    lengths = (next(ends), *(x.shape[0] for x in others), next(ends))

    @cache
    def cheapest(start: int, stop: int) -> tuple[int, int]:
        """Return the cost of a part of the chain, and where to cut it."""
        ways = []
        for cut in range(start + 1, stop):
            last = lengths[start] * lengths[cut] * lengths[stop]
            ways.append((cheapest(start, cut)[0] + cheapest(cut, stop)[0] + last, cut))
        return min(ways, default=(0, start))

    def product(start: int, stop: int) -> Array:
        cut = cheapest(start, stop)[1]
        return chain[start] if cut == start else product(start, cut) @ product(cut, stop)

    return product(0, len(chain))


def eig(xp: Namespace, a: Any) -> Any:
    """Return eigenvalues and vectors: real ones, if all are."""
    x = as_array(xp, a)
    found = xp.linalg.eig(x)
    if xp.is_complex(x.dtype) or xp.any(xp.imag(found.eigenvalues) != 0):
        return found
    return rebuilt(found, map(xp.real, found))


def eigh(xp: Namespace, a: Any, UPLO: str = "L") -> Any:
    """Return eigenvalues and vectors of the Hermitian matrices with a lower, or upper, triangle."""
    return xp.linalg.eigh(_lower(xp, a, UPLO))


def eigvalsh(xp: Namespace, a: Any, UPLO: str = "L") -> Array:
    """Return the eigenvalues of `eigh`."""
    return xp.linalg.eigvalsh(_lower(xp, a, UPLO))


def _lower(xp: Namespace, a: Any, triangle: str) -> Array:
    """Return a matrix whose lower triangle counts."""
    x = as_array(xp, a)
    return x.mT.conj() if triangle.upper() == "U" else x


def svd(xp: Namespace, a: Any, full_matrices: bool = True, compute_uv: bool = True,
        hermitian: bool = False) -> Any:  # fmt: skip
    """Return singular values, and vectors unless told not to."""
    x = as_array(xp, a)
    if not compute_uv:
        return xp.linalg.svdvals(x)
    return xp.linalg.svd(x, full_matrices=full_matrices)


def qr(xp: Namespace, a: Any, mode: str = "reduced") -> Any:
    """Return an orthogonal and a triangular matrix, or the latter only."""
    x = as_array(xp, a)
    if mode == "r":
        return xp.linalg.qr(x).R
    if mode == "raw":
        refuse("linalg.qr", mode=mode)
    return xp.linalg.qr(x, mode=mode)


def pinv(xp: Namespace, a: Any, rcond: Any = None, hermitian: bool = False, *,
         rtol: Any = None) -> Array:  # fmt: skip
    """Return the pseudo-inverse."""
    x, tolerance = as_array(xp, a), rcond if rtol is None else rtol
    return xp.linalg.pinv(x) if tolerance is None else xp.linalg.pinv(x, rtol=tolerance)


def lstsq(xp: Namespace, a: Any, b: Any, rcond: Any = None) -> Any:
    """Return the smallest solution of least squares, squared residuals, rank, singular values."""
    a, b = as_array(xp, a), as_array(xp, b)
    rows, columns = a.shape
    tolerance = xp.finfo(a.dtype).eps * max(rows, columns) if rcond is None else rcond
    x, s = xp.linalg.pinv(a, rtol=tolerance) @ b, xp.linalg.svdvals(a)
    rank = int(xp.constant("linalg.matrix_rank", a, rtol=tolerance))
    apart = b - a @ x
    squares = xp.sum(abs(apart) ** 2, axis=0)
    known = rows > columns == rank
    return x, xp.reshape(squares, (-1,)) if known else xp.zeros(0, dtype=s.dtype), rank, s


def tensorinv(xp: Namespace, a: Any, ind: int = 2) -> Array:
    """Return the inverse for `tensordot` over the first `ind` axes."""
    x = as_array(xp, a)
    size = math.prod(x.shape[ind:])
    return xp.reshape(xp.linalg.inv(xp.reshape(x, (-1, size))), (*x.shape[ind:], *x.shape[:ind]))


def tensorsolve(xp: Namespace, a: Any, b: Any, axes: Any = None) -> Array:
    """Return the `x` whose `tensordot` with `a`, over all axes of `x`, is `b`."""
    a, b = as_array(xp, a), as_array(xp, b)
    if axes is not None:
        a = xp.moveaxis(a, tuple(axes), tuple(range(-len(axes), 0)))
    found = xp.linalg.solve(xp.reshape(a, (b.size, -1)), xp.reshape(b, (-1,)))
    return xp.reshape(found, a.shape[b.ndim :])


FUNCTIONS: dict[str, Function] = {
    "linalg.cholesky": lambda xp, a, *, upper=False: xp.linalg.cholesky(
        as_array(xp, a), upper=upper
    ),
    "linalg.cond": cond,
    "linalg.cross": standard("linalg.cross"),
    "linalg.det": lambda xp, a: xp.linalg.det(as_array(xp, a)),
    "linalg.diagonal": standard("linalg.diagonal"),
    "linalg.eig": eig,
    "linalg.eigh": eigh,
    "linalg.eigvals": lambda xp, a: eig(xp, a).eigenvalues,
    "linalg.eigvalsh": eigvalsh,
    "linalg.inv": lambda xp, a: xp.linalg.inv(as_array(xp, a)),
    "linalg.lstsq": lstsq,
    "linalg.matmul": standard("matmul"),
    "linalg.matrix_norm": standard("linalg.matrix_norm"),
    "linalg.matrix_power": lambda xp, a, n: xp.linalg.matrix_power(as_array(xp, a), n),
    "linalg.matrix_transpose": standard("matrix_transpose"),
    "linalg.multi_dot": multi_dot,
    "linalg.norm": norm,
    "linalg.outer": standard("linalg.outer"),
    "linalg.pinv": pinv,
    "linalg.qr": qr,
    "linalg.slogdet": lambda xp, a: xp.linalg.slogdet(as_array(xp, a)),
    "linalg.solve": lambda xp, a, b: xp.linalg.solve(as_array(xp, a), as_array(xp, b)),
    "linalg.svd": svd,
    "linalg.svdvals": standard("linalg.svdvals"),
    "linalg.tensordot": tensordot,
    "linalg.tensorinv": tensorinv,
    "linalg.tensorsolve": tensorsolve,
    "linalg.trace": standard("linalg.trace"),
    "linalg.vecdot": standard("vecdot"),
    "linalg.vector_norm": standard("linalg.vector_norm"),
}
