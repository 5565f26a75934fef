"""Derivatives of the standard's Fourier transforms: linear, so each transpose is a transform too.

A transform of n points first cuts its operand, or fills it up with zeros, and then forms
s Σⱼ xⱼ exp(±2πi jk/n). Its adjoint forms the sum with the other sign and the same s, which is the
opposite transform under the opposite `norm`, and then undoes the cut.

Transforms of real arrays keep half of a symmetric spectrum: a coefficient stands for itself and
for its mirror image, but for the first, and the middle one if n is even.
"""

import math
from collections.abc import Callable
from typing import Any

from arraygrad._typing import Array, DType, Namespace
from arraygrad.rules.primitives import conj, constant

__all__ = ["COMPOSITIONS", "LINEAR"]

_OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _back(xp: Namespace, name: str, g: Array, norm: str, count: int, **where: Any) -> Array:
    """Transform back, under the opposite norm; `count` points.

    NumPy transforms single precision in double precision where it need not scale.
    """
    transform = getattr(xp.fft, name)
    if norm == "backward" and name[0] == "i" and xp.finfo(g.dtype).bits == 32:
        return transform(g, norm="backward", **where) * float(count)
    return transform(g, norm=_OPPOSITE[norm], **where)


def _resized(xp: Namespace, g: Array, x: Any, axes: Any) -> Array:
    """Cut `g`, or fill it up with zeros, to the shape of `x`."""
    for axis in axes:
        axis %= x.ndim
        missing = x.shape[axis] - g.shape[axis]
        if missing < 0:
            g = g[(*(slice(None),) * axis, slice(x.shape[axis]), ...)]
        elif missing > 0:
            shape = (*g.shape[:axis], missing, *g.shape[axis + 1 :])
            g = xp.concat([g, xp.zeros(shape, dtype=g.dtype, device=x.device)], axis=axis)
    return g


def _axes(x: Any, s: Any, axes: Any) -> tuple[int, ...]:
    """Return the transformed axes."""
    if axes is not None:
        return tuple(axes)
    return tuple(range(-(x.ndim if s is None else len(s)), 0))


def _weigh_mirrored(xp: Namespace, g: Array, x: Any, n: int, axis: int, weight: float,
                    dtype: DType) -> Array:  # fmt: skip
    """Multiply those coefficients of half a spectrum that have a mirror image."""
    k = xp.arange(g.shape[axis], device=x.device)
    weights = 1 + (weight - 1) * xp.astype((k > 0) & (2 * k < n), dtype)
    return g * xp.reshape(weights, (-1,) + (1,) * (x.ndim - 1 - axis % x.ndim))


def _by(name: str) -> Callable[..., Array]:
    """Return the rule of a transform that is undone by another, along one axis."""

    def rule(xp: Namespace, g: Array, y: Any, x: Any, *, n: int | None = None, axis: int = -1,
             norm: str = "backward") -> Array:  # fmt: skip
        """Transform back."""
        g = _back(xp, name, g, norm, g.shape[axis], axis=axis)
        return _resized(xp, g, x, (axis,))

    return rule


def _by_n(name: str) -> Callable[..., Array]:
    """Return the rule of a transform that is undone by another, along several axes."""

    def rule(xp: Namespace, g: Array, y: Any, x: Any, *, s: Any = None, axes: Any = None,
             norm: str = "backward") -> Array:  # fmt: skip
        """Transform back."""
        axes = _axes(x, s, axes)
        g = _back(xp, name, g, norm, math.prod(g.shape[a] for a in axes), axes=axes)
        return _resized(xp, g, x, axes)

    return rule


def _rfft(xp: Namespace, g: Array, y: Any, x: Any, *, n: int | None = None, axis: int = -1,
          norm: str = "backward") -> Array:  # fmt: skip
    """Transform back: mirror images, which it would add, had no cotangent."""
    n = x.shape[axis] if n is None else n
    g = _weigh_mirrored(xp, g, x, n, axis, 0.5, x.dtype)
    return _resized(xp, _back(xp, "irfft", g, norm, n, n=n, axis=axis), x, (axis,))


def _irfft(xp: Namespace, g: Array, y: Any, x: Any, *, n: int | None = None, axis: int = -1,
           norm: str = "backward") -> Array:  # fmt: skip
    """Transform back; a coefficient has the cotangent of its mirror image too."""
    half = xp.fft.rfft(g, axis=axis, norm=_OPPOSITE[norm])
    return _resized(xp, _weigh_mirrored(xp, half, x, g.shape[axis], axis, 2.0, g.dtype), x, (axis,))


def _hfft(xp: Namespace, g: Array, y: Any, x: Any, *, n: int | None = None, axis: int = -1,
          norm: str = "backward") -> Array:  # fmt: skip
    """Do what `irfft` of the conjugate, under the opposite norm, does."""
    return conj(xp, _irfft(xp, g, y, x, n=n, axis=axis, norm=_OPPOSITE[norm]))


def _ihfft(xp: Namespace, g: Array, y: Any, x: Any, *, n: int | None = None, axis: int = -1,
           norm: str = "backward") -> Array:  # fmt: skip
    """Do what the conjugate of `rfft`, under the opposite norm, does."""
    return _rfft(xp, conj(xp, g), y, x, n=n, axis=axis, norm=_OPPOSITE[norm])


def _rfftn(xp: Namespace, g: Array, y: Any, x: Any, *, s: Any = None, axes: Any = None,
           norm: str = "backward") -> Array:  # fmt: skip
    """Transform the other axes back, then the last, which was halved."""
    *others, last = _axes(x, s, axes)
    if others:
        count = math.prod(g.shape[a] for a in others)
        g = _back(xp, "ifftn", g, norm, count, axes=tuple(others))
    g = _rfft(xp, g, y, x, n=None if s is None else s[-1], axis=last, norm=norm)
    return _resized(xp, g, x, others)


def _irfftn(xp: Namespace, g: Array, y: Any, x: Any, *, s: Any = None, axes: Any = None,
            norm: str = "backward") -> Array:  # fmt: skip
    """Transform the last axis back, which was doubled, then the others."""
    *others, last = _axes(x, s, axes)
    g = _irfft(xp, g, y, x, axis=last, norm=norm)
    if others:
        g = xp.fft.fftn(g, axes=tuple(others), norm=_OPPOSITE[norm])
    return _resized(xp, g, x, others)


def _frequencies(name: str) -> Any:
    """Return a function of the sample spacing: frequencies are its inverse."""

    def frequencies(xp: Namespace, n: int, /, *, d: Any = 1.0, **keywords: Any) -> Array:
        if isinstance(d, (int, float)):
            return constant(xp, name, n, d=d, **keywords)
        return constant(xp, name, n, **keywords) / d

    return frequencies


# fmt: off
COMPOSITIONS = {
    "fft.fftfreq":   _frequencies("fft.fftfreq"),
    "fft.rfftfreq":  _frequencies("fft.rfftfreq"),
}
LINEAR = {
    "fft.fft":       (_by("ifft"),),
    "fft.fftn":      (_by_n("ifftn"),),
    "fft.fftshift":  (lambda xp, g, y, x, *, axes=None: xp.fft.ifftshift(g, axes=axes),),
    "fft.hfft":      (_hfft,),
    "fft.ifft":      (_by("fft"),),
    "fft.ifftn":     (_by_n("fftn"),),
    "fft.ifftshift": (lambda xp, g, y, x, *, axes=None: xp.fft.fftshift(g, axes=axes),),
    "fft.ihfft":     (_ihfft,),
    "fft.irfft":     (_irfft,),
    "fft.irfftn":    (_irfftn,),
    "fft.rfft":      (_rfft,),
    "fft.rfftn":     (_rfftn,),
}
# fmt: on
