"""Derivatives of the standard's sorting functions: `sort` permutes, by the order of `argsort`."""

from arraygrad._typing import Array, Namespace

__all__ = ["CONSTANT", "PULLBACKS"]


def _sort(xp: Namespace, g: Array, y: Array, x: Array, *, axis: int = -1,
          descending: bool = False, stable: bool = True) -> Array:  # fmt: skip
    """Return every cotangent to the element's own place."""
    order = xp.argsort(x, axis=axis, descending=descending, stable=stable)
    return xp.take_along_axis(g, xp.argsort(order, axis=axis), axis=axis)


PULLBACKS = {"sort": (_sort,)}
CONSTANT = frozenset({"argsort"})
