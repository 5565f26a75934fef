"""One call of a function as an autodiff wants it: flat lists of arrays, and the way back.

Three things can be in an argument. Arrays of a differentiated argument (and Python floats, which
become 0-d arrays) are leaves. Arrays of the other arguments are constants. All else is passed
through untouched.
"""

from collections.abc import Sequence
from itertools import accumulate, chain
from operator import index
from typing import Any, TypeAlias

from arraygrad._namespace import array_namespace, kinds_of
from arraygrad._tree import TreeDef, flatten, flatten_with_paths, format_path, unflatten
from arraygrad._typing import Array, Leaves, Pullback
from arraygrad.operators._arrays import Kinds, check_devices
from arraygrad.operators._body import Body, record
from arraygrad.operators._locate import locate

__all__ = ["Argnums", "Call", "parse_argnums"]

Argnums: TypeAlias = int | Sequence[int]


def parse_argnums(argnums: Argnums) -> tuple[int, ...]:
    """Return `argnums` as a tuple without duplicates."""
    numbers = tuple(map(index, argnums)) if isinstance(argnums, Sequence) else (index(argnums),)
    _refuse_duplicates(numbers, argnums)
    return numbers


class Plan:
    """What is the same for all calls with arguments of one structure and leaves of like kinds."""

    __slots__ = ("autodiff", "compares", "fixed", "order", "places", "rest", "specs", "xp")

    def __init__(
        self, treedef: TreeDef, argnums: tuple[int, ...], kinds: Kinds, forced: str | None
    ):
        arguments = treedef.children()[0].children()
        stops = list(accumulate(spec.num_leaves for spec in arguments))
        numbers = _positions(argnums, len(arguments))
        spans = [range(stops[n] - arguments[n].num_leaves, stops[n]) for n in numbers]
        chosen = list(chain.from_iterable(spans))
        others = sorted(set(range(treedef.num_leaves)).difference(chosen))
        self.places, self.fixed = kinds.variables(chosen), kinds.constants(others)
        # What passes through, and where each leaf of the call stands in leaves + constants + rest.
        self.rest = sorted(set(range(treedef.num_leaves)).difference(self.places, self.fixed))
        number = {place: n for n, place in enumerate([*self.places, *self.fixed, *self.rest])}
        self.order = [number[place] for place in range(treedef.num_leaves)]
        # For each differentiated argument: its structure, and the numbers of its leaves; -1 stands
        # for what has no gradient, and finds the `None` that ends a list.
        self.specs = [
            (arguments[n], [number[i] if number[i] < len(self.places) else -1 for i in span])
            for n, span in zip(numbers, spans, strict=True)
        ]
        self.xp, self.autodiff = kinds.xp, kinds.autodiff(forced)
        self.compares = kinds.may_differ_in_device


# Plans of calls with floating arrays only, whose kinds tell everything.
_plans: dict[Any, Plan] = {}
_REMEMBERED = 1000


class Call:
    """The arrays of one call, who differentiates them, and the way back to the arguments."""

    __slots__ = (
        "args", "autodiff", "constants", "kwargs", "leaves", "plan", "rest", "treedef", "xp",
    )  # fmt: skip

    def __init__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: tuple[int, ...],
        autodiff: str | None = None,
    ) -> None:
        self.args, self.kwargs = args, kwargs
        flat, self.treedef = flatten((args, kwargs))
        key = (self.treedef, kinds_of(flat), argnums, autodiff)
        plan = _plans.get(key)
        if plan is None:
            kinds = Kinds(flat, self.where)
            plan = Plan(self.treedef, argnums, kinds, autodiff)
            self.leaves = kinds.lift([flat[i] for i in plan.places])
            if kinds.floating and len(_plans) < _REMEMBERED:
                _plans[key] = plan
        else:
            if plan.compares:
                check_devices(flat, self.where)
            self.leaves = [flat[i] for i in plan.places]
        self.constants = [flat[i] for i in plan.fixed]
        self.rest = [flat[i] for i in plan.rest]
        self.plan, self.xp, self.autodiff = plan, plan.xp, plan.autodiff

    def where(self, leaf: Any) -> str:
        """Spell where a leaf lies among the arguments."""
        return locate(leaf, args=self.args, kwargs=self.kwargs)

    def leaf_name(self, number: int) -> str:
        """Spell where the leaf with this number lies among the arguments."""
        paths, _, _ = flatten_with_paths(self.args)
        return "args" + format_path(paths[self.plan.places[number]])

    def arguments(self, leaves: Leaves, constants: Leaves) -> tuple[Any, dict[str, Any]]:
        """Rebuild the arguments around other arrays."""
        given = [*leaves, *constants, *self.rest]
        args, kwargs = unflatten(self.treedef, map(given.__getitem__, self.plan.order))
        return args, kwargs

    def gradients(self, values: Leaves, argnums: Argnums) -> Any:
        """Shape one value per leaf like the differentiated arguments: bare for an int."""
        given = [*values, None]
        trees = [
            unflatten(spec, map(given.__getitem__, numbers)) for spec, numbers in self.plan.specs
        ]
        return tuple(trees) if isinstance(argnums, Sequence) else trees[0]

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
