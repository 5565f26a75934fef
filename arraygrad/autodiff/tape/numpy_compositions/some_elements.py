"""Reductions of some elements only, or with a first operand: NumPy's `where` and `initial`.

They are methods of the traced array, so that functions, methods and ufuncs share them.
"""

from typing import Any

from arraygrad._typing import Array

__all__ = ["degrees_lost", "mean_where", "reduce_where", "root", "variance_where"]

_IDENTITY: dict[str, Any] = {"all": True, "any": False, "prod": 1, "sum": 0}
_JOIN = {"max": "maximum", "min": "minimum", "prod": "multiply", "sum": "add"}


def reduce_where(
    x: Any, name: str, axis: Any, keepdims: bool, where: Any, initial: Any = None
) -> Array:
    """Reduce the elements where a mask holds, and one operand more."""
    xp = x._space
    if where is not True:
        instead = _IDENTITY.get(name, initial)
        if instead is None:
            message = f"{name} of some elements has no identity: `where` needs `initial`"
            raise ValueError(message)
        x = xp.where(_mask(xp, where), x != 0 if name in ("all", "any") else x, instead)
    y = x._quick[name](x, axis=axis, keepdims=keepdims)
    return y if initial is None else getattr(xp, _JOIN[name])(y, initial)


def mean_where(x: Any, axis: Any, keepdims: bool, where: Any) -> Array:
    """Return the mean of the elements where a mask holds."""
    xp = x._space
    chosen = xp.broadcast_to(_mask(xp, where), x.shape)
    total = reduce_where(x, "sum", axis, keepdims, chosen)
    dtype = total.dtype if xp.is_floating(total.dtype) else xp.float64
    return total / xp.sum(xp.astype(chosen, dtype), axis=axis, keepdims=keepdims)


def variance_where(
    x: Any, axis: Any, lost: float, keepdims: bool, where: Any, empty: float = 0.0
) -> Array:
    """Return the variance of the elements where a mask holds; too few are divided by `empty`."""
    xp = x._space
    chosen = xp.broadcast_to(_mask(xp, where), x.shape)
    apart = xp.where(chosen, x - mean_where(x, axis, True, chosen), 0)
    squares = xp.real(apart * apart.conj()) if xp.is_complex(x.dtype) else apart * apart
    count = xp.sum(xp.astype(chosen, squares.dtype), axis=axis, keepdims=keepdims)
    left = count - lost
    return xp.sum(squares, axis=axis, keepdims=keepdims) / xp.where(left > 0, left, empty)


def root(variance: Any) -> Array:
    """Return the standard deviation: of equal elements, with derivative 0."""
    xp, zero = variance._space, variance == 0
    return xp.where(zero, 0, xp.sqrt(xp.where(zero, 1, variance)))


def degrees_lost(ddof: float, correction: float | None) -> float:
    """Return what is subtracted from the number of elements, by either of its names."""
    if correction is None:
        return ddof
    if ddof:
        message = "`ddof` and `correction` are two names of one number: give one"
        raise ValueError(message)
    return correction


def _mask(xp: Any, where: Any) -> Array:
    mask = xp.asarray(where)
    return mask if mask._quick.truth else mask != 0
