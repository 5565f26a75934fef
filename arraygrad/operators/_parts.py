"""A tree taken apart: its arrays in a row, everything else left in its place."""

from collections.abc import Callable, Iterable
from typing import Any

from arraygrad._tree import TreeDef, flatten, flatten_with_paths, format_path, unflatten
from arraygrad._typing import Leaves, Tree

__all__ = ["Parts", "locate", "take_apart"]


class Parts:
    """The chosen leaves of a tree, and the way back."""

    __slots__ = ("chosen", "leaves", "places", "treedef")

    def __init__(self, leaves: list[Any], treedef: TreeDef, places: list[int]) -> None:
        self.leaves = leaves
        self.treedef = treedef
        self.places = places
        self.chosen: list[Any] = [leaves[place] for place in places]

    def rebuild(self, values: Leaves) -> Tree:
        """Return the tree with these values for the chosen leaves."""
        return self._fill(self.leaves, values)

    def mirror(self, values: Leaves) -> Tree:
        """Return a tree of the same structure: these values, and None for the other leaves."""
        return self._fill([None] * len(self.leaves), values)

    def _fill(self, others: list[Any], values: Leaves) -> Tree:
        leaves = list(others)
        for place, value in zip(self.places, values, strict=True):
            leaves[place] = value
        return unflatten(self.treedef, leaves)


def take_apart(tree: Tree, choose: Callable[[Any], bool]) -> Parts:
    """Choose leaves of a tree, each by itself."""
    leaves, treedef = flatten(tree)
    return Parts(leaves, treedef, [i for i, leaf in enumerate(leaves) if choose(leaf)])


def locate(wanted: Any, trees: Iterable[tuple[str, Tree]]) -> str:
    """Spell where an object lies in named trees, as Python would index it: `args[0]['w']`."""
    for name, tree in trees:
        paths, leaves, _ = flatten_with_paths(tree)
        for path, leaf in zip(paths, leaves, strict=True):
            if leaf is wanted:
                return name + (format_path(path) if path else "")
    return "a leaf"
