"""Squares, roots and norms that stay right for complex arrays, for NaN and under a derivative."""

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace

__all__ = ["abs_squared", "norm", "root", "trust_ratio"]


def abs_squared(xp: Namespace, x: Array) -> Array:
    """Return |x|², real."""
    return xp.real(x * xp.conj(x)) if is_complex(xp, x.dtype) else x * x


def root(xp: Namespace, x: Array) -> Array:
    """Return √max(x, 0), with a finite slope where x is 0; a NaN stays."""
    return xp.sqrt(xp.clip(x, min=float(xp.finfo(x.dtype).smallest_normal)))


def norm(xp: Namespace, x: Array) -> Array:
    """Return the 2-norm over all elements, with the slope 0 where all are 0."""
    total = xp.sum(abs_squared(xp, x))
    zero = xp.astype(total == 0, total.dtype)
    return xp.sqrt(total + zero) - zero


def trust_ratio(xp: Namespace, weight: Array, step: Array) -> Array:
    """Return the ratio of two norms, 1 where either is zero."""
    zero = (weight == 0) | (step == 0)
    return xp.where(zero, xp.ones_like(weight), weight / (step + 1e-12))
