"""Derivatives of the standard's set functions: a unique value is the first of its equals."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import constant

__all__ = ["COMPOSITIONS", "CONSTANT"]


def unique_all(xp: Namespace, x: Array) -> Any:
    """Take the values at their indices."""
    found = constant(xp, "unique_all", x)
    return found._replace(values=xp.take(xp.reshape(x, (-1,)), found.indices))


def unique_counts(xp: Namespace, x: Array) -> Any:
    """Take the first of each value."""
    found = constant(xp, "unique_counts", x)
    return found._replace(values=unique_values(xp, x))


def unique_inverse(xp: Namespace, x: Array) -> Any:
    """Take the first of each value."""
    found = constant(xp, "unique_inverse", x)
    count = found.values.shape[0]
    if count != count:  # NaN: only computing tells
        return found._replace(values=unique_all(xp, x).values)
    first = _first_of_each(xp, found.inverse_indices, count)
    return found._replace(values=xp.take(xp.reshape(x, (-1,)), first))


def unique_values(xp: Namespace, x: Array) -> Array:
    """Take the first of each value."""
    return unique_inverse(xp, x).values


def _first_of_each(xp: Namespace, inverse: Array, count: int) -> Array:
    """Return where each of the classes 0, 1, …, `count` - 1 occurs first."""
    inverse = xp.reshape(inverse, (-1,))
    order = xp.argsort(inverse, stable=True)
    classes = xp.arange(count, dtype=inverse.dtype, device=inverse.device)
    return xp.take(order, xp.searchsorted(xp.take(inverse, order), classes))


COMPOSITIONS = {
    "unique_all": unique_all,
    "unique_counts": unique_counts,
    "unique_inverse": unique_inverse,
    "unique_values": unique_values,
}
CONSTANT = frozenset({"isin"})
