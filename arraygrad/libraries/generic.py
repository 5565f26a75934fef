"""What a library is to us, and the answers that fit any library of the standard."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arraygrad._typing import Array, Namespace

__all__ = ["GENERIC", "Library"]


def is_writeable(x: Array) -> bool:
    """Say whether an array's values can be changed: flags where there are any, else yes."""
    flags = getattr(x, "flags", None)
    return bool(getattr(flags, "writeable", True))


def write(out: Array, value: Array) -> None:
    """Copy `value` into `out`, which has its shape and dtype."""
    out[...] = value


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value` at `key`."""
    y = xp.asarray(x, copy=True)
    y[key] = value
    return y


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates in `key` add up."""
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Library:
    """What is peculiar to one array library; the defaults fit any library of the standard."""

    autodiff: str = "tape"
    """Who differentiates its arrays: a name of the registry in `arraygrad.autodiff`."""

    mutable: bool = False
    """Whether `x += y` changes the memory of `x`, so that a sweep may accumulate in place."""

    lazy: bool = False
    """Whether values are computed only on demand: never ask one for a truth value."""

    extra: str | None = None
    """The extra of ours that installs it."""

    is_writeable: Callable[[Array], bool] = is_writeable
    write: Callable[[Array, Array], None] = write
    set_at: Callable[[Namespace, Array, Any, Any], Array] = set_at
    scatter_add: Callable[[Namespace, Array, Any, Array], Array] = scatter_add


GENERIC = Library()
