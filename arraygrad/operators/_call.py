"""One call of a function as an autodiff wants it: flat lists of arrays, and the way back.

Three things can be in an argument. Arrays of a differentiated argument (and Python floats, which
become 0-d arrays) are leaves. Arrays of the other arguments are constants. All else is passed
through untouched.
"""

from collections.abc import Sequence
from operator import index
from typing import Any, TypeAlias

from arraygrad._namespace import kinds_of
from arraygrad._tree import TreeDef, flatten, flatten_with_paths, format_path
from arraygrad._typing import Array, Leaves, Pullback
from arraygrad.errors import ArgumentError
from arraygrad.operators._arrays import Kinds, check_devices
from arraygrad.operators._body import Body
from arraygrad.operators._locate import locate
from arraygrad.operators._plan import Plan, refuse_duplicates

__all__ = ["Argnums", "Call", "Calls", "check_function", "parse_argnums"]

Argnums: TypeAlias = int | Sequence[int]


def check_function(f: Any) -> None:
    """Refuse what cannot be called, before a call that comes later does.

    Raises
    ------
    ArgumentError
        If `f` is no function.
    """
    if not callable(f):
        message = f"`f` must be a function, got {type(f).__name__}"
        raise ArgumentError(message)


def parse_argnums(argnums: Argnums) -> tuple[int, ...]:
    """Return `argnums` as a tuple without duplicates."""
    try:
        numbers = tuple(map(index, argnums if isinstance(argnums, Sequence) else (argnums,)))
    except TypeError:
        message = f"`argnums` must be an integer, or a sequence of some, got {argnums!r}"
        raise ArgumentError(message) from None
    refuse_duplicates(numbers, argnums)
    return numbers


# Plans of calls with floating arrays only, whose kinds tell everything.
_plans: dict[Any, Plan] = {}
_REMEMBERED = 1000


class Calls:
    """The calls of one function: each tries the plan of the one before."""

    __slots__ = ("_argnums", "_autodiff", "_last")

    def __init__(self, argnums: tuple[int, ...], autodiff: str | None = None) -> None:
        self._argnums, self._autodiff = argnums, autodiff
        self._last: Plan | None = None

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Call":
        """Return the call with these arguments."""
        plan = self._last
        flat = None if plan is None else plan.leaves(args, kwargs)
        if plan is not None and flat is not None:
            return Call(args, kwargs, plan, flat, plan.treedef)
        flat, treedef = flatten((args, kwargs))
        key = (treedef, kinds_of(flat), self._argnums, self._autodiff)
        plan, kinds = _plans.get(key), None
        if plan is None:
            kinds = Kinds(flat, lambda leaf: locate(leaf, args=args, kwargs=kwargs))
            plan = Plan(flat, treedef, self._argnums, kinds, self._autodiff)
            if kinds.floating and len(_plans) < _REMEMBERED:
                _plans[key] = plan
        if plan.quick:
            self._last = plan
        return Call(args, kwargs, plan, flat, treedef, kinds)


class Call:
    """The arrays of one call, who differentiates them, and the way back to the arguments."""

    __slots__ = (
        "args", "constants", "kwargs", "leaves", "plan", "rest", "treedef", "xp",
    )  # fmt: skip

    def __init__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        plan: Plan,
        flat: list[Any],
        treedef: TreeDef,
        kinds: Kinds | None = None,
    ) -> None:
        self.args, self.kwargs, self.plan, self.treedef = args, kwargs, plan, treedef
        self.xp = plan.xp
        leaves, constants, rest = plan.pick
        self.leaves, self.constants, self.rest = leaves(flat), constants(flat), rest(flat)
        if kinds is not None:
            self.leaves = kinds.lift(self.leaves)
        elif plan.compares:
            check_devices(flat, self.where)

    def where(self, leaf: Any) -> str:
        """Spell where a leaf lies among the arguments."""
        return locate(leaf, args=self.args, kwargs=self.kwargs)

    def leaf_name(self, number: int) -> str:
        """Spell where the leaf with this number lies among the arguments."""
        paths, _, _ = flatten_with_paths(self.args)
        return "args" + format_path(paths[self.plan.places[number]])

    def arguments(self, leaves: Leaves, constants: Leaves) -> tuple[Any, dict[str, Any]]:
        """Rebuild the arguments around other arrays."""
        given, order = [*leaves, *constants, *self.rest], self.plan.order
        among = given if order is None else map(given.__getitem__, order)
        rebuilt: tuple[Any, dict[str, Any]] = self.treedef.unflatten(among)  # type: ignore[assignment]
        return rebuilt

    def gradients(self, values: Leaves, argnums: Argnums) -> Any:
        """Shape one value per leaf like the differentiated arguments: bare for an int."""
        shapes = self.plan.gradients
        if isinstance(argnums, int):
            return shapes[0](values)
        trees = tuple([shape(values) for shape in shapes])
        return trees if isinstance(argnums, Sequence) else trees[0]

    def vjp(self, body: Body, *, once: bool) -> tuple[list[Array], Pullback, Any]:
        """Run the body, recorded."""
        autodiff = self.plan.autodiff
        outputs, pullback, aux = autodiff.vjp(body, self.leaves, self.constants, once=once)
        return outputs, pullback, body.whole_aux(aux)

    def jvp(self, body: Body, tangents: Leaves) -> tuple[list[Array], list[Array], Any]:
        """Run the body with tangents."""
        outputs, rates, aux = self.plan.autodiff.jvp(body, self.leaves, tangents, self.constants)
        return outputs, rates, body.whole_aux(aux)
