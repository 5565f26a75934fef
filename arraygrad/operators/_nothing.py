"""The autodiff of a call without leaves: it evaluates, for there is nothing to record."""

from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, Leaves, Pullback

__all__ = ["jvp", "seed", "vjp"]


def vjp(
    f: Any, leaves: Leaves, constants: Leaves, *, once: bool = False
) -> tuple[list[Array], Pullback, list[Any]]:
    """Evaluate `f`; its pullback has nothing to return."""
    outputs, aux = f([], constants)
    return outputs, lambda cotangents: [], aux


def jvp(
    f: Any, leaves: Leaves, tangents: Leaves, constants: Leaves
) -> tuple[list[Array], list[Array], list[Any]]:
    """Evaluate `f`; without leaves nothing moves."""
    outputs, aux = f([], constants)
    return outputs, [array_namespace(y).zeros_like(y) for y in outputs], aux


def seed(y: Array) -> None:
    """Return no cotangent: nobody will read it."""
