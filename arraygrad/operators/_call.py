"""One call of a function as an autodiff wants it: flat lists of arrays, and the way back.

Three things can be in an argument. Arrays of a differentiated argument (and Python floats, which
become 0-d arrays) are leaves. Arrays of the other arguments are constants. All else is passed
through untouched.
"""

from collections.abc import Sequence
from operator import index
from typing import Any, TypeAlias

from arraygrad._tree import flatten_with_paths, format_path
from arraygrad._typing import Array, Leaves, Pullback
from arraygrad.operators._arrays import (
    autodiff_for,
    check_devices,
    check_floating,
    common_namespace,
    is_constant,
    is_number,
    is_variable,
    with_arrays,
)
from arraygrad.operators._body import Body, record
from arraygrad.operators._parts import locate, take_apart

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
        "args", "autodiff", "constants", "differentiated", "kwargs", "leaves", "numbers", "others",
        "rest", "xp",
    )  # fmt: skip

    def __init__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: tuple[int, ...],
        autodiff: str | None = None,
    ) -> None:
        self.args, self.kwargs = args, kwargs
        self.numbers = _positions(argnums, len(args))
        self.rest = [i for i in range(len(args)) if i not in self.numbers]
        self.differentiated = take_apart([args[i] for i in self.numbers], is_variable)
        self.others = take_apart(([args[i] for i in self.rest], kwargs), is_constant)
        self.constants = self.others.chosen
        self._settle(self.differentiated.chosen, autodiff)

    def _settle(self, leaves: list[Any], autodiff: str | None) -> None:
        """Find library and autodiff, and make every leaf an array that can have a gradient."""
        arrays = [x for x in leaves if not is_number(x)]
        every = [*arrays, *self.constants]
        self.xp = common_namespace(every, self.where)
        self.autodiff = autodiff_for(self.xp, autodiff)
        check_floating(self.xp, arrays, self.where)
        check_devices(self.xp, every, self.where)
        self.leaves = arrays if len(arrays) == len(leaves) else with_arrays(self.xp, leaves, every)

    def where(self, leaf: Any) -> str:
        """Spell where a leaf lies among the arguments."""
        return locate(leaf, (("args", self.args), ("kwargs", self.kwargs)))

    def leaf_name(self, number: int) -> str:
        """Spell where the leaf with this number lies among the arguments."""
        paths, _, _ = flatten_with_paths([self.args[i] for i in self.numbers])
        position, *path = paths[self.differentiated.places[number]]
        return "args" + format_path((self.numbers[position], *path))

    def arguments(self, leaves: Leaves, constants: Leaves) -> tuple[list[Any], dict[str, Any]]:
        """Rebuild the arguments around other arrays."""
        others, kwargs = self.others.rebuild(constants)
        args = list(self.args)
        for i, arg in zip(self.numbers, self.differentiated.rebuild(leaves), strict=True):
            args[i] = arg
        for i, arg in zip(self.rest, others, strict=True):
            args[i] = arg
        return args, kwargs

    def gradients(self, values: Leaves, argnums: Argnums) -> Any:
        """Shape one value per leaf like the differentiated arguments: bare for an int."""
        trees = self.differentiated.mirror(values)
        return tuple(trees) if isinstance(argnums, Sequence) else trees[0]

    def vjp(self, body: Body, *, once: bool) -> tuple[list[Array], Pullback, Any]:
        """Run the body, recorded."""
        outputs, pullback, aux = record(self.autodiff, body, self.leaves, self.constants, once=once)
        return outputs, pullback, body.whole_aux(aux)

    def jvp(self, body: Body, tangents: Leaves) -> tuple[list[Array], list[Array], Any]:
        """Run the body with tangents; without leaves nothing moves."""
        if not self.leaves:
            outputs, aux = body([], self.constants)
            return outputs, [self.xp.zeros_like(y) for y in outputs], body.whole_aux(aux)
        outputs, rates, aux = self.autodiff.jvp(body, self.leaves, tangents, self.constants)
        return outputs, rates, body.whole_aux(aux)


def _positions(argnums: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return where the differentiated arguments stand; negative numbers count from the end."""
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
