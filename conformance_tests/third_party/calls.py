"""A call of somebody else's function: what is called, with what, and its gradient."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

import arraygrad as ag

__all__ = ["Call", "constant", "difference", "directions", "gradient", "matrix", "vector"]


@dataclass(frozen=True)
class Call:
    """A function of arrays, and where it is called; integer arrays are not differentiated."""

    f: Callable[..., Any]
    args: tuple[np.ndarray, ...]

    @property
    def argnums(self) -> tuple[int, ...]:
        """The positions of the floating arrays."""
        return tuple(n for n, x in enumerate(self.args) if x.dtype.kind == "f")


def vector(n: int = 8, *, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Return numbers of an interval, in no order."""
    return np.random.default_rng(seed).uniform(low, high, n)


def matrix(rows: int = 6, columns: int = 3, seed: int = 0) -> np.ndarray:
    """Return normally distributed numbers."""
    return np.random.default_rng([seed, 1]).normal(size=(rows, columns))


def constant(like: Any, values: Any) -> Any:
    """Return an array of the library that another is of: raw ones would mix two namespaces."""
    return array_namespace(like).asarray(values)


def parts(result: Any) -> list[Any]:
    """Return the arrays of a result."""
    if isinstance(result, tuple | list):
        return [x for part in result for x in parts(part)]
    return [result]


def scalar(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a sum of all elements of a function's result, none of them weighed like another."""

    def weighed(*args: Any) -> Any:
        xp, total = array_namespace(*args), 0.0
        for part in parts(f(*args)):
            y = xp.reshape(xp.asarray(part), (-1,))
            total = total + xp.sum(y * xp.cos(xp.arange(y.shape[0], dtype=y.dtype) + 0.5))
        return total

    return weighed


def settings() -> ExitStack:
    """Return the settings in which scikit-learn asks arrays for their namespace."""
    stack = ExitStack()
    try:
        from sklearn import config_context
    except ImportError:
        return stack
    stack.enter_context(config_context(array_api_dispatch=True))
    return stack


def gradient(call: Call, as_array: Callable[[Any], Any] = np.asarray) -> tuple[Any, ...]:
    """Return the gradient of a call, on the arrays of some library."""
    with settings(), np.errstate(all="ignore"):
        return ag.grad(scalar(call.f), argnums=call.argnums)(*map(as_array, call.args))


def directions(call: Call) -> dict[int, np.ndarray]:
    """Return a direction for each differentiated argument."""
    numbers = np.random.default_rng(7)
    return {n: numbers.uniform(-1.0, 1.0, call.args[n].shape) for n in call.argnums}


def difference(call: Call, step: float = 1e-4) -> float:
    """Return the central difference of the plain call along the directions, to fourth order."""
    along, f = directions(call), scalar(call.f)

    def at(distance: float) -> float:
        moved = [x + distance * along[n] if n in along else x for n, x in enumerate(call.args)]
        return float(f(*moved))

    with settings(), np.errstate(all="ignore"):
        near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
    return (8 * near - far) / (12 * step)
