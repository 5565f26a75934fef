"""Derivatives of the standard's utility functions."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import axis_of, to_device

__all__ = ["COMPOSITIONS", "CONSTANT", "LINEAR"]


def diff(xp: Namespace, x: Array, *, axis: int = -1, n: int = 1, prepend: Any = None,
         append: Any = None) -> Array:  # fmt: skip
    """Subtract neighbours, `n` times."""
    if n < 0:
        message = f"diff(n={n}): the number of differences must be at least 0"
        raise ValueError(message)
    axis = axis_of(x, axis)
    if n == 0:
        return x
    parts = [_edge(xp, x, axis, edge) for edge in (prepend, x, append) if edge is not None]
    x = xp.concat(parts, axis=axis) if len(parts) > 1 else x
    before = (slice(None),) * axis
    for _ in range(min(n, x.shape[axis])):
        x = x[(*before, slice(1, None), ...)] - x[(*before, slice(None, -1), ...)]
    return x


def _edge(xp: Namespace, x: Array, axis: int, edge: Any) -> Array:
    """Return what is joined to `x`; a scalar is as long as one element."""
    if getattr(edge, "ndim", 0):
        return edge
    if not hasattr(edge, "dtype"):
        edge = xp.asarray(edge, dtype=x.dtype, device=x.device)
    return xp.broadcast_to(edge, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def _to_device(
    xp: Namespace, g: Array, y: Any, x: Any, device: Any, *, stream: Any = None
) -> Array:
    """Bring the cotangent back to the operand's device."""
    return to_device(xp, g, x.device)


COMPOSITIONS = {"diff": diff}
LINEAR = {"to_device": (_to_device,)}  # a method in the standard
CONSTANT = frozenset({"all", "any"})
