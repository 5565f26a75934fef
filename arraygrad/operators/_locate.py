"""Where a leaf lies in the caller's trees, for messages."""

from typing import Any

from arraygrad._tree import Path, flatten_with_paths, format_path
from arraygrad._typing import Tree

__all__ = ["locate", "spell"]


def locate(wanted: Any, **trees: Tree) -> str:
    """Spell where an object lies in named trees, as Python would index it: `args[0]['w']`."""
    for name, tree in trees.items():
        paths, leaves, _ = flatten_with_paths(tree)
        for path, leaf in zip(paths, leaves, strict=True):
            if leaf is wanted:
                return spell(name, path)
    return "a leaf"


def spell(name: str, path: Path) -> str:
    """Spell a place in a named tree; the root is the name itself."""
    return name + format_path(path) if path else name
