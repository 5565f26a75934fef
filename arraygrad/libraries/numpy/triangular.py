"""Triangular systems on NumPy: by LAPACK's own solver, where SciPy is installed.

NumPy's `linalg.solve` factorizes whatever it is given; a triangular matrix is a factor already.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import solve_adjoint as solve_any

__all__ = ["solve_adjoint"]

_LARGE = 32  # rows, from which on a call of SciPy pays, and a search for zeros
_LETTERS = {"f": "s", "d": "d", "F": "c", "D": "z"}


def solve_adjoint(xp: Namespace, a: Array, b: Array, triangle: str | None = None) -> Array:
    """Return a⁻ᴴ b; finds out by itself whether `a` is triangular."""
    if a.shape[-1] < _LARGE or not b.size:
        return solve_any(xp, a, b)
    triangle = triangle or _triangle(a)
    solver = None if triangle is None else _solver(xp.result_type(a, b).char)
    if solver is None:
        return solve_any(xp, a, b)
    if a.ndim == 2 == b.ndim:
        return _solve_one(xp, solver, a, b, triangle == "lower")
    batch = xp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (xp.broadcast_to(x, batch + x.shape[-2:]) for x in (a, b))
    found = xp.empty(b.shape, dtype=xp.result_type(a, b))
    for n in xp.ndindex(batch):
        found[n] = _solve_one(xp, solver, a[n], b[n], triangle == "lower")
    return found


def _triangle(a: Array) -> str | None:
    """Say which triangle of a matrix, or of all in a stack, holds all that is not zero."""
    # One row tells a matrix that is not triangular, at hardly any cost.
    if not a[..., 0, 1:].any():
        return None if np.triu(a, 1).any() else "lower"
    if not a[..., -1, :-1].any():
        return None if np.tril(a, -1).any() else "upper"
    return None


@cache
def _solver(char: str) -> Callable[..., Any] | None:
    """Return LAPACK's solver of triangular systems for a dtype, `None` without SciPy."""
    try:
        from scipy.linalg import lapack
    except ImportError:
        return None
    return getattr(lapack, f"{_LETTERS[char]}trtrs", None) if char in _LETTERS else None


def _solve_one(xp: Namespace, solver: Callable[..., Any], a: Array, b: Array, lower: bool) -> Array:
    """Solve aᴴ x = b. LAPACK reads columns: to it, an array of rows is its transpose."""
    if a.flags.f_contiguous:
        x, wrong = solver(a, b, lower=lower, trans=2)
    elif xp.isdtype(a.dtype, "complex floating"):
        x, wrong = solver(a.T, b.conj(), lower=not lower)
        x = x.conj()
    else:
        x, wrong = solver(a.T, b, lower=not lower)
    if wrong:
        message = "Singular matrix"
        raise xp.linalg.LinAlgError(message)
    return x
