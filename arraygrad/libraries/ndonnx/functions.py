"""The standard's functions that ndonnx lacks, rounds to single precision, or gets wrong.

onnxruntime has few functions in double precision. Here they are made of those that it has: `exp`,
`log`, `sin`, `sqrt` and their kin.
"""

import math
from collections.abc import Callable
from typing import Any

import ndonnx as ndx
import numpy as np
import spox.opset.ai.onnx.v21 as op

from arraygrad._typing import Array, DType
from arraygrad.libraries.ndonnx import linalg

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "broadcast_shapes",
    "concat",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "cumulative_prod",
    "expand_dims",
    "hypot",
    "isin",
    "linalg",
    "logaddexp",
    "matmul",
    "real",
    "signbit",
    "sinh",
    "stack",
    "std",
    "take",
    "take_along_axis",
    "tan",
    "tensordot",
    "var",
    "vecdot",
    "where",
]

Function = Callable[[Array], Array]

_LARGE = 1e8  # from here on x² + 1 rounds to x²


# --- arrays of NumPy that a function closes over --------------------------------------------------


def _with_constants(name: str) -> Callable[..., Array]:
    """Return the library's function, which takes arrays of NumPy as constants."""
    own: Callable[..., Array] = getattr(ndx, name)

    def function(*arguments: Any, **keywords: Any) -> Array:
        return own(*map(_constant, arguments), **keywords)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return `{name}`, of NumPy's arrays too."
    return function


def _constant(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(map(_constant, x))
    return ndx.asarray(x) if isinstance(x, np.ndarray) else x


concat, stack = map(_with_constants, ("concat", "stack"))
take, tensordot, vecdot, where = map(_with_constants, ("take", "tensordot", "vecdot", "where"))

_matmul = _with_constants("matmul")


def matmul(x1: Any, x2: Any, /) -> Array:
    """Return products of matrices, ONNX's own.

    That of ndonnx brings twenty nodes, in case there should be no elements.
    """
    x1, x2 = _constant(x1), _constant(x2)
    plain = x1.dtype == x2.dtype and x1.dtype in (ndx.float32, ndx.float64)
    if not plain or not all(n for x in (x1, x2) for n in x.shape):
        return _matmul(x1, x2)
    return ndx.asarray(op.matmul(x1.unwrap_spox(), x2.unwrap_spox()))


# --- double precision -----------------------------------------------------------------------------


def _double(name: str, formula: Function) -> Function:
    """Return the library's function, in double precision a formula for it."""
    own: Function = getattr(ndx, name)

    def function(x: Array, /) -> Array:
        return formula(x) if x.dtype == ndx.float64 else own(x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return `{name}` in the precision of the argument."
    return function


def _cos(x: Array) -> Array:
    half = ndx.sin(x / 2)  # halving is exact, a shift by π/2 is not
    return 1 - 2 * half * half


def _asinh(x: Array) -> Array:
    a = ndx.abs(x)
    near = ndx.clip(a, max=_LARGE)
    square = near * near
    inside = ndx.log1p(near + square / (1 + ndx.sqrt(1 + square)))
    return ndx.sign(x) * ndx.where(a > _LARGE, ndx.log(a) + math.log(2), inside)


def _acosh(x: Array) -> Array:
    t = ndx.clip(x, max=_LARGE) - 1
    inside = ndx.log1p(t + ndx.sqrt(t * (2 + t)))
    return ndx.where(x > _LARGE, ndx.log(x) + math.log(2), inside)


def _atan(x: Array) -> Array:
    """Return the single precision's angle, and what is left: tan(a - b) without its tangents."""
    a = ndx.abs(x)
    small = ndx.where(a > 1, 1 / a, a)
    angle = ndx.astype(ndx.atan(ndx.astype(small, ndx.float32)), ndx.float64)
    s, c = ndx.sin(angle), _cos(angle)
    angle = angle + (small * c - s) / (c + small * s)
    return ndx.sign(x) * ndx.where(a > 1, math.pi / 2 - angle, angle)


cos = _double("cos", _cos)
tan = _double("tan", lambda x: ndx.sin(x) / _cos(x))
sinh = _double("sinh", lambda x: (ndx.expm1(x) - ndx.expm1(-x)) / 2)
cosh = _double("cosh", lambda x: (ndx.exp(x) + ndx.exp(-x)) / 2)
asinh = _double("asinh", _asinh)
acosh = _double("acosh", _acosh)
atanh = _double("atanh", lambda x: (ndx.log1p(x) - ndx.log1p(-x)) / 2)
atan = _double("atan", _atan)
asin = _double("asin", lambda x: _atan(x / ndx.sqrt((1 - x) * (1 + x))))
acos = _double("acos", lambda x: 2 * _atan(ndx.sqrt((1 - x) / (1 + x))))


# --- what ndonnx leaves out, or gets wrong --------------------------------------------------------


def conj(x: Array, /) -> Array:
    """Return real numbers as they are."""
    return ndx.positive(x)


def real(x: Array, /) -> Array:
    """Return real numbers as they are."""
    return ndx.positive(x)


def _pair(x1: Any, x2: Any) -> tuple[Array, Array]:
    """Return two operands as arrays: a number is one of the other's dtype."""
    if not isinstance(x1, ndx.Array):
        return ndx.asarray(x1, dtype=x2.dtype), x2
    if not isinstance(x2, ndx.Array):
        return x1, ndx.asarray(x2, dtype=x1.dtype)
    return x1, x2


def signbit(x: Array, /) -> Array:
    """Return where a sign is set, that of a zero too."""
    return (x < 0) | ((x == 0) & (1 / x < 0))


def copysign(x1: Any, x2: Any, /) -> Array:
    """Return magnitudes with other signs."""
    x1, x2 = _pair(x1, x2)
    a = ndx.abs(x1)
    return ndx.where(signbit(x2), -a, a)


def hypot(x1: Any, x2: Any, /) -> Array:
    """Return √(x1² + x2²) without overflow."""
    x1, x2 = map(ndx.abs, _pair(x1, x2))
    large, small = ndx.maximum(x1, x2), ndx.minimum(x1, x2)
    plain = (large == 0) | ndx.isinf(large)
    ratio = small / ndx.where(plain, ndx.ones_like(large), large)
    return ndx.where(plain, large, large * ndx.sqrt(1 + ratio * ratio))


def atan2(x1: Any, x2: Any, /) -> Array:
    """Return the angle of the point (x2, x1)."""
    y, x = _pair(x1, x2)
    half = ndx.where(signbit(y), -ndx.ones_like(y), ndx.ones_like(y)) * (math.pi / 2)
    swaps = ndx.abs(y) > ndx.abs(x)  # the quotient that is at most 1 has no infinite slope
    origin = (y == 0) & (x == 0)
    above, below = ndx.where(swaps, x, y), ndx.where(swaps, y, x)
    angle = atan(above / ndx.where(origin, ndx.ones_like(below), below))
    return ndx.where(swaps, half - angle, ndx.where(signbit(x), angle + 2 * half, angle))


def logaddexp(x1: Any, x2: Any, /) -> Array:
    """Return log(eˣ¹ + eˣ²), where both are infinite too."""
    x1, x2 = _pair(x1, x2)
    large = ndx.maximum(x1, x2)
    distance = ndx.where(x1 == x2, ndx.zeros_like(large), ndx.abs(x1 - x2))
    return large + ndx.log1p(ndx.exp(-distance))


def cumulative_prod(
    x: Array,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
) -> Array:
    """Return running products, doubling their reach each time.

    Those of ndonnx are exponentials of sums of logarithms: NaN where a factor is negative.
    """
    if axis is None and x.ndim > 1:
        message = "`axis` must be given for an array with several axes"
        raise ValueError(message)
    kept = ndx.cumulative_sum(x[:0] if axis is None else x, axis=axis or 0, dtype=dtype).dtype
    y = ndx.moveaxis(ndx.astype(x, kept), axis or 0, 0)
    reach, size = 1, y.shape[0]
    while reach < size:
        y = ndx.concat([y[:reach, ...], y[reach:, ...] * y[:-reach, ...]])
        reach *= 2
    if include_initial:
        y = ndx.concat([ndx.ones((1, *y.shape[1:]), dtype=kept), y])
    return ndx.moveaxis(y, 0, axis or 0)


def var(
    x: Array,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    correction: float = 0.0,
    keepdims: bool = False,
) -> Array:
    """Return variances; ndonnx takes whole corrections only."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    deviation = x - ndx.mean(x, axis=axis, keepdims=True)
    total = ndx.sum(deviation * deviation, axis=axis, keepdims=keepdims)
    return total / (math.prod(x.shape[a] for a in axes) - correction)


def std(
    x: Array,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    correction: float = 0.0,
    keepdims: bool = False,
) -> Array:
    """Return standard deviations."""
    return ndx.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that all of these broadcast to."""
    return np.broadcast_shapes(*shapes)


def expand_dims(x: Array, /, axis: int = 0) -> Array:
    """Return an array with a new axis; ndonnx takes it by keyword only."""
    return ndx.expand_dims(x, axis=axis)


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """Return elements along an axis; those of ndonnx do not broadcast."""
    axis %= x.ndim
    others = [(*s[:axis], 1, *s[axis + 1 :]) for s in (x.shape, indices.shape)]
    shape = broadcast_shapes(*others)

    def spread(a: Array) -> Array:
        return ndx.broadcast_to(a, (*shape[:axis], a.shape[axis], *shape[axis + 1 :]))

    return ndx.take_along_axis(spread(x), spread(_constant(indices)), axis=axis)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Array:
    """Return where elements are among others."""
    x1, x2 = _pair(x1, x2)
    found = ndx.any(x1[..., None] == ndx.reshape(x2, (-1,)), axis=-1)
    return ndx.logical_not(found) if invert else found
