"""What is the same for all calls whose arguments are of one structure and like kinds."""

from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any, TypeAlias

from arraygrad._namespace import dtypes_of
from arraygrad._tree import TreeDef, has_dict, has_outline, outline, unflatten
from arraygrad._typing import Leaves
from arraygrad.errors import ArgumentError
from arraygrad.operators import _nothing
from arraygrad.operators._arrays import Kinds

__all__ = ["Plan", "refuse_duplicates"]

Shape: TypeAlias = Callable[[Leaves], Any]
"""Puts leaves back into a tree."""


class Plan:
    """Which leaves of a call are variables, constants, or neither, and the ways back."""

    __slots__ = (
        "autodiff", "compares", "dtypes", "fixed", "gradients", "order", "outline", "pick",
        "places", "quick", "rest", "seed", "treedef", "types", "xp",
    )  # fmt: skip

    def __init__(
        self,
        flat: list[Any],
        treedef: TreeDef,
        argnums: tuple[int, ...],
        kinds: Kinds,
        forced: str | None,
    ):
        arguments = treedef.children()[0].children()
        stops = list(accumulate(spec.num_leaves for spec in arguments))
        numbers = _positions(argnums, len(arguments))
        spans = [range(stops[n] - arguments[n].num_leaves, stops[n]) for n in numbers]
        chosen = list(chain.from_iterable(spans))
        every = range(treedef.num_leaves)
        self.places = kinds.variables(chosen)
        if len(self.places) < len(chosen):
            for span in spans:
                kinds.check_trees(span)
        self.fixed = kinds.constants(sorted(set(every).difference(chosen)))
        # What passes through, and where each leaf of the call stands in leaves + constants + rest.
        self.rest = sorted(set(every).difference(self.places, self.fixed))
        self.pick = tuple(map(_picker, (self.places, self.fixed, self.rest)))
        number = {place: n for n, place in enumerate([*self.places, *self.fixed, *self.rest])}
        order = [number[place] for place in every]
        self.order = None if order == list(every) else order
        # What is no variable has no gradient: there stands the `None` that ends a list, at -1.
        variables = dict.fromkeys(every, -1) | {place: number[place] for place in self.places}
        self.gradients = [
            _shape(arguments[n], [variables[place] for place in span], len(self.places))
            for n, span in zip(numbers, spans, strict=True)
        ]
        self.xp, autodiff = kinds.xp, kinds.autodiff(forced)
        self.autodiff = autodiff if self.places else _nothing
        self.seed = getattr(self.autodiff, "seed", kinds.library.seed)
        self.compares = kinds.may_differ_in_device
        self.outline = [] if kinds.library.readable else outline(treedef)
        self.treedef = treedef
        # Of floating arrays the kinds tell all; but dicts are alike in whatever order they are.
        self.quick = kinds.floating and not has_dict(treedef)
        self.types = list(map(type, flat))
        self.dtypes = dtypes_of(flat) if self.quick else []

    def leaves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
        """Return the leaves of another call, `None` if this is no plan for it.

        To be asked of a quick plan.
        """
        given: Any = (args, kwargs)
        if self.outline and not has_outline(self.outline, given):
            return None
        try:
            flat: list[Any] = self.treedef.flatten_up_to(given)
        except ValueError:
            return None
        alike = list(map(type, flat)) == self.types and dtypes_of(flat) == self.dtypes
        return flat if alike else None


def _picker(places: list[int]) -> Callable[[list[Any]], list[Any]]:
    """Return what picks the leaves at these places, in this order."""
    start = places[0] if places else 0
    if places == list(range(start, start + len(places))):
        return itemgetter(slice(start, start + len(places)))
    return lambda flat: [flat[place] for place in places]


def _shape(spec: TreeDef, places: list[int], count: int) -> Shape:
    """Return what builds a tree from those at these places of `count` values; -1 is `None`."""
    if spec.is_leaf() and places != [-1]:
        return itemgetter(*places)
    if places == list(range(count)):
        return spec.unflatten
    if places and -1 not in places:
        take = slice(places[0], places[-1] + 1)  # they are in order, with no gap
        return lambda values: unflatten(spec, values[take])
    return lambda values: unflatten(spec, map([*values, None].__getitem__, places))


def _positions(argnums: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return where the differentiated arguments stand; negative numbers count from the end."""
    if argnums == (0,) and count:
        return argnums
    for number in argnums:
        if not -count <= number < count:
            message = (
                f"`argnums` is {number}, but the function was called with {count} positional "
                f"arguments; keyword arguments are not differentiated"
            )
            raise ArgumentError(message)
    positions = tuple(number % count for number in argnums)
    refuse_duplicates(positions, argnums)
    return positions


def refuse_duplicates(numbers: tuple[int, ...], given: int | Sequence[int]) -> None:
    """Refuse an argument that is named twice."""
    if len(set(numbers)) != len(numbers):
        message = f"`argnums` names an argument twice: {given}"
        raise ArgumentError(message)
