"""NumPy's elementwise functions (ufuncs) and their methods, on traced arrays."""

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.general import strip, top_tape
from arraygrad.autodiff.tape.methods import Methods, refuse_out
from arraygrad.autodiff.tape.record import CONSTANTS
from arraygrad.errors import GraphBreakError, NoRuleError
from arraygrad.rules.table import entry_of

__all__ = ["apply", "apply_method", "standard_name", "without_rule"]

LN2 = math.log(2)

_RENAMED = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin",
    "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh",
    "conjugate": "conj", "fabs": "abs", "fix": "trunc", "invert": "bitwise_invert", "power": "pow",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "rint": "round",
    "true_divide": "divide",
}  # fmt: skip


def standard_name(name: str) -> str | None:
    """Return the standard's name of an elementwise function, `None` if it has none."""
    name = _RENAMED.get(name, name)
    return None if entry_of(name) is None else name


# --- what the standard lacks ----------------------------------------------------------------------


def _together(xp: Namespace, *operands: Any) -> list[Array]:
    """Return operands as arrays of the dtype that NumPy gives them together."""
    dtype = xp.result_type(*operands)
    arrays = (x if isinstance(x, Methods) else xp.asarray(x, dtype=dtype) for x in operands)
    return [xp.astype(x, dtype, copy=False) for x in arrays]


def _but_nan(name: str) -> Callable[..., Array]:
    """Return the function that takes the other operand where one is not a number."""

    def function(xp: Namespace, a: Any, b: Any) -> Array:
        a, b = _together(xp, a, b)
        neither = xp.where(xp.isnan(b), a, getattr(xp, name)(a, b))
        return xp.where(xp.isnan(a), b, neither)

    return function


def _cbrt(xp: Namespace, x: Array) -> Array:
    """Return the cube root, which is infinitely steep at 0."""
    side = xp.copysign(xp.ones_like(x), x)
    return side * (side * x) ** (1 / 3)


def _float_power(xp: Namespace, a: Any, b: Any) -> Array:
    """Return a power, in double precision at least."""
    a, b = _together(xp, a, b)
    wide = xp.result_type(a, b, xp.float64)
    return xp.astype(a, wide) ** xp.astype(b, wide)


def _fmod(xp: Namespace, a: Any, b: Any) -> Array:
    """Return the remainder with the sign of the dividend."""
    a, b = _together(xp, a, b)
    return xp.where(a < 0, -xp.remainder(-a, abs(b)), xp.remainder(a, abs(b)))


def _heaviside(xp: Namespace, x: Any, h: Any) -> Array:
    """Return 0 below 0, `h` at 0, 1 above."""
    x, h = _together(xp, x, h)
    return xp.where(x == 0, h, (xp.sign(x) + 1) / 2)


def _modf(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Return the fractional part and the integral part."""
    whole = xp.trunc(x)
    return x - whole, whole


# fmt: off
_COMPOSED: dict[str, Callable[..., Any]] = {
    "cbrt":        _cbrt,
    "deg2rad":     lambda xp, x: x * (math.pi / 180),
    "degrees":     lambda xp, x: x * (180 / math.pi),
    "divmod":      lambda xp, a, b: (a // b, a % b),
    "exp2":        lambda xp, x: 2.0 ** x,
    "float_power": _float_power,
    "fmax":        _but_nan("maximum"),
    "fmin":        _but_nan("minimum"),
    "fmod":        _fmod,
    "heaviside":   _heaviside,
    "ldexp":       lambda xp, x, n: x * 2.0 ** n,
    "logaddexp2":  lambda xp, a, b: xp.logaddexp(*_together(xp, a * LN2, b * LN2)) / LN2,
    "matvec":      lambda xp, a, b: xp.matmul(a, b[..., None])[..., 0],
    "modf":        _modf,
    "power":       lambda xp, a, b: a ** b,  # quicker than `pow` where `b` is a number
    "rad2deg":     lambda xp, x: x * (180 / math.pi),
    "radians":     lambda xp, x: x * (math.pi / 180),
    "vecmat":      lambda xp, a, b: xp.matmul(a.conj()[..., None, :], b)[..., 0, :],
}
# fmt: on


# --- applying -------------------------------------------------------------------------------------

_NUMBERS = frozenset({bool, complex, float, int})
_IGNORED = frozenset({"casting", "order", "subok"})
_REDUCED = {
    "add": "sum", "logical_and": "all", "logical_or": "any", "maximum": "max", "minimum": "min",
    "multiply": "prod",
}  # fmt: skip
_ACCUMULATED = {"add": "cumsum", "multiply": "cumprod"}


def apply(space: Any, name: str, known: Any, inputs: Any, keywords: dict[str, Any]) -> Any:
    """Apply the elementwise function `known`, NumPy's or CuPy's, of a name."""
    operands = [_operand(space, x) for x in inputs]
    if keywords:
        operands, keywords = _apply_options(space, name, operands, keywords)
    return _function(space, name, known)(*operands, **keywords)


def _apply_options(space: Any, name: str, operands: Any, keywords: dict[str, Any]) -> Any:
    """Cast operands to a `dtype`; return them with the options that are left."""
    left = {key: value for key, value in keywords.items() if key not in _IGNORED}
    refuse_out(left.pop("out", None), name)
    dtype = left.pop("dtype", None)
    if dtype is not None:
        operands = [space.astype(x, dtype) for x in _together(space, *operands)]
    if left.keys() - {"axis"}:
        message = f"{name} with {', '.join(map(repr, left))} has no derivative rule"
        raise NoRuleError(message)
    return operands, left


def _operand(space: Any, x: Any) -> Any:
    """Return an operand as a traced array; a Python number stays what it is."""
    return x if isinstance(x, Methods) or type(x) in _NUMBERS else space.asarray(x)


def _function(space: Any, name: str, known: Any) -> Any:
    """Return what serves an elementwise function in a traced namespace."""
    composed, standard = _COMPOSED.get(name), standard_name(name)
    if composed is not None:
        return partial(composed, space)
    if standard is not None:
        return reduce(getattr, standard.split("."), space)
    return lambda *args, **kwargs: without_rule(space, name, known, args, kwargs)


def without_rule(space: Any, name: str, known: Any, args: Any, kwargs: Any) -> Any:
    """Serve constants by NumPy's own function, and refuse to lose a gradient."""
    if top_tape((args, kwargs)) is not CONSTANTS:
        message = (
            f"numpy.{name} has no derivative rule: "
            "take stop_gradient of its arguments, or write it with other functions"
        )
        raise NoRuleError(message)
    return space.lift_all(known(*strip(args), **strip(kwargs)))


def apply_method(
    space: Any, name: str, method: str, known: Any, inputs: Any, keywords: dict[str, Any]
) -> Any:
    """Apply a method of an elementwise function, like `np.add.reduce(x)`."""
    if method == "at":
        message = f"numpy.{name}.at writes into an array: write `x[key] = value` instead"
        raise GraphBreakError(message)
    if method == "outer":
        a, b = (space.asarray(x) for x in inputs)
        a = space.reshape(a, a.shape + (1,) * b.ndim)
        return apply(space, name, known, (a, b), keywords)
    spelt = {"reduce": _REDUCED, "accumulate": _ACCUMULATED}.get(method, {}).get(name)
    if spelt is None:
        return without_rule(space, f"{name}.{method}", getattr(known, method), inputs, keywords)
    x, dtype = space.asarray(inputs[0]), keywords.pop("dtype", None)
    x = x if dtype is None else x.astype(dtype)
    axis, *others = inputs[1:] or (keywords.pop("axis", 0),)
    return getattr(x, spelt)(axis, *others, **keywords)
