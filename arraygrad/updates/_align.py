"""Trees side by side: an array serves every leaf of the tree that stands in its place."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from arraygrad._tree import (
    Path,
    TreeDef,
    broadcast_prefix,
    flatten,
    flatten_with_paths,
    format_path,
    is_leaf,
    unflatten,
)
from arraygrad._typing import Tree
from arraygrad.errors import StructureError

__all__ = ["Alignment"]


class Alignment:
    """The arguments of one call, aligned with the fullest of their trees."""

    def __init__(self, arguments: Mapping[str, Tree]) -> None:
        self._arguments = arguments
        self._flat = {name: _flatten(name, tree) for name, tree in arguments.items()}
        self._fullest = self._fullest_of(arguments)

    def rows(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Return, for every leaf, its path and what each argument has for it."""
        paths, _, _ = flatten_with_paths(self._arguments[self._fullest])
        columns = [self._column(name) for name in self._arguments]
        for path, *row in zip(paths, *columns, strict=True):
            yield path, dict(zip(self._arguments, row, strict=True))

    def rebuild(self, values: list[Any], spans: Iterable[str]) -> Tree:
        """Return one value for every leaf as a tree, as full as the fullest of some arguments.

        Where that is a single leaf in the place of a tree, the values below it are all the same
        and the first is taken.
        """
        name = self._fullest_of(spans)
        leaves, treedef = self._flat[name]
        if treedef == self._flat[self._fullest][1]:
            return unflatten(treedef, values)
        positions = unflatten(treedef, range(len(leaves)))
        serves = self._broadcast(name, positions)
        for position in set(range(len(leaves))).difference(serves):
            self._complain_of_emptiness(name, position)
        return unflatten(treedef, [values[serves.index(i)] for i in range(len(leaves))])

    def _fullest_of(self, names: Iterable[str]) -> str:
        """Return the argument with most nodes; the first of equals, but never a leaf for a tree."""

        def fullness(name: str) -> tuple[bool, int]:
            return not is_leaf(self._arguments[name]), self._flat[name][1].num_nodes

        return max(names, key=fullness)

    def _column(self, name: str) -> list[Any]:
        """Return what one argument has for every leaf."""
        leaves, treedef = self._flat[name]
        if treedef == self._flat[self._fullest][1]:
            return leaves
        return self._broadcast(name, self._arguments[name])

    def _broadcast(self, name: str, prefix: Tree) -> list[Any]:
        """Return what a tree in the place of an argument has for every leaf."""
        full = self._arguments[self._fullest]
        return broadcast_prefix(prefix, full, argument=name, other=self._fullest)

    def _complain_of_emptiness(self, name: str, position: int) -> None:
        """Raise: there is an array, but nothing to compute it for."""
        path = format_path(flatten_with_paths(self._arguments[name])[0][position])
        message = f"`{name}` has a leaf at {path}, where `{self._fullest}` is an empty tree"
        raise StructureError(message)


def _flatten(name: str, tree: Tree) -> tuple[list[Any], TreeDef]:
    """Return the leaves and the structure of an argument."""
    if tree is None:
        message = f"`{name}` must be an array, a number or a tree of them, got None"
        raise StructureError(message)
    return flatten(tree)
