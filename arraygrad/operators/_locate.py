"""Where a leaf lies in the caller's trees, for messages."""

from typing import Any

from arraygrad._tree import flatten_with_paths, format_path
from arraygrad._typing import Tree

__all__ = ["locate"]


def locate(wanted: Any, **trees: Tree) -> str:
    """Spell where an object lies in named trees, as Python would index it: `args[0]['w']`."""
    for name, tree in trees.items():
        paths, leaves, _ = flatten_with_paths(tree)
        for path, leaf in zip(paths, leaves, strict=True):
            if leaf is wanted:
                return name + (format_path(path) if path else "")
    return "a leaf"
