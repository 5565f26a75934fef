"""Trees that must have the structure of another."""

from typing import Any

from arraygrad._tree import TreeDef, broadcast_prefix, flatten, leaves_up_to, unflatten
from arraygrad._typing import Tree

__all__ = ["leaves_like"]


def leaves_like(treedef: TreeDef, tree: Tree, *, argument: str, other: str) -> list[Any]:
    """Return the leaves of a tree that has this structure.

    Raises
    ------
    StructureError
        If it has another; the message names the path where they part, and the two arguments.
    """
    quick = leaves_up_to(treedef, tree)
    if quick is not None:
        return quick
    leaves, found = flatten(tree)
    if found != treedef:
        model = unflatten(treedef, range(treedef.num_leaves))
        broadcast_prefix(tree, model, argument=argument, other=other)
        broadcast_prefix(model, tree, argument=other, other=argument)
    return leaves
