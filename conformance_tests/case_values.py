"""Arguments for the standard's functions as values, good for every library."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import numpy as np

from arraygrad.rules import primitives

__all__ = [
    "REFUSALS",
    "Case",
    "DType",
    "bools",
    "case",
    "complexes",
    "function_named",
    "in_library",
    "integers",
    "reals",
    "refused",
]

# What libraries raise where they refuse a call.
REFUSALS = (TypeError, ValueError, NotImplementedError, RuntimeError, UserWarning)


@dataclass(frozen=True)
class Case:
    """One call: NumPy arrays stand for arrays of any library, `DType` for one of its dtypes."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    refused_by: tuple[str, ...] = ()  # libraries whose own function raises

    def __str__(self) -> str:
        """Spell shapes in place of values."""
        spelt = [_spell(a) for a in self.args]
        return ", ".join(spelt + [f"{key}={_spell(a)}" for key, a in self.kwargs.items()])


class DType(str):
    """The name of a dtype."""


def case(*args: Any, **kwargs: Any) -> Case:
    """Write a call down."""
    return Case(args, kwargs)


def refused(library: str, *cases: Case) -> list[Case]:
    """Note that a library's own function refuses these calls."""
    return [replace(each, refused_by=(*each.refused_by, library)) for each in cases]


def reals(*shape: int, low: float = -1.9, high: float = 2.1, seed: int = 0) -> np.ndarray:
    """Return distinct numbers, evenly spread and shuffled: no ties, no zeros, well apart."""
    size = math.prod(shape)
    spread = (np.arange(size) + 0.37) / max(size, 1) * (high - low) + low
    return np.random.default_rng([seed, *shape]).permutation(spread).reshape(shape)


def complexes(*shape: int, seed: int = 0, **bounds: float) -> np.ndarray:
    """Return distinct complex numbers."""
    imaginary = reals(*shape, seed=seed + 1000, **bounds)
    return np.asarray(reals(*shape, seed=seed, **bounds) + 1j * imaginary)


def integers(*shape: int, low: int = 0, high: int = 4, seed: int = 0) -> np.ndarray:
    """Return integers with `low <= i < high`."""
    return np.random.default_rng([seed, *shape]).integers(low, high, shape)


def bools(*shape: int, seed: int = 0) -> np.ndarray:
    """Return truth values."""
    return integers(*shape, high=2, seed=seed) == 1


def in_library(xp: Any, value: Any, device: Any = None) -> Any:
    """Return a case's value with the arrays and dtypes of a library."""
    if isinstance(value, np.ndarray):
        return xp.asarray(value.copy(), device=device)
    if isinstance(value, DType):
        return getattr(xp, value)
    if isinstance(value, list | tuple):
        return type(value)(in_library(xp, v, device) for v in value)
    if isinstance(value, dict):
        return {key: in_library(xp, v, device) for key, v in value.items()}
    return value


def function_named(xp: Any, name: str) -> Callable[..., Any]:
    """Return a function of the standard, `getitem`, or one of our primitives."""
    if name == "getitem":
        return lambda x, key: x[key]
    if name in ("scatter_add", "set_at"):
        return lambda *args: getattr(primitives, name)(xp, *args)
    return attrgetter(name)(xp)  # type: ignore[no-any-return]


def _spell(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.kind}{value.dtype.itemsize * 8}{list(value.shape)}".replace(" ", "")
    if isinstance(value, list | tuple):
        return "(" + ",".join(map(_spell, value)) + ")"
    if isinstance(value, slice):
        return ":".join("" if v is None else str(v) for v in (value.start, value.stop, value.step))
    return "..." if value is ... else str(value)
