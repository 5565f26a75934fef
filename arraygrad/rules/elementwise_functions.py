"""Derivatives of the standard's elementwise functions: the calculus book.

Kinks have one value, here and nowhere else: 0 for `abs` at 0 and `hypot` at (0, 0); ties of
`maximum` and `minimum` are split evenly; `clip` has slope 1 on its bounds.
"""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import unbroadcast

__all__ = ["CONSTANT", "DERIVATIVES", "LINEAR", "NOT_HOLOMORPHIC", "PULLBACKS"]

LN2, LN10 = math.log(2), math.log(10)


def pow_base(xp: Namespace, y: Array, a: Array, b: Array) -> Array:
    """Return b a^(b-1), which is 0 for b = 0 even where a = 0."""
    return b * a ** xp.where(b == 0, 1.0, b - 1)


def pow_exponent(xp: Namespace, y: Array, a: Array, b: Array) -> Array:
    """Return y log(a), which is 0 where a = 0."""
    return y * xp.log(xp.where(a == 0, 1.0, a))


def hypot_side(xp: Namespace, y: Array, a: Array) -> Array:
    """Return a / y, which is 0 at the origin."""
    return a / xp.where(y == 0, 1.0, y)


def softmax_of(xp: Namespace, y: Array, a: Array) -> Array:
    """Return exp(a - y), which is 0 where both terms of the sum were -inf."""
    return xp.exp(a - xp.where(y == -math.inf, 0.0, y))


def share_of_larger(xp: Namespace, y: Array, a: Array, b: Array) -> Array:
    """Return 1 where a > b, 1/2 where they are equal, else 0: comparisons beat `where`."""
    return (xp.astype(a > b, y.dtype) + xp.astype(a >= b, y.dtype)) * 0.5


def same_sign(xp: Namespace, y: Array, a: Array) -> Array:
    """Return 1 where `a` and `y` have the same sign, else -1."""
    return xp.astype(xp.signbit(a) == xp.signbit(y), y.dtype) * 2 - 1


# fmt: off
DERIVATIVES = {
    # name         d/dx1                                       d/dx2
    "abs":         (lambda xp, y, x: xp.sign(x),),
    "acos":        (lambda xp, y, x: -1 / xp.sqrt((1 - x) * (1 + x)),),
    "acosh":       (lambda xp, y, x: 1 / (xp.sqrt(x - 1) * xp.sqrt(x + 1)),),
    "add":         (lambda xp, y, a, b: 1,                     lambda xp, y, a, b: 1),
    "asin":        (lambda xp, y, x: 1 / xp.sqrt((1 - x) * (1 + x)),),
    "asinh":       (lambda xp, y, x: 1 / xp.sqrt(x * x + 1),),
    "atan":        (lambda xp, y, x: 1 / (x * x + 1),),
    "atan2":       (lambda xp, y, a, b: b / (a * a + b * b),   lambda xp, y, a, b: -a / (a * a + b * b)),
    "atanh":       (lambda xp, y, x: 1 / ((1 - x) * (1 + x)),),
    "copysign":    (lambda xp, y, a, b: same_sign(xp, y, a), None),
    "cos":         (lambda xp, y, x: -xp.sin(x),),
    "cosh":        (lambda xp, y, x: xp.sinh(x),),
    "divide":      (lambda xp, y, a, b: 1 / b,                 lambda xp, y, a, b: -y / b),
    "exp":         (lambda xp, y, x: y,),
    "expm1":       (lambda xp, y, x: y + 1,),
    "hypot":       (lambda xp, y, a, b: hypot_side(xp, y, a),  lambda xp, y, a, b: hypot_side(xp, y, b)),
    "log":         (lambda xp, y, x: 1 / x,),
    "log10":       (lambda xp, y, x: 1 / (x * LN10),),
    "log1p":       (lambda xp, y, x: 1 / (x + 1),),
    "log2":        (lambda xp, y, x: 1 / (x * LN2),),
    "logaddexp":   (lambda xp, y, a, b: softmax_of(xp, y, a),  lambda xp, y, a, b: softmax_of(xp, y, b)),
    "maximum":     (lambda xp, y, a, b: share_of_larger(xp, y, a, b), lambda xp, y, a, b: share_of_larger(xp, y, b, a)),
    "minimum":     (lambda xp, y, a, b: share_of_larger(xp, y, b, a), lambda xp, y, a, b: share_of_larger(xp, y, a, b)),
    "multiply":    (lambda xp, y, a, b: b,                     lambda xp, y, a, b: a),
    "negative":    (lambda xp, y, x: -1,),
    "nextafter":   (lambda xp, y, a, b: 1,                     None),
    "positive":    (lambda xp, y, x: 1,),
    "pow":         (pow_base,                                  pow_exponent),
    "reciprocal":  (lambda xp, y, x: -(y * y),),
    "remainder":   (lambda xp, y, a, b: 1,                     lambda xp, y, a, b: -xp.floor(a / b)),
    "sin":         (lambda xp, y, x: xp.cos(x),),
    "sinh":        (lambda xp, y, x: xp.cosh(x),),
    "sqrt":        (lambda xp, y, x: 1 / (2 * y),),
    "square":      (lambda xp, y, x: 2 * x,),
    "subtract":    (lambda xp, y, a, b: 1,                     lambda xp, y, a, b: -1),
    "tan":         (lambda xp, y, x: y * y + 1,),
    "tanh":        (lambda xp, y, x: 1 - y * y,),
    # a primitive of ours: x ** n for a Python number n
    "power_of":    (lambda xp, y, x, n: n * x ** (n - 1),      None),
}

LINEAR = {
    "conj":        (lambda xp, g, y, x: xp.conj(g) if xp.isdtype(x.dtype, "complex floating") else g,),
    "imag":        (lambda xp, g, y, x: xp.astype(g, x.dtype) * 1j,),
    "real":        (lambda xp, g, y, x: g,),
}
# fmt: on


def clip_inside(
    xp: Namespace, g: Array, y: Array, x: Array, min: Any = None, max: Any = None
) -> Array:
    """Pass the cotangent where neither bound was taken."""
    if min is not None:
        g = xp.where(x < min, 0, g)
    if max is not None:
        g = xp.where(x > max, 0, g)
    return unbroadcast(xp, g, x.shape)


def clip_min(xp: Namespace, g: Array, y: Array, x: Array, min: Array, max: Any = None) -> Array:
    """Pass the cotangent where the lower bound was taken."""
    taken = x < min if max is None else (x < min) & (min <= max)
    return unbroadcast(xp, xp.where(taken, g, 0), min.shape)


def clip_max(xp: Namespace, g: Array, y: Array, x: Array, min: Any, max: Array) -> Array:
    """Pass the cotangent where the upper bound was taken."""
    taken = x > max if min is None else (x > max) | (min > max)
    return unbroadcast(xp, xp.where(taken, g, 0), max.shape)


PULLBACKS = {"clip": (clip_inside, clip_min, clip_max)}


def abs_complex(xp: Namespace, g: Array, y: Array, x: Array) -> Array:
    """Return g x / |x|, which is 0 at 0."""
    radius = xp.where(y == 0, xp.ones_like(y), y)
    return xp.astype(g / radius, x.dtype) * x


def sign_complex(xp: Namespace, g: Array, y: Array, x: Array) -> Array:
    """Return the part of the cotangent that turns z / |z|, over |z|; 0 at 0."""
    radius = xp.abs(x)
    along = xp.real(xp.conj(y) * g)
    return (
        (g - y * xp.astype(along, y.dtype))
        / xp.astype(xp.where(radius == 0, xp.ones_like(radius), radius), y.dtype)
        * xp.astype(radius != 0, y.dtype)
    )


# Pullbacks for complex operands where the function is not holomorphic.
NOT_HOLOMORPHIC = {
    "abs": (abs_complex,),
    "sign": (sign_complex,),
}

CONSTANT = frozenset(
    "bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor ceil"
    " equal floor floor_divide greater greater_equal isfinite isinf isnan less less_equal"
    " logical_and logical_not logical_or logical_xor not_equal round sign signbit trunc".split()
)
