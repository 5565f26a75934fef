r"""How a leaf is called in a file: `slots/mu/layers/0/w`.

Keys, indices and the names of fields, with `/` between them; the root of a tree that is one leaf
is `.`. What cannot stand in a name is written as `%` and its code in hexadecimal: `%`, `/`, `\`
and what Unicode calls control characters and surrogates.
"""

import re
from typing import Any

from arraygrad._tree import Path, TreeDef, flatten_with_names, format_path
from arraygrad._typing import Tree
from arraygrad.errors import StateError

__all__ = ["ROOT", "named_leaves", "spell"]

ROOT = "."

_SPECIAL = re.compile(r"[%/\\\x00-\x1f\x7f\ud800-\udfff]")


def named_leaves(tree: Tree, argument: str) -> tuple[dict[str, Any], TreeDef]:
    """Return the leaves of a tree by their names, and its structure.

    Raises
    ------
    StateError
        If a key has no name, or two leaves have the same: `{1: ..., "1": ...}`.
    """
    paths, leaves, treedef = flatten_with_names(tree)
    found: dict[str, Any] = {}
    for path, leaf in zip(paths, leaves, strict=True):
        name = spell(path, argument)
        if name in found:
            message = f"two leaves of `{argument}` are called {name!r} in a file: rename one key"
            raise StateError(message)
        found[name] = leaf
    return found, treedef


def spell(path: Path, argument: str) -> str:
    """Return the name of the leaf at a path.

    Raises
    ------
    StateError
        If a key is neither a string nor a number.
    """
    for key in path:
        if not isinstance(key, str | int | float):
            message = (
                f"`{argument}` at {format_path(path)} has a key of type {type(key).__name__}: "
                "in a file, keys are strings and numbers"
            )
            raise StateError(message)
    return "/".join(_SPECIAL.sub(_escape, str(key)) for key in path) if path else ROOT


def _escape(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"
