"""Trees that must have the structure of another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace, is_array, kinds_of
from arraygrad._tree import (
    TreeDef,
    are_leaves,
    broadcast_prefix,
    flatten,
    flatten_like,
    flatten_with_paths,
    format_path,
    has_dict,
    has_order,
    has_outline,
    outline,
    unflatten,
)
from arraygrad._typing import Array, Tree
from arraygrad.errors import DtypeError, ShapeError, StructureError
from arraygrad.fusion.columns import Alike
from arraygrad.fusion.packed import known, shapes_of
from arraygrad.libraries import library_of

__all__ = ["Model", "check_shapes", "leaves_like", "rebuilt", "slots_like", "slots_of"]


_FEW = 3
"""Leaves: of more, it pays to ask which are those of the last step."""

_seen = attrgetter("__class__", "dtype", "shape")


class _Few(NamedTuple):
    """All that can be asked of the leaves of several trees, which have a few leaves each."""

    treedef: TreeDef
    nodes: Any
    seen: list[tuple[Any, ...]]
    each: int
    one: TreeDef
    notes: dict[Any, Any]


class Model:
    """What the trees of parameters, and those beside them, were like when last met.

    Trees that are alike need neither be explored nor checked again.
    """

    __slots__ = ("_checked", "_few", "_last")

    def __init__(self, checked: Callable[[Tree], tuple[list[Array], TreeDef]]) -> None:
        self._checked = checked
        self._last: tuple[TreeDef, Any, Any] | None = None
        self._few: _Few | None = None

    def __reduce__(self) -> Any:
        return Model, (self._checked,)

    def columns(self, trees: tuple[Tree, ...]) -> tuple[Alike, TreeDef] | None:
        """Return the leaves of each tree, and their structure, if all are like those noted."""
        few = self._few
        if few is None or (few.nodes and not has_outline(few.nodes, trees)):
            return None
        flat = flatten_like(few.treedef, trees)
        try:
            if flat is None or list(map(_seen, flat)) != few.seen:
                return None
        except AttributeError:  # not all are arrays
            return None
        return Alike(flat, few.each, few.notes), few.one

    def note(self, trees: tuple[Tree, ...], columns: list[Sequence[Array]], one: TreeDef) -> None:
        """Take trees, whose leaves have been checked, for the model, if they have a few leaves."""
        if not 0 < len(columns[0]) <= _FEW:
            return
        treedef, flat = flatten(trees)[1], [x for column in columns for x in column]
        if treedef.num_leaves == len(flat) and not has_order(treedef):
            nodes = [] if _all_readable(flat) else outline(treedef)
            seen = list(map(_seen, flat))
            self._few = _Few(treedef, nodes, seen, one.num_leaves, one, {})

    def leaves(self, tree: Tree) -> tuple[list[Array], TreeDef]:
        """Return the leaves of a tree, and their structure; dicts may be in another order."""
        if self._last is not None:
            treedef, kinds, nodes = self._last
            leaves = flatten_like(treedef, tree) if has_outline(nodes, tree) else None
            if leaves is not None:
                of_last_step = known(leaves)
                if of_last_step is not None:
                    return of_last_step, treedef
                if kinds_of(leaves) == kinds:
                    return leaves, treedef
        leaves, treedef = self._checked(tree)
        if has_order(treedef):
            return leaves, treedef
        kinds = kinds_of(leaves)
        self._last = treedef, kinds, [] if _all_readable(leaves) else outline(treedef)
        return leaves, treedef


_FLAT = (dict, list)


def _all_readable(leaves: list[Array]) -> bool:
    """Say whether reading values is free, whatever the leaf."""
    examples = dict(zip(map(type, leaves), leaves, strict=True)).values()
    return all(library_of(array_namespace(x)).readable for x in examples)


def rebuilt(tree: Tree, treedef: TreeDef, leaves: Any) -> Tree:
    """Return a tree of this structure with other leaves, plain dicts in the order of `tree`."""
    kind = type(tree)
    if kind in _FLAT and treedef.num_nodes == len(tree) + 1 == len(leaves) + 1:
        # All are leaves: in a fraction of the time that optree takes.
        if kind is list:
            return list(leaves)
        by_key = dict(zip(treedef.entries(), leaves, strict=True))
        return {key: by_key[key] for key in tree}
    if not has_dict(treedef) or has_order(treedef):
        return unflatten(treedef, leaves)
    own = flatten(tree)[1]
    if has_order(own):  # it fits, but has its leaves in another order
        places: Any = flatten_like(treedef, unflatten(own, range(len(leaves))))
        leaves = [x for _, x in sorted(zip(places, leaves, strict=True), key=itemgetter(0))]
    return unflatten(own, leaves)


def leaves_like(treedef: TreeDef, tree: Tree, *, argument: str, other: str) -> list[Any]:
    """Return the leaves of a tree that has this structure.

    Raises
    ------
    StructureError
        If it has another; the message names the path where they part, and the two arguments.
    """
    quick = flatten_like(treedef, tree)
    if quick is not None:
        of_last_step = known(quick)
        if of_last_step is not None:
            return of_last_step
        if are_leaves(quick):
            return quick
    leaves, found = flatten(tree)
    if found != treedef:
        model = unflatten(treedef, range(treedef.num_leaves))
        broadcast_prefix(model, tree, argument=other, other=argument)
        return broadcast_prefix(tree, model, argument=argument, other=other)
    return known(leaves) or leaves


def slots_of(state: Any, names: Iterable[str]) -> list[Tree]:
    """Return the slots of a state by their names.

    Raises
    ------
    StructureError
        If one is missing: the state is that of another optimizer.
    """
    found: Mapping[str, Tree] = getattr(state, "slots", {})
    try:
        return [found[name] for name in names]
    except KeyError as error:
        message = f"`state` has no slot {error}: it is not one of this optimizer"
        raise StructureError(message) from None
    except TypeError:
        message = f"`state.slots` must be a dict of trees, got {type(found).__name__}"
        raise StructureError(message) from None


def slots_like(
    treedef: TreeDef, state: Any, names: Sequence[str], weights: Sequence[Array]
) -> dict[str, list[Any]]:
    """Return what stands in slots of a state where the parameters have leaves.

    These are arrays of the parameters' shapes, trees of some, or `None`.

    Raises
    ------
    StructureError
        If a slot is missing, or does not go so far: the state is that of another optimizer, or of
        other parameters.
    ShapeError
        If an array has another shape than its parameter.
    """
    found: dict[str, list[Any]] = {}
    for name, tree in zip(names, slots_of(state, names), strict=True):
        parts = flatten_like(treedef, tree)
        if parts is None:
            message = f"`state.slots[{name!r}]` does not have the structure of `params`"
            raise StructureError(message)
        pairs = zip(parts, weights, strict=True)
        shapes = [w.shape if is_array(x) else None for x, w in pairs]
        if shapes_of(parts) != shapes:
            model = unflatten(treedef, range(len(shapes)))
            check_shapes(model, shapes, f"state.slots[{name!r}]", parts)
        found[name] = parts
    return found


def check_shapes(params: Tree, shapes: list[Any], argument: str, column: Sequence[Any]) -> None:
    """Make sure that what stands beside the parameters are arrays of these shapes.

    Raises
    ------
    DtypeError
        If something is no array; the message names its path.
    ShapeError
        If an array has another shape.
    """
    if shapes_of(column) == shapes:
        return
    for path, x, shape in zip(flatten_with_paths(params)[0], column, shapes, strict=True):
        where = f"`{argument}` at {format_path(path)}"
        if not is_array(x):
            message = f"{where} must be an array, got {type(x).__name__}"
            raise DtypeError(message)
        if x.shape != shape:
            message = f"{where} has shape {tuple(x.shape)}, the parameter has {tuple(shape)}"
            if argument.startswith("state"):  # a slot's shape need not be that of the parameter
                message = f"{where} has shape {tuple(x.shape)}, but must have {tuple(shape)} here"
            raise ShapeError(message)
