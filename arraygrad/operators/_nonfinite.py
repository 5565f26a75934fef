"""What becomes of gradients that are infinite or not a number."""

from collections.abc import Callable
from typing import TypeAlias

from arraygrad._typing import Array, Namespace
from arraygrad.errors import ArgumentError, NonFiniteError
from arraygrad.libraries import library_of

__all__ = ["NONFINITE", "Treatment", "keep", "treatment"]

Treatment: TypeAlias = Callable[[Namespace, list[Array], Callable[[int], str]], list[Array]]
"""Treats the gradients of a call; the last argument names the leaf with a number."""


def keep(xp: Namespace, gradients: list[Array], name: Callable[[int], str]) -> list[Array]:
    """Return what autodiff gives."""
    return gradients


def zero(xp: Namespace, gradients: list[Array], name: Callable[[int], str]) -> list[Array]:
    """Put zeros in place of infinities and NaNs."""
    return [xp.where(xp.isfinite(g), g, xp.zeros_like(g)) for g in gradients]


def refuse(xp: Namespace, gradients: list[Array], name: Callable[[int], str]) -> list[Array]:
    """Raise at the first gradient that is not finite everywhere; a lazy one, when computed."""
    later = library_of(xp).finite_when_computed
    leaves = map(name, range(len(gradients)))
    messages = [f"the gradient for {leaf} holds an infinity or a NaN" for leaf in leaves]
    if later is not None:
        return list(map(later, gradients, messages))
    for g, message in zip(gradients, messages, strict=True):
        if not bool(xp.all(xp.isfinite(g))):
            raise NonFiniteError(message)
    return gradients


NONFINITE: dict[str, Treatment] = {"keep": keep, "zero": zero, "raise": refuse}


def treatment(nonfinite: str) -> Treatment:
    """Return the treatment of a name."""
    if nonfinite not in NONFINITE:
        message = f"`nonfinite` must be one of {sorted(NONFINITE)}, got {nonfinite!r}"
        raise ArgumentError(message)
    return NONFINITE[nonfinite]
