"""Functions that the rules need and the standard lacks.

`scatter_add`, `set_at` and `constant` ask a tape's namespace for its own version, so that they
can be recorded; the others are spelt with functions of the standard, which record themselves.
"""

from collections.abc import Callable
from functools import cache, reduce
from typing import Any

from arraygrad import _namespace
from arraygrad._typing import Array, Namespace
from arraygrad.errors import ShapeError
from arraygrad.libraries import indexing, library_of
from arraygrad.libraries.indexing import broadcast_mask

__all__ = [
    "axis_of",
    "broadcast_mask",
    "conj",
    "constant",
    "getitem",
    "readable",
    "scatter_add",
    "set_at",
    "solve_adjoint",
    "times",
    "to_device",
    "transposed",
    "unbroadcast",
    "zeros_kept",
    "zeros_of",
]

_is_complex = cache(_namespace.is_complex)


def _traced(xp: Namespace, name: str) -> Callable[..., Any] | None:
    """Return the traced version of a primitive, if `xp` is the namespace of a tape."""
    primitive = getattr(xp, "__arraygrad_primitive__", None)
    return None if primitive is None else primitive(name)


def readable(xp: Namespace) -> bool:
    """Say whether a rule may look at values, which is free then; in a trace it may, too."""
    traced = hasattr(xp, "__arraygrad_primitive__")
    return (xp.library if traced else library_of(xp)).readable


def getitem(xp: Namespace, x: Array, key: Any) -> Array:
    """Return `x[key]`."""
    own = None if hasattr(xp, "__arraygrad_primitive__") else library_of(xp).getitem
    return indexing.getitem(xp, x, key) if own is None else own(x, key)


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates in `key` add up."""
    traced = _traced(xp, "scatter_add")
    if traced is not None:
        return traced(x, key, values)
    return library_of(xp).scatter_add(xp, x, key, values)


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value`, broadcast, at `key`, which has no duplicates."""
    traced = _traced(xp, "set_at")
    if traced is not None:
        return traced(x, key, value)
    return library_of(xp).set_at(xp, x, key, value)


def solve_adjoint(xp: Namespace, a: Array, b: Array, triangle: str | None = None) -> Array:
    """Return a⁻ᴴ b for matrices; `triangle` says that only "lower" or "upper" is not zero."""
    if hasattr(xp, "__arraygrad_primitive__"):  # that of the standard records itself
        return xp.linalg.solve(conj(xp, xp.matrix_transpose(a)), b)
    return library_of(xp).solve_adjoint(xp, a, b, triangle)


def to_device(xp: Namespace, x: Array, device: Any) -> Array:
    """Return an array on a device."""
    traced = _traced(xp, "to_device")
    return _namespace.to_device(x, device) if traced is None else traced(x, device)


def constant(xp: Namespace, name: str, *arguments: Any, **keywords: Any) -> Any:
    """Return what a function of the standard gives, cut from every graph: indices, counts."""
    traced = _traced(xp, "constant")
    if traced is not None:
        return traced(name, *arguments, **keywords)
    return reduce(getattr, name.split("."), xp)(*arguments, **keywords)


def unbroadcast(xp: Namespace, g: Array, shape: tuple[int, ...]) -> Array:
    """Return the transpose of broadcasting from `shape`: sum over what was repeated."""
    if g.shape == shape:
        return g
    wide, added = g.shape, len(g.shape) - len(shape)
    if added < 0:  # NumPy drops axes of length 1 in front of what it writes
        return xp.reshape(unbroadcast(xp, g, shape[-added:]), shape)
    axes = [*range(added)]
    if wide[added:] != shape:
        # Only what has length 1 was repeated: others may differ in being unknown, which is NaN.
        axes += [added + n for n, length in enumerate(shape) if length == 1 != wide[added + n]]
    if axes:
        g = xp.sum(g, axis=axes[0] if len(axes) == 1 else tuple(axes))
    return g if g.shape == shape else xp.reshape(g, shape)


def zeros_of(xp: Namespace, g: Array, x: Any) -> Array:
    """Return zeros in the shape of `x`, on its device, in the dtype of `g`."""
    return xp.zeros(x.shape, dtype=g.dtype, device=x.device)


def conj(xp: Namespace, x: Array) -> Array:
    """Return the conjugate; a real array is its own, without a copy."""
    return xp.conj(x) if _is_complex(xp, x.dtype) else x


def axis_of(x: Array, axis: int) -> int:
    """Return an axis counted from the front.

    Raises
    ------
    ShapeError
        If there is no such axis.
    """
    count: int = x.ndim
    if not -count <= axis < count:
        message = f"axis {axis} is out of range for an array of shape {tuple(x.shape)}"
        raise ShapeError(message)
    return axis % count


def transposed(xp: Namespace, x: Array) -> Array:
    """Return the transposes of matrices: by the method, which is quicker, where there is one."""
    found: Array = x.mT if hasattr(x, "mT") else xp.matrix_transpose(x)
    return found


def zeros_kept(xp: Namespace, g: Array, product: Array) -> Array:
    """Return a product of a cotangent, where a zero of that wins against an infinite factor.

    Nowhere else: the product's own derivative is the factor, at a zero too.
    """
    return xp.where((g == 0) & ~xp.isfinite(product), 0, product)


def times(xp: Namespace, g: Array, factor: Array) -> Array:
    """Return `g * factor`, where a zero cotangent wins against an infinite factor."""
    masked = (g == 0) & ~xp.isfinite(factor)
    return g * xp.where(masked, 0, factor)
