"""Slots that another library keeps in another form: a sign, a list, one field or another."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from arraygrad._tree import unflatten
from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.state._arrays import saved
from arraygrad.state._paths import ROOT, named_leaves

__all__ = ["JOINED", "OPPOSITE", "RESHAPED", "WHERE_FACTORED", "Form", "gathered", "scattered"]

Shape = tuple[int, ...]


class Form(NamedTuple):
    """How a leaf of ours is made of parts there, and they of it: NumPy arrays all.

    Parts are what each field of theirs has for the parameter: an array, or those of a list.
    """

    ours: Callable[[Sequence[Any], Shape], Any]
    """Our leaf, of the parts and the shape that it should have."""

    theirs: Callable[[Any, Sequence[Shape]], Sequence[Any]]
    """The parts, of our leaf and the shapes that they should have; `None` for one that stays."""


def _joined(parts: Sequence[Any], shape: Shape) -> Any:
    import numpy as np

    return np.concatenate([np.reshape(x, -1) for x in parts])


def _split(x: Any, shapes: Sequence[Shape]) -> Sequence[Any]:
    import numpy as np

    ends = itertools.accumulate(map(math.prod, shapes[:-1]))
    return np.split(x, list(ends))


def _reshaped(x: Any, shape: Shape) -> Any:
    """Return an array in a shape that has as many elements; in another one, as it is."""
    return x.reshape(shape) if x.size == math.prod(shape) else x


def _column(x: Any, shape: Shape) -> Any:
    return x[:0] if 0 in shape else _reshaped(x, shape)


def _row(parts: Sequence[Any], shape: Shape) -> Any:
    factored, whole = parts
    return whole if whole.shape == shape else _reshaped(factored, shape)


def _placed(x: Any, shapes: Sequence[Shape]) -> Sequence[Any]:
    factored, whole = shapes
    return (None, x) if x.shape == whole else (_reshaped(x, factored), None)


OPPOSITE = Form(lambda parts, shape: -parts[0], lambda x, shapes: [-x])
"""The sign is another."""

JOINED = Form(_joined, _split)
"""Vectors of a list, one after the other."""

RESHAPED = Form(
    lambda parts, shape: _column(parts[0], shape),
    lambda x, shapes: [_reshaped(x, shapes[0]) if x.size else None],
)
"""Axes of length 1 are left out there; what is empty here is anything there."""

WHERE_FACTORED = Form(_row, _placed)
"""The first field, its axes of length 1 left out; but the second where that is like ours."""


def gathered(trees: Sequence[Tree], like: Tree, form: Form, what: str) -> Tree:
    """Return a tree shaped like ours, of NumPy arrays, made of the trees of their fields.

    Raises
    ------
    StateError
        If they have other leaves.
    """
    given = [named_leaves(tree, what)[0] for tree in trees]
    wanted, treedef = named_leaves(like, "params")
    places = _places(given, wanted, what)
    parts = {
        name: [saved(given[n][part], f"{what} at {part}").values for n, part in found]
        for name, found in places.items()
    }
    return unflatten(treedef, [form.ours(parts[name], tuple(wanted[name].shape)) for name in parts])


def scattered(tree: Tree, models: Sequence[Tree], form: Form, what: str) -> list[Tree]:
    """Return the trees of their fields, shaped like the given ones, made of a tree of ours.

    Raises
    ------
    StateError
        If ours has other leaves.
    """
    ours, _ = named_leaves(tree, what)
    given, treedefs = zip(*(named_leaves(model, "opt_state") for model in models), strict=True)
    new = [dict(leaves) for leaves in given]
    for name, found in _places(given, ours, what).items():
        shapes = [tuple(given[n][part].shape) for n, part in found]
        parts = form.theirs(saved(ours[name], f"{what} at {name}").values, shapes)
        for (n, part), x in zip(found, parts, strict=True):
            new[n][part] = given[n][part] if x is None else x
    return [unflatten(*both) for both in zip(treedefs, (x.values() for x in new), strict=True)]


def _places(
    given: Sequence[Mapping[str, Any]], ours: Mapping[str, Any], what: str
) -> dict[str, list[tuple[int, str]]]:
    """Return where the parts of each leaf of ours are: a field's number, and a leaf's name."""
    found = {
        name: [(n, part) for n, leaves in enumerate(given) for part in _parts(leaves, name)]
        for name in ours
    }
    apart = {name for name, places in found.items() if len(places) < len(given)}
    used = set(itertools.chain.from_iterable(found.values()))
    apart |= {name for n, leaves in enumerate(given) for name in leaves if (n, name) not in used}
    if apart:
        message = f"{what} has other leaves than ours: {', '.join(sorted(apart))}"
        raise StateError(message)
    return found


def _parts(leaves: Mapping[str, Any], name: str) -> list[str]:
    """Return a leaf's name, or those of the list in its place."""
    if name in leaves:
        return [name]
    below = "" if name == ROOT else f"{name}/"
    return list(
        itertools.takewhile(leaves.__contains__, (f"{below}{n}" for n in itertools.count()))
    )
