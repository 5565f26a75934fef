"""Trees that must have the structure of another."""

from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace, kinds_of
from arraygrad._tree import (
    TreeDef,
    are_leaves,
    broadcast_prefix,
    flatten,
    flatten_like,
    has_dict,
    has_outline,
    outline,
    unflatten,
)
from arraygrad._typing import Array, Tree
from arraygrad.fusion.packed import known
from arraygrad.libraries import library_of

__all__ = ["Model", "leaves_like", "rebuilt"]


class Model:
    """The structure and the kinds of leaves of the trees of parameters that were met last.

    A tree that is alike needs neither be explored nor checked again.
    """

    __slots__ = ("_checked", "_last")

    def __init__(self, checked: Callable[[Tree], tuple[list[Array], TreeDef]]) -> None:
        self._checked = checked
        self._last: tuple[TreeDef, Any, Any] | None = None

    def __reduce__(self) -> Any:
        return Model, (self._checked,)

    def leaves(self, tree: Tree) -> tuple[list[Array], TreeDef]:
        """Return the leaves of a tree, and their structure; dicts may be in another order."""
        if self._last is not None:
            treedef, kinds, nodes = self._last
            leaves = flatten_like(treedef, tree) if has_outline(nodes, tree) else None
            if leaves is not None:
                of_last_step = known(leaves)
                if of_last_step is not None:
                    return of_last_step, treedef
                if kinds_of(leaves) == kinds:
                    return leaves, treedef
        leaves, treedef = self._checked(tree)
        kinds = kinds_of(leaves)
        readable = all(library_of(array_namespace(x)).readable for x in _examples(leaves))
        self._last = treedef, kinds, [] if readable else outline(treedef)
        return leaves, treedef


def _examples(leaves: list[Array]) -> list[Array]:
    """Return a leaf of each type."""
    return list(dict(zip(map(type, leaves), leaves, strict=True)).values())


def rebuilt(tree: Tree, treedef: TreeDef, leaves: Any) -> Tree:
    """Return a tree of this structure with other leaves, dicts in the order of `tree`."""
    return unflatten(flatten(tree)[1] if has_dict(treedef) else treedef, leaves)


def leaves_like(treedef: TreeDef, tree: Tree, *, argument: str, other: str) -> list[Any]:
    """Return the leaves of a tree that has this structure.

    Raises
    ------
    StructureError
        If it has another; the message names the path where they part, and the two arguments.
    """
    quick = flatten_like(treedef, tree)
    if quick is not None:
        of_last_step = known(quick)
        if of_last_step is not None:
            return of_last_step
        if are_leaves(quick):
            return quick
    leaves, found = flatten(tree)
    if found != treedef:
        model = unflatten(treedef, range(treedef.num_leaves))
        broadcast_prefix(tree, model, argument=argument, other=other)
        broadcast_prefix(model, tree, argument=other, other=argument)
    return leaves
