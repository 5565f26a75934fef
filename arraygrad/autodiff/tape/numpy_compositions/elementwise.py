"""Functions of each element by itself that are no ufuncs."""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import Function, as_array, as_floating

__all__ = ["FUNCTIONS"]


def angle(xp: Namespace, z: Any, deg: bool = False) -> Array:
    """Return the argument of complex numbers."""
    z = as_array(xp, z)
    angle = xp.atan2(z.imag, z.real)
    return angle * (180 / math.pi) if deg else angle


def sinc(xp: Namespace, x: Any) -> Array:
    """Return sin(πx) / (πx): near 0 a power series, which has derivatives of all orders."""
    y = math.pi * as_floating(xp, x)
    square, near = y * y, abs(y) < 0.5
    series = xp.ones_like(y)
    for n in range(16, 0, -2):
        series = 1 - series * square / (n * (n + 1))
    safe = xp.where(near, 1.0, y)
    return xp.where(near, series, xp.sin(safe) / safe)


def real_if_close(xp: Namespace, a: Any, tol: float = 100) -> Array:
    """Return the real part, if the imaginary parts are no more than rounding."""
    x = as_array(xp, a)
    if not xp.is_complex(x.dtype):
        return x
    tol = tol * xp.finfo(x.dtype).eps if tol > 1 else tol
    return x.real if xp.all(abs(x.imag) < tol) else x


FUNCTIONS: dict[str, Function] = {
    "angle": angle,
    "astype": lambda xp, x, dtype, /, *, copy=True: xp.astype(x, dtype, copy=copy),
    "copy": lambda xp, a, order="K", subok=False: as_array(xp, a).copy(),
    "fix": lambda xp, x: xp.trunc(x),
    "full_like": lambda xp, a, fill_value, dtype=None: xp.full_like(a, fill_value, dtype=dtype),
    "i0": lambda xp, x: xp.special.i0(x),
    "imag": lambda xp, val: as_array(xp, val).imag,
    "real": lambda xp, val: as_array(xp, val).real,
    "real_if_close": real_if_close,
    "sinc": sinc,
}
