"""Derivatives along directions, by finite differences: what checks and audits compare with."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from arraygrad._namespace import array_namespace, device_of, is_array, is_complex, is_floating
from arraygrad._tree import flatten, unflatten
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.autodiff import stop_gradient
from arraygrad.libraries import library_of

__all__ = [
    "STEP",
    "Differences",
    "Flat",
    "FlatCall",
    "detached",
    "epsilon",
    "lifted",
    "relative_difference",
    "to_numpy",
]

Flat: TypeAlias = Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]]
"""A function as the autodiff protocol has it."""

STEP = 1e-3  # of the differences: their error is of order STEP**4, and 1e-16 / STEP


class FlatCall:
    """A function's arguments, taken apart into variables, constants and the rest."""

    def __init__(self, f: Callable[..., Tree], args: tuple[Tree, ...]) -> None:
        self.f = f
        self.leaves, self.treedef = flatten(args)
        arrays = [n for n, leaf in enumerate(self.leaves) if is_array(leaf)]
        self.xp: Namespace = array_namespace(*(self.leaves[n] for n in arrays))
        floating = [n for n in arrays if is_floating(self.xp, self.leaves[n].dtype)]
        self.variable_places = floating
        self.constant_places = [n for n in arrays if n not in floating]
        self.variables = [self.leaves[n] for n in self.variable_places]
        self.constants = [self.leaves[n] for n in self.constant_places]

    def flat(self, variables: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
        """Call the function with copies of other arrays: it may write into its arguments."""
        leaves = list(self.leaves)
        for n, x in zip(self.variable_places, variables, strict=True):
            leaves[n] = _copied(x)
        for n, x in zip(self.constant_places, constants, strict=True):
            leaves[n] = _copied(x)
        return flatten(self.f(*unflatten(self.treedef, leaves)))[0], []


def _copied(x: Array) -> Array:
    """Return a copy of an array that can be written into: of a traced one only the name can."""
    xp = array_namespace(x)
    return xp.reshape(x, x.shape, copy=True) if library_of(xp).mutable else x


def lifted(xp: Namespace, leaves: list[Any]) -> list[Any]:
    """Return leaves whose floating numbers are arrays."""
    numbers = [isinstance(x, float | complex) and not is_array(x) for x in leaves]
    return [xp.asarray(x) if is_number else x for x, is_number in zip(leaves, numbers, strict=True)]


def detached(args: tuple[Tree, ...]) -> tuple[Tree, ...]:
    """Return arguments whose numbers are arrays, all of them cut from the caller's graphs."""
    import numpy as np

    leaves, treedef = flatten(args)
    xp = array_namespace(*([x for x in leaves if is_array(x)] or [np.empty(0)]))
    cut = [stop_gradient(x) if is_array(x) else x for x in lifted(xp, leaves)]
    return tuple(unflatten(treedef, cut))


class Differences:
    """Inner products and differences, along random directions."""

    def __init__(self, xp: Namespace, constants: list[Array], numbers: random.Random) -> None:
        self.xp, self.constants, self.numbers = xp, constants, numbers

    def like(self, arrays: Sequence[Array]) -> list[Array]:
        """Return random arrays of the same shapes and dtypes."""
        return [self._random(x) for x in arrays]

    def _random(self, x: Array) -> Array:
        xp, uniform = self.xp, self.numbers.uniform
        complex_ = is_complex(xp, x.dtype)
        values = [
            complex(uniform(-1, 1), uniform(-1, 1)) if complex_ else uniform(-1, 1)
            for _ in range(math.prod(x.shape))
        ]
        return xp.reshape(xp.asarray(values, dtype=x.dtype, device=device_of(x)), x.shape)

    def difference(self, f: Flat, x: list[Array], t: list[Array]) -> list[Array]:
        """Return the derivative of `f` along `t` by central differences of fourth order."""

        def at(steps: int) -> list[Array]:
            moved = [a + steps * STEP * b for a, b in zip(x, t, strict=True)]
            outputs: list[Array] = f(moved, self.constants)[0]
            return outputs

        far = zip(at(2), at(1), at(-1), at(-2), strict=True)
        return [(8 * (b - c) - (a - d)) / (12 * STEP) for a, b, c, d in far]

    def _products(self, a: list[Array], b: list[Array]) -> Iterator[Array]:
        for left, right in zip(a, b, strict=True):
            conjugate = is_complex(self.xp, left.dtype)
            yield (self.xp.conj(left) if conjugate else left) * right

    def inner(self, a: list[Array], b: list[Array]) -> float:
        """Return Re⟨a, b⟩."""
        sums = (self.xp.sum(product) for product in self._products(a, b))
        return sum(complex(total).real for total in sums)

    def size(self, a: list[Array], b: list[Array]) -> float:
        """Return the sum of the magnitudes of what ⟨a, b⟩ adds."""
        return sum(float(self.xp.sum(self.xp.abs(c))) for c in self._products(a, b))


def to_numpy(x: Array) -> Any:
    """Return an array's values in NumPy."""
    import numpy as np

    try:
        return np.array(np.from_dlpack(x))  # a copy: PyTorch takes none that is read-only
    except (AttributeError, BufferError, RuntimeError, TypeError):
        return np.array(x)


def relative_difference(a: Any, b: Any) -> float:
    """Return the largest difference, relative to the largest finite element."""
    import numpy as np

    if not a.size:
        return 0.0
    same = (a == b) | ((a != a) & (b != b))  # infinities and NaNs may agree, too
    error = np.max(np.abs(np.where(same, 0.0, a - b)))
    scale = np.max(np.abs(b), where=np.isfinite(b), initial=1e-300)
    return float(error / scale)


def epsilon(x: Array) -> float:
    """Return the distance of 1 to the next number of an array's dtype."""
    return float(array_namespace(x).finfo(x.dtype).eps)
