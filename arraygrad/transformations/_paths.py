"""Which leaves are meant: patterns of their paths, a function, or a tree.

The path of a leaf is spelt as its keys, indices and field names with slashes between them:
`layers/0/weight`; that of a tree which is a single array is empty.
"""

import functools
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from arraygrad._tree import TreeDef, broadcast_prefix, flatten, flatten_with_names, unflatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import StructureError

__all__ = ["Mask", "first_matches", "paths_of", "selection"]

Mask: TypeAlias = str | Sequence[str] | Callable[[str, Array], bool] | Tree
"""Patterns of paths as `fnmatch` reads them, of which one must match; or a function of the path
and the leaf; or a tree of truth values, of which one may stand for all leaves below it."""


@functools.lru_cache(maxsize=256)
def paths_of(treedef: TreeDef) -> tuple[str, ...]:
    """Return the paths of the leaves of trees of one structure."""
    paths = flatten_with_names(unflatten(treedef, range(treedef.num_leaves)))[0]
    return tuple("/".join(map(str, path)) for path in paths)


def selection(mask: Mask, tree: Tree, argument: str) -> tuple[bool, ...]:
    """Say of each leaf of a tree whether it is meant.

    Raises
    ------
    StructureError
        If a pattern matches no path, or a tree of truth values has another structure.
    """
    leaves, treedef = flatten(tree)
    if callable(mask):
        return tuple(bool(mask(p, x)) for p, x in zip(paths_of(treedef), leaves, strict=True))
    patterns = _patterns(mask)
    if patterns is not None:
        return tuple(n is not None for n in first_matches(patterns, treedef, argument))
    return tuple(bool(x) for x in broadcast_prefix(mask, tree, argument=argument, other="params"))


def _patterns(mask: Mask) -> tuple[str, ...] | None:
    """Return patterns, if a mask is one or some."""
    if isinstance(mask, str):
        return (mask,)
    if isinstance(mask, list | tuple) and mask and all(isinstance(x, str) for x in mask):
        return tuple(mask)
    return None


@functools.lru_cache(maxsize=256)
def first_matches(
    patterns: tuple[str, ...], treedef: TreeDef, argument: str
) -> tuple[int | None, ...]:
    """Return for each leaf the number of the first pattern that its path matches.

    Raises
    ------
    StructureError
        If a pattern matches no path: it is misspelt.
    """
    paths = paths_of(treedef)
    for pattern in patterns:
        if not any(fnmatchcase(path, pattern) for path in paths):
            message = f"`{argument}`: {pattern!r} matches none of the paths {list(paths)}"
            raise StructureError(message)
    numbers = range(len(patterns))
    return tuple(
        next((n for n in numbers if fnmatchcase(path, patterns[n])), None) for path in paths
    )
