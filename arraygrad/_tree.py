"""Trees of arrays: the only importer of optree.

A tree is an array, or a nest of dict, list, tuple, namedtuple, OrderedDict, `Container` and
classes registered with optree. `None` is no leaf: it is part of the structure.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import optree

from arraygrad.errors import StructureError

__all__ = [
    "Path",
    "TreeDef",
    "are_leaves",
    "broadcast_prefix",
    "children",
    "flatten",
    "flatten_like",
    "flatten_with_names",
    "flatten_with_paths",
    "format_path",
    "has_dict",
    "has_order",
    "has_outline",
    "is_leaf",
    "map_leaves",
    "outline",
    "register_node",
    "unflatten",
]

NAMESPACE = "arraygrad"  # registrations of ours stay out of everybody else's trees

Path: TypeAlias = tuple[Any, ...]
TreeDef: TypeAlias = optree.PyTreeSpec
Outline: TypeAlias = list[tuple[int, Any, Any, Any]]


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """Return the leaves of a tree, and its structure."""
    return optree.tree_flatten(tree, namespace=NAMESPACE)


def unflatten(treedef: TreeDef, leaves: Any) -> Any:
    """Rebuild a tree from its structure and new leaves."""
    return treedef.unflatten(leaves)


@lru_cache(maxsize=1000)
def has_dict(treedef: TreeDef) -> bool:
    """Say whether a tree has dicts with keys: alike in structure whatever their keys' order."""
    return _has_dict(treedef)


def _has_dict(treedef: TreeDef) -> bool:
    own = issubclass(treedef.type or object, dict) and treedef.num_children > 0
    return own or any(map(_has_dict, treedef.children()))


@lru_cache(maxsize=1000)
def has_order(treedef: TreeDef) -> bool:
    """Say whether a tree has dicts whose leaves are in the order of their keys.

    Such trees match in whatever order, so that of one says nothing of another.
    """
    kind = treedef.type or object
    own = issubclass(kind, dict) and kind not in (dict, defaultdict)
    return own or any(map(has_order, treedef.children()))


def outline(treedef: TreeDef) -> Outline:
    """Return each node's parent and entry there, type and keys; of a leaf nothing."""
    found: Outline = []
    _outline(treedef, 0, 0, found)
    return found


def _outline(treedef: TreeDef, parent: int, entry: Any, found: Outline) -> None:
    kind = treedef.type
    if kind is None:
        return
    if not issubclass(kind, (tuple, list, dict)):  # whose length and keys we do not know
        found.append((parent, entry, kind, None))
        return
    entries: list[Any] = treedef.entries()
    keys: Any = dict.fromkeys(entries).keys() if issubclass(kind, dict) else len(entries)
    found.append((parent, entry, kind, keys))
    number = len(found)
    for key, child in zip(entries, treedef.children(), strict=True):
        _outline(child, number, key, found)


def has_outline(expected: Outline, tree: Any) -> bool:
    """Say whether a tree has these nodes.

    To be asked before `flatten_up_to`, which spells out in its error whatever it finds instead:
    the values of arrays too, and for those a GPU would have to be waited for.
    """
    nodes: list[Any] = [(tree,)]
    for parent, entry, kind, keys in expected:
        node = nodes[parent][entry]
        if type(node) is not kind:
            return False
        if keys is not None and keys != (len(node) if type(keys) is int else node.keys()):
            return False
        nodes.append(node)
    return True


def flatten_like(treedef: TreeDef, tree: Any) -> list[Any] | None:
    """Return what stands where a structure has leaves, `None` if the tree does not go that far.

    Several times as quick as `flatten`, for there is nothing to find out.
    """
    try:
        return treedef.flatten_up_to(tree)
    except ValueError:
        return None


def are_leaves(found: list[Any]) -> bool:
    """Say whether all these are leaves, and no trees."""
    new = set(map(type, found)).difference(_leaf_types)
    if new:
        kinds = {type(x): is_leaf(x) for x in found if type(x) in new}
        if not all(kinds.values()):
            return False
        _leaf_types.update(kinds)
    return True


_leaf_types: set[type] = set()


def flatten_with_paths(tree: Any) -> tuple[list[Path], list[Any], TreeDef]:
    """Return the paths of the leaves, the leaves, and the structure."""
    return optree.tree_flatten_with_path(tree, namespace=NAMESPACE)


def flatten_with_names(tree: Any) -> tuple[list[Path], list[Any], TreeDef]:
    """Return what `flatten_with_paths` does, fields being named in the paths, not counted."""
    accessors, leaves, treedef = optree.tree_flatten_with_accessor(tree, namespace=NAMESPACE)
    return [tuple(map(_name, accessor)) for accessor in accessors], leaves, treedef


def _name(entry: Any) -> Any:
    """Return a field's name, or the key or index that an entry is."""
    return getattr(entry, "field", getattr(entry, "name", entry.entry))


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every leaf."""
    return optree.tree_map(function, tree, namespace=NAMESPACE)


def is_leaf(tree: Any) -> bool:
    """Say whether a tree is a single leaf."""
    return bool(optree.tree_is_leaf(tree, namespace=NAMESPACE))


def children(tree: Any) -> dict[Any, Any]:
    """Return the direct children of a node under their keys; a leaf has none."""
    if tree is None or is_leaf(tree):
        return {}
    nodes, _, entries, _ = optree.tree_flatten_one_level(tree, namespace=NAMESPACE)
    return dict(zip(entries, nodes, strict=True))


def broadcast_prefix(prefix: Any, tree: Any, *, argument: str, other: str) -> list[Any]:
    """Return one entry of `prefix` for every leaf of `tree`: a leaf serves all leaves below it.

    Raises
    ------
    StructureError
        If `prefix` is neither a leaf, nor shaped like `tree`; the message names the path where
        they part, and the two arguments.
    """
    found: list[Any] = []
    _broadcast(prefix, tree, (), found, argument, other)
    return found


def _broadcast(
    prefix: Any, tree: Any, path: Path, found: list[Any], argument: str, other: str
) -> None:
    if prefix is not None and is_leaf(prefix):
        found.extend([prefix] * len(flatten(tree)[0]))
        return
    ours, theirs = children(prefix), children(tree)
    if type(prefix) is not type(tree) or ours.keys() != theirs.keys():
        message = (
            f"`{argument}` and `{other}` have different structures at {format_path(path)}: "
            f"{_describe(prefix)} in `{argument}`, {_describe(tree)} in `{other}`"
        )
        raise StructureError(message)
    for key, child in theirs.items():
        _broadcast(ours[key], child, (*path, key), found, argument, other)


def _describe(tree: Any) -> str:
    if tree is None:
        return "None"
    if is_leaf(tree):
        return f"a leaf ({type(tree).__name__})"
    return f"{type(tree).__name__} with keys {list(children(tree))}"


def format_path(path: Path) -> str:
    """Spell a path as Python would index it: `['layers'][0]`; the root is `the root`."""
    return "".join(f"[{key!r}]" for key in path) if path else "the root"


def register_node(
    kind: type,
    flatten_node: Callable[[Any], tuple[Any, Any, Any]],
    unflatten_node: Callable[[Any, Any], Any],
) -> None:
    """Make a class a node of our trees, and of ours alone."""
    optree.register_pytree_node(kind, flatten_node, unflatten_node, namespace=NAMESPACE)
