"""Functions that the rules need and the standard lacks; they have rules themselves."""

from collections.abc import Callable
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries import library_of

__all__ = ["scatter_add", "set_at", "unbroadcast"]


def _traced(xp: Namespace, name: str) -> Callable[..., Array] | None:
    """Return the traced version of a primitive, if `xp` is the namespace of a tape."""
    primitive = getattr(xp, "__arraygrad_primitive__", None)
    return None if primitive is None else primitive(name)


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates in `key` add up."""
    traced = _traced(xp, "scatter_add")
    if traced is not None:
        return traced(x, key, values)
    return library_of(xp).scatter_add(xp, x, key, values)


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value`, broadcast, at `key`."""
    traced = _traced(xp, "set_at")
    if traced is not None:
        return traced(x, key, value)
    return library_of(xp).set_at(xp, x, key, value)


def unbroadcast(xp: Namespace, g: Array, shape: tuple[int, ...]) -> Array:
    """Return the transpose of broadcasting from `shape`: sum over what was repeated."""
    if g.shape == shape:
        return g
    added = g.ndim - len(shape)
    if added:
        g = xp.sum(g, axis=tuple(range(added)))
    repeated = tuple(
        axis for axis, (now, then) in enumerate(zip(g.shape, shape, strict=True)) if now != then
    )
    return xp.sum(g, axis=repeated, keepdims=True) if repeated else g
