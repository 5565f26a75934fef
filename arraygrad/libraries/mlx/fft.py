"""The standard's `fft` on MLX: what it lacks, and where it names arguments otherwise."""

from typing import Any

import mlx.core as mx

from arraygrad._typing import Array

__all__ = ["fftfreq", "hfft", "ihfft", "rfftfreq"]

_OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def hfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Transform the half of a Hermitian signal."""
    return mx.fft.irfft(mx.conj(x), n, axis, _OPPOSITE[norm])


def ihfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Return the half of a Hermitian signal."""
    return mx.conj(mx.fft.rfft(x, n, axis, _OPPOSITE[norm]))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """Return the frequencies of a transform."""
    found = mx.fft.fftfreq(n, d, stream=device)
    return found if dtype is None else mx.astype(found, dtype)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """Return the frequencies of a transform of real values."""
    found = mx.fft.rfftfreq(n, d, stream=device)
    return found if dtype is None else mx.astype(found, dtype)
