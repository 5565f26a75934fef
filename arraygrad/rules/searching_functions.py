"""Derivatives of the standard's searching functions: `where` chooses, the others only look."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import unbroadcast

__all__ = ["CONSTANT", "LINEAR"]


def _where_x1(xp: Namespace, g: Array, y: Any, condition: Array, x1: Any, x2: Any) -> Array:
    """Keep the cotangent where the condition holds."""
    return unbroadcast(xp, xp.where(condition, g, 0), x1.shape)


def _where_x2(xp: Namespace, g: Array, y: Any, condition: Array, x1: Any, x2: Any) -> Array:
    """Keep the cotangent where the condition fails."""
    return unbroadcast(xp, xp.where(condition, 0, g), x2.shape)


LINEAR = {"where": (None, _where_x1, _where_x2)}
CONSTANT = frozenset({"argmax", "argmin", "count_nonzero", "nonzero", "searchsorted"})
