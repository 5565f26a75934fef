"""A linear function's images of all unit vectors: the rows or columns of a Jacobian.

An autodiff with `vmap` is handed blocks of unit vectors, so that a row costs no pass of its own.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

from arraygrad._typing import Array, Autodiff, Leaves, Namespace

__all__ = ["images"]

BLOCK = 256  # unit vectors at once: enough to fill a machine, without filling its memory

Linear = Callable[[Leaves], list[Array]]


def images(
    xp: Namespace, autodiff: Autodiff, function: Linear, arrays: list[Array], i: int
) -> list[Array]:
    """Return what the unit vectors of one array are taken to, stacked along a first axis.

    Empty where that array is. The first unit vector goes alone, so that `function` may note what
    is the same for all of them.
    """
    units = _units(xp, arrays, i)
    vmap = getattr(autodiff, "vmap", None)
    first = next(units, None)
    if first is None:
        return []
    parts = [[xp.expand_dims(y, axis=0) for y in function(first)]]
    if vmap is None:
        parts += [[xp.expand_dims(y, axis=0) for y in function(unit)] for unit in units]
    else:
        parts += [vmap(function, block) for block in _blocks(xp, arrays, i)]
    return [xp.concat(part, axis=0) for part in zip(*parts, strict=True)]


def _units(xp: Namespace, arrays: list[Array], i: int) -> Iterator[list[Array]]:
    """Yield every unit vector of one array, with zeros for the others."""
    vectors = [xp.zeros_like(x) for x in arrays]
    x = arrays[i]
    places = xp.reshape(_places(xp, x), x.shape)
    for k in range(math.prod(x.shape)):
        yield [*vectors[:i], xp.astype(places == k, x.dtype), *vectors[i + 1 :]]


def _blocks(xp: Namespace, arrays: list[Array], i: int) -> Iterator[list[Array]]:
    """Yield the same in blocks, along a first axis, but for the first unit vector."""
    x = arrays[i]
    places = _places(xp, x)
    for start in range(1, math.prod(x.shape), BLOCK):
        rows = places[start : start + BLOCK]
        block = [_zeros(xp, y, rows.shape[0]) for y in arrays]
        chosen = xp.expand_dims(rows, axis=1) == xp.expand_dims(places, axis=0)
        block[i] = xp.reshape(xp.astype(chosen, x.dtype), block[i].shape)
        yield block


def _places(xp: Namespace, x: Array) -> Array:
    """Return a number for each element."""
    return xp.arange(math.prod(x.shape), device=_device(x))


def _zeros(xp: Namespace, x: Array, count: int) -> Array:
    """Return so many arrays of zeros, stacked."""
    return xp.zeros((count, *x.shape), dtype=x.dtype, device=_device(x))


def _device(x: Array) -> Any:
    return getattr(x, "device", None)  # which jax does not tell in a trace
