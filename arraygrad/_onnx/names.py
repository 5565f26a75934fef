"""What inputs and outputs are called: the argument's name, then the leaf's path, with dots."""

import inspect
from collections.abc import Callable
from typing import Any

from arraygrad._tree import Path, TreeDef, flatten_with_names, format_path
from arraygrad._typing import Tree
from arraygrad.errors import StructureError

__all__ = ["argument_names", "function_name", "named_leaves"]


def function_name(f: Any) -> str:
    """Return how a function is called in messages."""
    return str(getattr(f, "__qualname__", repr(f)))


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """Return the names of a call's positional arguments: `x`; `args.0` for the first of `*args`."""
    named, rest = [], "args"
    for parameter in _parameters(f):
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            named.append(parameter.name)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            rest = parameter.name
    return [*named, *(f"{rest}.{n}" for n in range(count - len(named)))][:count]


def _parameters(f: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # those in C may not tell
        return []


def named_leaves(tree: Tree, root: str) -> tuple[dict[str, Any], TreeDef]:
    """Return the leaves of a tree by their names, and its structure.

    Raises
    ------
    StructureError
        If a key is neither a string nor a number, or two leaves have one name.
    """
    paths, leaves, treedef = flatten_with_names(tree)
    found: dict[str, Any] = {}
    for path, leaf in zip(paths, leaves, strict=True):
        name = _spelt(root, path)
        if name in found:
            message = f"two leaves of `{root}` would be called {name!r} in the model: rename a key"
            raise StructureError(message)
        found[name] = leaf
    return found, treedef


def _spelt(root: str, path: Path) -> str:
    for key in path:
        if not isinstance(key, str | int | float):
            message = (
                f"`{root}` at {format_path(path)} has a key of type {type(key).__name__}: "
                "names in a model are made of strings and numbers"
            )
            raise StructureError(message)
    return ".".join([root, *map(str, path)])
