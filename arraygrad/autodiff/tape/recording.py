"""One run of a function on a tape, and the two ways to read what it wrote."""

from collections.abc import Callable
from itertools import count, repeat
from typing import Any

from arraygrad._typing import Array
from arraygrad.autodiff.tape.array import TracedArray, apart
from arraygrad.autodiff.tape.record import CONSTANTS, Tape
from arraygrad.autodiff.tape.sweep import pull_back, push_forward
from arraygrad.errors import SpentTapeError

__all__ = ["Function", "Recording"]

Function = Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]]
"""From leaves and constants to outputs and auxiliary data."""


def _has_traced(values: list[Any]) -> bool:
    # A loop: on a few arrays `any` takes three times as long.
    for x in values:  # noqa: SIM110
        if isinstance(x, TracedArray):
            return True
    return False


class Recording:
    """A function's outputs, and the tape that says how they came about."""

    __slots__ = (
        "aux", "inside", "leaves", "numbers", "once", "outputs", "space", "spent", "tape", "watch",
    )  # fmt: skip

    def __init__(
        self,
        space: Any,
        tape: Tape,
        f: Function,
        leaves: list[Any],
        constants: list[Any],
        once: bool = False,
        watch: Any = None,
    ) -> None:
        # Inside another trace results stay traced, constants too: code there knows no raw arrays.
        self.inside = _has_traced(leaves)
        if self.inside:
            leaves, constants = list(map(apart, leaves)), list(map(apart, constants))
        self.space, self.tape, self.leaves, self.watch = space, tape, leaves, watch
        self.once, self.spent = once, False
        traced = list(map(space.wrap, leaves, count(), repeat(tape)))
        try:
            outputs, aux = f(traced, list(map(space.lift, constants)))
        except SystemError as error:  # code in C that went on after an error of ours
            raise error if error.__cause__ is None else error.__cause__  # noqa: B904
        finally:
            tape.close()
        self.numbers: list[int | None] = []
        self.outputs: list[Any] = []
        for y in outputs:
            number, value = self._parted(y)
            self.numbers.append(number)
            self.outputs.append(value)
        self.aux = [self._parted(y)[1] for y in aux] if aux else aux

    def _parted(self, y: Any) -> tuple[int | None, Any]:
        """Return an output's number, `None` if no leaf is in it, and what is seen outside.

        It may be of an outer tape, of no other.
        """
        if not isinstance(y, TracedArray):
            return None, y
        tape, number = y._tape, y._index
        if tape is self.tape:
            value = y._value if number >= len(self.leaves) else self._leaf(y)
            return number, apart(value) if self.inside else value
        if tape is CONSTANTS:
            return None, self._seen_outside(y)
        tape.pass_through(self.tape.level)
        return None, y

    def _leaf(self, y: TracedArray) -> Any:
        """Return an output that is a leaf as an array, if the leaf is one, and no scalar."""
        value = y._value
        alike = type(value) is type(self.leaves[y._index])
        return value if alike else self.space.raw.asarray(value)

    def _seen_outside(self, x: Any) -> Any:
        """Return a constant as its raw value, unless outside is another trace."""
        constant = isinstance(x, TracedArray) and x._tape is CONSTANTS
        return x._value if constant and not self.inside else x

    def _setting(self, given: list[Any]) -> tuple[Any, list[Any]]:
        """Return the namespace to compute in, and cotangents or tangents as it takes them."""
        space = self.space
        if self.inside or _has_traced([*self.outputs, *given]):
            return space, list(map(space.lift, given))
        return space.raw, given

    def pull(self, cotangents: list[Any]) -> list[Array]:
        """Return the leaves' cotangents: read the records backwards."""
        if self.spent:
            message = "this pullback was made for one call, and its tape is spent: take vjp again"
            raise SpentTapeError(message)
        self.spent = self.once
        xp, cotangents = self._setting(cotangents)
        library = self.space.library
        in_place = library.mutable and xp is not self.space
        ct, own = pull_back(
            self.tape, self.numbers, cotangents, xp, library,
            in_place=in_place, once=self.once, watch=self.watch,
        )  # fmt: skip
        return [
            self._gradient(xp, ct[n], leaf, bool(own[n]) or not in_place)
            for n, leaf in enumerate(self.leaves)
        ]

    def push(self, tangents: list[Any]) -> list[Array]:
        """Return the outputs' tangents: read the records forwards."""
        xp, tangents = self._setting(tangents)
        moved = push_forward(self.tape, tangents, xp, self.space.library, watch=self.watch)
        found = (None if number is None else moved[number] for number in self.numbers)
        pairs = zip(found, self.outputs, strict=True)
        return [self._seen_outside(xp.zeros_like(y) if t is None else apart(t)) for t, y in pairs]

    def _gradient(self, xp: Any, g: Any, leaf: Array, owned: bool) -> Array:
        """Return a leaf's gradient as an array of its own."""
        if g is None:
            g = xp.zeros_like(leaf)
        elif isinstance(g, TracedArray):
            g = apart(g)
        elif not owned or not isinstance(g, type(leaf)):
            g = xp.asarray(g, copy=True)
        gradient: Array = self._seen_outside(g)
        if self.space.library.shape_of is not None:  # more than a shape, which it may lack yet
            to = self.space if isinstance(gradient, TracedArray) else self.space.raw
            return to.reshape(gradient, self.space.shape_of(leaf))
        return gradient
