"""Parts of trees: the leaves that are not in a part are `None`, which is no leaf."""

from collections.abc import Sequence
from typing import Any

from arraygrad._namespace import is_array
from arraygrad._numbers import is_number
from arraygrad._tree import TreeDef, flatten, unflatten
from arraygrad._typing import Tree
from arraygrad.optimizers._trees import leaves_like

__all__ = ["extra_part", "merged", "part"]


def part(leaves: Sequence[Any], treedef: TreeDef, chosen: Sequence[bool]) -> Tree:
    """Return a tree with `None` for all leaves but the chosen; no leaf at all is `()`."""
    if not any(chosen):
        return ()
    kept = [x if is_in else None for x, is_in in zip(leaves, chosen, strict=True)]
    return unflatten(treedef, kept)


def extra_part(extra: dict[str, Any], treedef: TreeDef, chosen: Sequence[bool]) -> dict[str, Any]:
    """Return the part of each extra argument that is a tree like the parameters.

    A number or a 0-d array is none, though it has the structure of a single array.
    """
    return {
        name: part(leaves, treedef, chosen) if found == treedef and not _is_scalar(x) else x
        for name, x in extra.items()
        for leaves, found in [flatten(x)]
    }


def _is_scalar(x: Any) -> bool:
    return is_number(x) or (is_array(x) and x.shape == ())


def merged(
    treedef: TreeDef,
    leaves: Sequence[Any],
    parts: Sequence[tuple[Sequence[bool], Tree]],
    *,
    argument: str,
) -> Tree:
    """Return a tree of these leaves, those of the parts being replaced by theirs.

    Raises
    ------
    StructureError
        If a part has not the structure that `part` gave it.
    """
    result = list(leaves)
    for chosen, tree in parts:
        model = part(leaves, treedef, chosen)
        ours = leaves_like(flatten(model)[1], tree, argument=argument, other="params")
        places = [n for n, is_in in enumerate(chosen) if is_in]
        for n, x in zip(places, ours, strict=True):
            result[n] = x
    return unflatten(treedef, result)
