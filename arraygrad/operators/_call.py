"""One call of a function as an autodiff wants it: flat lists of arrays, and the way back.

Three things can be in an argument. Arrays of a differentiated argument (and Python floats, which
become 0-d arrays) are leaves. Arrays of the other arguments are constants. All else is passed
through untouched.
"""

from collections.abc import Sequence
from itertools import islice
from operator import index
from typing import Any, TypeAlias

from arraygrad._namespace import array_namespace
from arraygrad._tree import flatten, flatten_with_paths, format_path, unflatten
from arraygrad._typing import Array, Leaves, Pullback
from arraygrad.operators._arrays import Kinds
from arraygrad.operators._body import Body, record
from arraygrad.operators._locate import locate

__all__ = ["Argnums", "Call", "parse_argnums"]

Argnums: TypeAlias = int | Sequence[int]


def parse_argnums(argnums: Argnums) -> tuple[int, ...]:
    """Return `argnums` as a tuple without duplicates."""
    numbers = tuple(map(index, argnums)) if isinstance(argnums, Sequence) else (index(argnums),)
    _refuse_duplicates(numbers, argnums)
    return numbers


class Call:
    """The arrays of one call, who differentiates them, and the way back to the arguments."""

    __slots__ = (
        "args", "autodiff", "constants", "fixed", "flat", "kwargs", "leaves", "numbers", "order",
        "places", "specs", "treedef", "xp",
    )  # fmt: skip

    def __init__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: tuple[int, ...],
        autodiff: str | None = None,
    ) -> None:
        self.args, self.kwargs = args, kwargs
        self.numbers = numbers = _positions(argnums, len(args))
        self.order = [*numbers, *[i for i in range(len(args)) if i not in numbers]]
        # Differentiated arguments come first, so their leaves do; keyword arguments come last.
        self.flat, self.treedef = flatten([*[args[i] for i in self.order], kwargs])
        self.specs = self.treedef.children()[: len(numbers)]
        width = sum([spec.num_leaves for spec in self.specs])
        self._settle(Kinds(self.flat, self.where), width, autodiff)

    def _settle(self, kinds: Kinds, width: int, autodiff: str | None) -> None:
        """Sort the leaves, and make every variable an array that can have a gradient."""
        self.places = kinds.variables(range(width))
        self.fixed = kinds.constants(range(width, len(self.flat)))
        self.constants = [self.flat[i] for i in self.fixed]
        self.xp, self.autodiff = kinds.xp, kinds.autodiff(autodiff)
        self.leaves = kinds.lift([self.flat[i] for i in self.places])

    def where(self, leaf: Any) -> str:
        """Spell where a leaf lies among the arguments."""
        return locate(leaf, args=self.args, kwargs=self.kwargs)

    def leaf_name(self, number: int) -> str:
        """Spell where the leaf with this number lies among the arguments."""
        paths, _, _ = flatten_with_paths([self.args[i] for i in self.numbers])
        position, *path = paths[self.places[number]]
        return "args" + format_path((self.numbers[position], *path))

    def arguments(self, leaves: Leaves, constants: Leaves) -> tuple[list[Any], dict[str, Any]]:
        """Rebuild the arguments around other arrays."""
        flat = _filled(self.flat, self.places + self.fixed, [*leaves, *constants])
        *ordered, kwargs = unflatten(self.treedef, flat)
        args = list(ordered)
        for i, arg in zip(self.order, ordered, strict=True):
            args[i] = arg
        return args, kwargs

    def gradients(self, values: Leaves, argnums: Argnums) -> Any:
        """Shape one value per leaf like the differentiated arguments: bare for an int."""
        width = sum([spec.num_leaves for spec in self.specs])
        flat = _filled([None] * width, self.places, values)
        if not isinstance(argnums, Sequence):
            return unflatten(self.specs[0], flat)
        rest = iter(flat)
        return tuple(unflatten(spec, islice(rest, spec.num_leaves)) for spec in self.specs)

    def vjp(self, body: Body, *, once: bool) -> tuple[list[Array], Pullback, Any]:
        """Run the body, recorded."""
        outputs, pullback, aux = record(self.autodiff, body, self.leaves, self.constants, once=once)
        return outputs, pullback, body.whole_aux(aux)

    def jvp(self, body: Body, tangents: Leaves) -> tuple[list[Array], list[Array], Any]:
        """Run the body with tangents; without leaves nothing moves."""
        if not self.leaves:
            outputs, aux = body([], self.constants)
            rates = [array_namespace(y).zeros_like(y) for y in outputs]
            return outputs, rates, body.whole_aux(aux)
        outputs, rates, aux = self.autodiff.jvp(body, self.leaves, tangents, self.constants)
        return outputs, rates, body.whole_aux(aux)


def _filled(leaves: list[Any], places: list[int], values: Leaves) -> Leaves:
    """Return leaves with new values at ascending places."""
    if len(places) == len(leaves):
        return values
    filled = list(leaves)
    for place, value in zip(places, values, strict=True):
        filled[place] = value
    return filled


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
            raise ValueError(message)
    positions = tuple(number % count for number in argnums)
    _refuse_duplicates(positions, argnums)
    return positions


def _refuse_duplicates(numbers: tuple[int, ...], given: Argnums) -> None:
    if len(set(numbers)) != len(numbers):
        message = f"`argnums` names an argument twice: {given}"
        raise ValueError(message)
