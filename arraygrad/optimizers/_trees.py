"""Trees that must have the structure of another."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from arraygrad._tree import TreeDef, broadcast_prefix, flatten, leaves_up_to, unflatten
from arraygrad._typing import Tree

__all__ = ["kinds_of", "leaves_like"]

_dtype_of = attrgetter("dtype")


def kinds_of(leaves: Sequence[Any]) -> list[tuple[type, Any]]:
    """Return the type and dtype of each leaf: one of a kind speaks for all."""
    try:
        return list(zip(map(type, leaves), map(_dtype_of, leaves), strict=True))
    except AttributeError:  # not all are arrays
        return [(type(x), getattr(x, "dtype", None)) for x in leaves]


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
