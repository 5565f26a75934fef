"""NumPy's `fft`: the standard's transforms, along other axes by default."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import Function, as_array

__all__ = ["FUNCTIONS"]


def _along_axis(name: str) -> Function:
    """Return a transform along one axis."""

    def function(xp: Namespace, a: Any, n: int | None = None, axis: int = -1,
                 norm: str | None = None) -> Array:  # fmt: skip
        return getattr(xp.fft, name)(as_array(xp, a), n=n, axis=axis, norm=norm or "backward")

    return function


def _along_axes(name: str, default: Any = None) -> Function:
    """Return a transform along several axes."""

    def function(xp: Namespace, a: Any, s: Any = None, axes: Any = default,
                 norm: str | None = None) -> Array:  # fmt: skip
        return getattr(xp.fft, name)(as_array(xp, a), s=s, axes=axes, norm=norm or "backward")

    return function


def _shift(name: str) -> Function:
    return lambda xp, x, axes=None: getattr(xp.fft, name)(as_array(xp, x), axes=axes)


_ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
_SEVERAL = ("fftn", "ifftn", "rfftn", "irfftn")


FUNCTIONS: dict[str, Function] = {
    **{f"fft.{name}": _along_axis(name) for name in _ONE},
    **{f"fft.{name}": _along_axes(name) for name in _SEVERAL},
    **{f"fft.{name[:-1]}2": _along_axes(name, (-2, -1)) for name in _SEVERAL},
    **{f"fft.{name}": _shift(name) for name in ("fftshift", "ifftshift")},
}
