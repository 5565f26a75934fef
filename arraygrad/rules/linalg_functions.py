"""Derivatives of the standard's `linalg` extension.

Adjoints of the classical differentials: M. Giles, "Collected matrix derivative results for forward
and reverse mode algorithmic differentiation" (2008), for complex matrices too. Here xᴴ is the
conjugate transpose, and a cotangent of a Hermitian matrix is Hermitian.

What has no derivative gets one value, here and nowhere else. Eigenvalues or singular values that
are equal, up to rounding, do not mix their vectors: where 1 / (λⱼ - λᵢ) would be infinite, it
counts as 0, and so does 1 / σ of a singular value that is 0. A norm of 0 has derivative 0.

Vectors of `eig`, `eigh` and `svd` are defined up to a phase. Derivatives are those of a loss that
does not depend on it.
"""

import math
from typing import Any

from arraygrad._namespace import device_of
from arraygrad._typing import Array, Namespace
from arraygrad.errors import NoRuleError, ShapeError
from arraygrad.rules.primitives import conj, readable, set_at, solve_adjoint, unbroadcast
from arraygrad.rules.statistical_functions import others, restored

__all__ = ["COMPOSITIONS", "CONSTANT", "JOINT", "LINEAR", "MULTILINEAR", "PULLBACKS"]


def _adjoint(xp: Namespace, x: Array) -> Array:
    """Return xᴴ."""
    return conj(xp, xp.matrix_transpose(x))


def _divide_from_right(xp: Namespace, x: Array, r: Array) -> Array:
    """Return x r⁻ᴴ, for an upper triangular r."""
    return _adjoint(xp, solve_adjoint(xp, _adjoint(xp, r), _adjoint(xp, x), "lower"))


def _hermitian(xp: Namespace, lower: Array) -> Array:
    """Return the Hermitian matrix with this lower triangle."""
    half = (xp.tril(lower) + xp.tril(lower, k=-1)) / 2
    return half + _adjoint(xp, half)


# --- products -------------------------------------------------------------------------------------


def _cross_x1(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """Return x2 × g."""
    return unbroadcast(xp, xp.linalg.cross(conj(xp, x2), g, axis=axis), x1.shape)


def _cross_x2(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """Return g × x1."""
    return unbroadcast(xp, xp.linalg.cross(g, conj(xp, x1), axis=axis), x2.shape)


def matrix_power(xp: Namespace, x: Array, n: int) -> Array:
    """Multiply squares of squares."""
    if n < 0:
        return matrix_power(xp, xp.linalg.inv(x), -n)
    if n < 2:
        eye = xp.eye(x.shape[-1], dtype=x.dtype, device=x.device)
        return x if n else xp.broadcast_to(eye, x.shape)
    square = matrix_power(xp, x @ x, n // 2)
    return square @ x if n % 2 else square


def outer(xp: Namespace, x1: Array, x2: Array) -> Array:
    """Multiply each with each."""
    if not x1.ndim == x2.ndim == 1:
        message = f"linalg.outer takes vectors, got shapes {tuple(x1.shape)} and {tuple(x2.shape)}"
        raise ShapeError(message)
    return x1[:, None] * x2[None, :]


def _shared(name: str) -> Any:
    """Return the main namespace's function of the same name."""

    def function(xp: Namespace, *arguments: Any, **keywords: Any) -> Array:
        """Do what the main namespace's function does."""
        return getattr(xp, name)(*arguments, **keywords)

    return function


# --- diagonals ------------------------------------------------------------------------------------


def _diagonal(xp: Namespace, g: Array, y: Any, x: Any, *, offset: int = 0) -> Array:
    """Put the cotangent on the diagonal, among zeros."""
    *batch, rows, columns = x.shape
    zeros = xp.zeros((*batch, rows * columns), dtype=g.dtype, device=x.device)
    if g.shape[-1]:
        first, step = offset if offset >= 0 else -offset * columns, columns + 1
        on = slice(first, first + (g.shape[-1] - 1) * step + 1, step)
        zeros = set_at(xp, zeros, (..., on), g)
    return xp.reshape(zeros, x.shape)


def _trace(xp: Namespace, g: Array, y: Any, x: Any, *, offset: int = 0,
           dtype: Any = None) -> Array:  # fmt: skip
    """Put the cotangent everywhere on the diagonal."""
    on = xp.eye(*x.shape[-2:], k=offset, dtype=xp.bool, device=x.device)
    return xp.where(on, g[..., None, None], 0)


# --- inverses and determinants --------------------------------------------------------------------


def _inv(xp: Namespace, g: Array, y: Array, x: Array) -> Array:
    """Return -yᴴ g yᴴ."""
    back = _adjoint(xp, y)
    return -(back @ g @ back)


def _det(xp: Namespace, g: Array, y: Array, x: Array) -> Array:
    """Return g conj(y) x⁻ᴴ, and of a matrix without an inverse what that tends to."""
    singular = y == 0
    if not (readable(xp) and xp.any(singular)):
        return (g * conj(xp, y))[..., None, None] * _adjoint(xp, xp.linalg.inv(x))
    singular = singular[..., None, None]
    eye = xp.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    regular = conj(xp, y)[..., None, None] * _adjoint(xp, xp.linalg.inv(xp.where(singular, eye, x)))
    return g[..., None, None] * xp.where(singular, _cofactors(xp, x), regular)


def _cofactors(xp: Namespace, x: Array) -> Array:
    """Return conj(det(u) det(vᴴ)) u diag(∏ⱼ≠ᵢ σⱼ) vᴴ."""
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    sign = conj(xp, xp.linalg.det(u) * xp.linalg.det(vh))[..., None, None]
    return sign * (u * others(xp, s)[..., None, :]) @ vh


def _slogdet(xp: Namespace, g: Any, y: Any, x: Array) -> Array:
    """Return x⁻ᴴ times the cotangent of log(det x): a complex sign turns, a real one stays."""
    turned, stretched = g
    slope = xp.astype(stretched, y[0].dtype)
    if xp.isdtype(slope.dtype, "complex floating"):
        slope = slope + xp.astype(xp.imag(turned * conj(xp, y[0])), slope.dtype) * 1j
    return slope[..., None, None] * _adjoint(xp, xp.linalg.inv(x))


def _solve(xp: Namespace, g: Array, y: Array, x1: Array, x2: Array) -> tuple[Array, Array]:
    """Return -x1⁻ᴴ g yᴴ and x1⁻ᴴ g: stacks of vectors, if `x2` is one, as columns."""
    vector = x2.ndim == 1
    back = solve_adjoint(xp, x1, g[..., None] if vector else g)
    found = -(back @ _adjoint(xp, y[..., None] if vector else y))
    if vector:
        back = back[..., 0]
    return unbroadcast(xp, found, x1.shape), unbroadcast(xp, back, x2.shape)


def _solve_x1(xp: Namespace, g: Array, y: Array, x1: Array, x2: Array) -> Array:
    """Return -x1⁻ᴴ g yᴴ."""
    return _solve(xp, g, y, x1, x2)[0]


def _solve_x2(xp: Namespace, g: Array, y: Array, x1: Array, x2: Array) -> Array:
    """Return x1⁻ᴴ g."""
    back = solve_adjoint(xp, x1, g[..., None])[..., 0] if x2.ndim == 1 else solve_adjoint(xp, x1, g)
    return unbroadcast(xp, back, x2.shape)


def _pinv(xp: Namespace, g: Array, y: Array, x: Array, *, rtol: Any = None) -> Array:
    """Return -yᴴ g yᴴ and what moves the null spaces: Golub and Pereyra 1973, equation 4.12."""
    back, h = _adjoint(xp, y), _adjoint(xp, g)
    outside = h @ y @ back
    inside = back @ y @ h
    return outside - x @ (y @ outside) + inside - (inside @ y) @ x - back @ g @ back


# --- factorizations -------------------------------------------------------------------------------


def _cholesky(xp: Namespace, g: Array, y: Array, x: Array, *, upper: bool = False) -> Array:
    """Return ½ l⁻ᴴ h l⁻¹, where the lower triangle of the Hermitian h is that of lᴴ g."""
    if upper:
        g, y = _adjoint(xp, g), _adjoint(xp, y)
    h = _hermitian(xp, _adjoint(xp, y) @ g) / 2
    half = solve_adjoint(xp, y, h, "lower")
    found = solve_adjoint(xp, y, _adjoint(xp, half), "lower")
    return _adjoint(xp, found)  # Hermitian; in rows again, where a library solves in columns


def _qr(xp: Namespace, g: Any, y: Any, x: Array, *, mode: str = "reduced") -> Array:
    """Return (gq + q h) r⁻ᴴ, where the upper triangle of h is that of gr rᴴ - qᴴ gq."""
    (g_q, g_r), (q, r) = g, y
    rows, columns = x.shape[-2:]
    if mode == "complete" and rows > columns:
        message = (
            "linalg.qr(mode='complete') of a matrix with more rows than columns has no derivative: "
            "the additional columns of Q are arbitrary; use mode='reduced'"
        )
        raise NoRuleError(message)
    if rows < columns:  # the other columns of r are qᴴ times those of x
        rest, g_rest = x[..., rows:], g_r[..., rows:]
        r, g_r = r[..., :rows], g_r[..., :rows]
        g_q = g_q + rest @ _adjoint(xp, g_rest)
    h = _hermitian(xp, r @ _adjoint(xp, g_r) - _adjoint(xp, g_q) @ q)
    found = _divide_from_right(xp, g_q + q @ h, r)
    return xp.concat([found, q @ g_rest], axis=-1) if rows < columns else found


def _rounding(xp: Namespace, values: Array) -> Array:
    """Return the size that errors of computed eigenvalues or singular values may have."""
    sizes = xp.abs(values)
    return xp.finfo(sizes.dtype).eps * xp.sum(sizes, axis=-1, keepdims=True)


def _reciprocal(xp: Namespace, x: Array, rounding: Array) -> Array:
    """Return 1 / x, and 0 where x is 0 but for rounding."""
    zero = xp.abs(x) <= rounding
    return xp.where(zero, 0, 1 / xp.where(zero, 1, x))


def _inverse_gaps(xp: Namespace, values: Array) -> Array:
    """Return 1 / (λⱼ - λᵢ), and 0 where both are equal but for rounding."""
    gaps = values[..., None, :] - values[..., :, None]
    return _reciprocal(xp, gaps, _rounding(xp, values)[..., None])


def _eigh(xp: Namespace, g: Any, y: Any, x: Array) -> Array:
    """Return v (diag(gλ) + (vᴴ gv) / (λⱼ - λᵢ)) vᴴ, made Hermitian."""
    (g_values, g_vectors), (values, v) = g, y
    back = _adjoint(xp, v)
    mixed = (back @ g_vectors) * _inverse_gaps(xp, values)
    found = (v * g_values[..., None, :] + v @ mixed) @ back
    return (found + _adjoint(xp, found)) / 2


def _eig(xp: Namespace, g: Any, y: Any, x: Array) -> Array:
    """Return v⁻ᴴ (diag(gλ) + (vᴴ gv) / conj(λⱼ - λᵢ)) vᴴ, where gv leaves lengths alone."""
    (g_values, g_vectors), (values, v) = g, y
    back = _adjoint(xp, v)
    longer = xp.real(xp.sum(conj(xp, v) * g_vectors, axis=-2, keepdims=True))
    mixed = (back @ (g_vectors - v * longer)) * conj(xp, _inverse_gaps(xp, values))
    return xp.linalg.solve(back, g_values[..., :, None] * back + mixed @ back)


def eigvals(xp: Namespace, x: Array) -> Array:
    """Take the eigenvalues of `eig`."""
    return xp.linalg.eig(x).eigenvalues


def eigvalsh(xp: Namespace, x: Array) -> Array:
    """Take the eigenvalues of `eigh`."""
    return xp.linalg.eigh(x).eigenvalues


def _svd(xp: Namespace, g: Any, y: Any, x: Array, *, full_matrices: bool = True) -> Array:
    """Return u (diag(gσ) + what turns the kept vectors) vᴴ + what turns them into others."""
    (g_u, g_s, g_vh), (u, s, vh) = g, y
    rows, columns = x.shape[-2:]
    if full_matrices and rows != columns:
        message = (
            "linalg.svd(full_matrices=True) of a matrix that is not square has no derivative: "
            "the additional vectors are arbitrary; use full_matrices=False, or svdvals"
        )
        raise NoRuleError(message)
    inverse = _reciprocal(xp, s, _rounding(xp, s))
    u_turned, vh_turned = _adjoint(xp, u) @ g_u, g_vh @ _adjoint(xp, vh)
    stretched = g_s
    if xp.isdtype(x.dtype, "complex floating"):  # a common phase of both vectors is free
        phase = xp.imag(xp.sum(conj(xp, u) * g_u, axis=-2))
        stretched = xp.astype(g_s, x.dtype) + xp.astype(phase * inverse, x.dtype) * 1j
    found = (u * stretched[..., None, :] + u @ _rotated(xp, u_turned, vh_turned, s)) @ vh
    if rows > columns:
        found = found + ((g_u - u @ u_turned) * inverse[..., None, :]) @ vh
    if columns > rows:
        found = found + u @ (inverse[..., :, None] * (g_vh - vh_turned @ vh))
    return found


def _rotated(xp: Namespace, u_turned: Array, vh_turned: Array, s: Array) -> Array:
    """Return the cotangent, between singular vectors, of rotations among them.

    Where values are equal, both sides still turn against each other: polar factors do not mind.
    """
    both = s[..., None, :] + s[..., :, None]
    same = xp.eye(s.shape[-1], dtype=xp.bool, device=device_of(s)) | (
        both <= _rounding(xp, s)[..., None]
    )
    against = xp.where(same, 0, 1 / xp.where(same, 1, both))
    ours = u_turned - _adjoint(xp, u_turned)
    theirs = _adjoint(xp, vh_turned) - vh_turned
    return ((ours + theirs) * _inverse_gaps(xp, s) + (ours - theirs) * against) / 2


def svdvals(xp: Namespace, x: Array) -> Array:
    """Take the singular values of `svd`."""
    return xp.linalg.svd(x, full_matrices=False).S


# --- norms ----------------------------------------------------------------------------------------


def matrix_norm(xp: Namespace, x: Array, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Reduce elements, sums of rows or columns, or singular values."""
    if ord in ("fro", None):
        return xp.linalg.vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if 0 in x.shape[-2:] and ord in (1, 2, math.inf, "nuc"):  # no extreme is found in nothing
        return xp.sum(xp.abs(x), axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        sums = xp.sum(xp.abs(x), axis=-2 if abs(ord) == 1 else -1, keepdims=True)
        return (xp.max if ord > 0 else xp.min)(sums, axis=(-2, -1), keepdims=keepdims)
    if ord not in ("nuc", 2, -2):
        message = f"linalg.matrix_norm(ord={ord!r}) has no derivative rule"
        raise NoRuleError(message)
    reduce = xp.sum if ord == "nuc" else xp.max if ord == 2 else xp.min
    norm = reduce(xp.linalg.svdvals(x), axis=-1)
    return norm[..., None, None] if keepdims else norm


def _vector_norm(xp: Namespace, g: Array, y: Array, x: Array, *, axis: Any = None,
                 keepdims: bool = False, ord: float = 2) -> Array:  # fmt: skip
    """Return g (|x| / y)^(ord - 1) x / |x|, and 0 where y = 0; ties of extremes share."""
    g, y = (restored(xp, a, x, axis, keepdims) for a in (g, y))
    if ord == 0:
        return xp.zeros_like(x)
    if ord == 2:
        return g / xp.where(y == 0, 1, y) * x
    size = xp.abs(x)
    slope = x / xp.where(x == 0, 1, size)
    if abs(ord) == math.inf:
        extreme = xp.astype(size == y, g.dtype)
        return g * extreme / xp.sum(extreme, axis=axis, keepdims=True) * slope
    g, y = xp.where(y == 0, 0, g), xp.where(y == 0, 1, y)
    return g * xp.where(x == 0, 1, size / y) ** (ord - 1) * slope


# fmt: off
LINEAR = {
    "linalg.diagonal":    (_diagonal,),
    "linalg.trace":       (_trace,),
}
MULTILINEAR = {
    "linalg.cross":       (_cross_x1, _cross_x2),
}
PULLBACKS = {
    "linalg.cholesky":    (_cholesky,),
    "linalg.det":         (_det,),
    "linalg.eig":         (_eig,),
    "linalg.eigh":        (_eigh,),
    "linalg.inv":         (_inv,),
    "linalg.pinv":        (_pinv,),
    "linalg.qr":          (_qr,),
    "linalg.slogdet":     (_slogdet,),
    "linalg.solve":       (_solve_x1, _solve_x2),
    "linalg.svd":         (_svd,),
    "linalg.vector_norm": (_vector_norm,),
}
COMPOSITIONS = {
    "linalg.eigvals":     eigvals,
    "linalg.eigvalsh":    eigvalsh,
    "linalg.matrix_norm": matrix_norm,
    "linalg.matrix_power": matrix_power,
    "linalg.outer":       outer,
    "linalg.svdvals":     svdvals,
    **{f"linalg.{name}": _shared(name) for name in ("matmul", "matrix_transpose", "tensordot", "vecdot")},
}
# fmt: on
JOINT = {
    "linalg.solve": _solve,
}
CONSTANT = frozenset({"linalg.matrix_rank"})
