"""The arrays of a call to a function that stands inside others: what may have a gradient, and not.

Unlike a `Call`, this one differentiates nothing: it finds out who does, and hands the arrays over.
"""

from typing import Any

from arraygrad._namespace import is_array, is_floating
from arraygrad._tree import TreeDef, flatten, unflatten
from arraygrad._typing import Array, Leaves, Tree
from arraygrad.errors import DtypeError
from arraygrad.operators._arrays import Kinds
from arraygrad.operators._locate import locate

__all__ = ["Operands"]


class Operands:
    """The floating arrays among positional (or all) arguments, all other arrays, and the way back.

    Raises
    ------
    MixedLibraryError, DeviceError
        If the arrays do not belong together.
    """

    __slots__ = ("args", "autodiff", "constants", "fixed", "flat", "kwargs", "leaves", "places",
                 "treedef", "xp")  # fmt: skip

    def __init__(self, args: Any, kwargs: dict[str, Any], *, keywords: bool) -> None:
        self.args, self.kwargs = args, kwargs
        self.flat, self.treedef = flatten((args, kwargs))
        kinds = Kinds(self.flat, self._where)
        self.xp, self.autodiff = kinds.xp, kinds.autodiff(None)
        width = len(self.flat) if keywords else self.treedef.children()[0].num_leaves
        arrays = kinds.constants(range(len(self.flat)))
        self.places = [i for i in arrays if i < width and self.has_gradient(self.flat[i])]
        self.fixed = sorted({*arrays}.difference(self.places))
        self.leaves = [self.flat[i] for i in self.places]
        self.constants = [self.flat[i] for i in self.fixed]

    def has_gradient(self, x: Any) -> bool:
        """Say whether a leaf is a floating array."""
        return is_array(x) and is_floating(self.xp, x.dtype)

    def hand_over(self) -> tuple[Leaves, Leaves]:
        """Return the leaves and constants, and keep no array.

        A tape that remembers whom it called would else be held by its own arrays.
        """
        leaves, constants = self.leaves, self.constants
        for place in [*self.places, *self.fixed]:
            self.flat[place] = None
        self.args, self.kwargs, self.leaves, self.constants = (), {}, [], []
        return leaves, constants

    def arguments(self, leaves: Leaves, constants: Leaves) -> tuple[tuple[Any, ...], Any]:
        """Rebuild the arguments around other arrays."""
        flat = list(self.flat)
        for place, x in zip([*self.places, *self.fixed], [*leaves, *constants], strict=True):
            flat[place] = x
        args, kwargs = unflatten(self.treedef, flat)
        return args, kwargs

    def like_arguments(self, values: Leaves) -> tuple[Tree, ...]:
        """Return trees like the arguments, with a value per floating array, `None` elsewhere."""
        flat: list[Any] = [None] * len(self.flat)
        for place, value in zip(self.places, values, strict=True):
            flat[place] = value
        trees: tuple[Tree, ...] = unflatten(self.treedef, flat)[0]
        return trees

    def outputs(self, y: Tree) -> tuple[list[Array], TreeDef]:
        """Take what the function returned apart: a tree of floating arrays.

        Raises
        ------
        DtypeError
            If a leaf is something else.
        """
        found, treedef = flatten(y)
        for leaf in found:
            if not self.has_gradient(leaf):
                where = locate(leaf, **{"f(...)": y})
                given = f"dtype {leaf.dtype}" if is_array(leaf) else type(leaf).__name__
                message = f"{where} must be a floating array, got {given}"
                raise DtypeError(message)
        return found, treedef

    def _where(self, leaf: Any) -> str:
        return locate(leaf, args=self.args, kwargs=self.kwargs)
