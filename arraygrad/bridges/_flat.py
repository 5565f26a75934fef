"""What crosses a bridge: a function between flat lists of arrays, and its derivatives.

A flat function takes leaves and constants to outputs and aux, as in the protocol of
`arraygrad.autodiff`. Its pullback and its tangent are flat functions too, of arrays of the same
library. So they cross the same bridge, and derivatives of any order come for free.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from arraygrad._namespace import array_namespace, cast, is_array, is_floating, library_name
from arraygrad._tree import TreeDef, flatten, unflatten
from arraygrad._typing import Array, Leaves, Namespace, Tree
from arraygrad.autodiff import autodiff_named
from arraygrad.errors import DtypeError, MixedLibraryError
from arraygrad.libraries import library_of
from arraygrad.operators._locate import locate
from arraygrad.operators._operands import Operands

__all__ = ["Flat", "Function", "autodiff_of", "chosen", "like", "parted", "pulled", "pushed"]

Flat: TypeAlias = Callable[[Leaves, Leaves], tuple[list[Array], list[Array]]]
"""From leaves and constants to floating outputs, and to arrays that have no gradient."""


class Function:
    """A function of trees as a flat one, which remembers the structure of what it returned."""

    def __init__(
        self, f: Callable[..., Any], operands: Operands, xp: Namespace, options: dict[str, Any]
    ) -> None:
        self.f, self.operands, self.xp, self.options = f, operands, xp, options
        self.treedef: TreeDef
        self.floating: list[bool] = []

    def __call__(self, leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Array]]:
        args, kwargs = self.operands.arguments(leaves, constants)
        y = self.f(*args, **kwargs)
        found, self.treedef = flatten(y)
        for leaf in found:
            self._check(leaf, y)
        self.floating = [is_floating(array_namespace(leaf), leaf.dtype) for leaf in found]
        pairs = list(zip(found, self.floating, strict=True))
        return [y for y, floats in pairs if floats], [y for y, floats in pairs if not floats]

    def whole(self, outputs: Leaves, aux: Leaves) -> Tree:
        """Return a tree shaped like the value."""
        first, second = iter(outputs), iter(aux)
        leaves = [next(first) if floats else next(second) for floats in self.floating]
        return unflatten(self.treedef, leaves)

    def _check(self, leaf: Any, y: Tree) -> None:
        """Refuse what is no array of the library that the function is written for."""
        ours = library_name(self.xp)
        if not is_array(leaf):
            where = locate(leaf, **{"f(...)": y})
            message = f"{where} must be an array of {ours}, got {type(leaf).__name__}"
            raise DtypeError(message)
        xp = array_namespace(leaf)
        if getattr(xp, "base", xp) is not self.xp:
            where, theirs = locate(leaf, **{"f(...)": y}), library_name(getattr(xp, "base", xp))
            message = f"{where} must be an array of {ours}, got one of {theirs}"
            raise MixedLibraryError(message)


def pulled(f: Flat, xp: Namespace, wanted: Sequence[bool]) -> Flat:
    """Return the pullback of a flat function to the wanted of its leaves.

    It takes all leaves, whose derivatives may be asked for next, and the cotangents.
    """

    def pullback(arrays: Leaves, constants: Leaves) -> tuple[list[Array], list[Array]]:
        leaves, cotangents = arrays[: len(wanted)], arrays[len(wanted) :]
        active, passive = parted(leaves, wanted)
        g = chosen(f, wanted)
        outputs, pull, _ = autodiff_of(xp).vjp(g, active, [*passive, *constants], once=True)
        return pull(like(outputs, cotangents)), []

    return pullback


def pushed(f: Flat, xp: Namespace, wanted: Sequence[bool]) -> Flat:
    """Return the tangent of a flat function: of all its leaves, and tangents of those wanted."""

    def tangent(arrays: Leaves, constants: Leaves) -> tuple[list[Array], list[Array]]:
        leaves, tangents = arrays[: len(wanted)], arrays[len(wanted) :]
        active, passive = parted(leaves, wanted)
        g = chosen(f, wanted)
        return autodiff_of(xp).jvp(g, active, tangents, [*passive, *constants])[1], []

    return tangent


def chosen(f: Flat, wanted: Sequence[bool]) -> Flat:
    """Return a flat function whose leaves are those wanted; the others come before constants."""
    count = sum(not one for one in wanted)
    if not count:
        return f

    def function(leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Array]]:
        active, passive = iter(leaves), iter(constants[:count])
        both = [next(active) if one else next(passive) for one in wanted]
        return f(both, constants[count:])

    return function


def parted(leaves: Leaves, wanted: Sequence[bool]) -> tuple[list[Array], list[Array]]:
    """Return the leaves that are wanted, and the others."""
    pairs = list(zip(leaves, wanted, strict=True))
    return [x for x, one in pairs if one], [x for x, one in pairs if not one]


def autodiff_of(xp: Namespace) -> Any:
    """Return who differentiates the arrays of a library."""
    return autodiff_named(library_of(xp).autodiff)


def like(outputs: Leaves, cotangents: Leaves) -> list[Array]:
    """Return cotangents in the dtypes of the outputs, which another library may not have."""
    pairs = zip(outputs, cotangents, strict=True)
    return [cast(array_namespace(c), c, y.dtype) for y, c in pairs]
