"""The tape: differentiates arrays of any library of the standard.

`vjp` lifts the arrays of a call to traced ones, runs the function, and keeps what was recorded;
the pullback sweeps the records backwards. `jvp` does the same and reads them forwards.

    array.py         the traced array            classes.py      its quick classes
    namespace.py     the traced namespace        creation.py     its functions that make arrays
    record.py        tapes and records           sweep.py        backwards and forwards
    elementwise.py               rules compiled from the tables' formulas
    structural.py, pairs.py      quick forms of what moves, sums, multiplies and chooses
    general.py, general_rule.py  the path for everything else, right for any mixture
    watch.py                     recordings that are slow, and show every value
    custom.py                    functions that bring their own derivative, or are run again
"""

from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.custom import checkpoint, custom
from arraygrad.autodiff.tape.namespace import TracedNamespace, traced_namespace
from arraygrad.autodiff.tape.record import CONSTANTS, Tape
from arraygrad.autodiff.tape.sweep import pull_back, push_forward
from arraygrad.autodiff.tape.watch import current_watch
from arraygrad.errors import SpentTapeError

__all__ = [
    "TracedArray",
    "checkpoint",
    "custom",
    "jvp",
    "stop_gradient",
    "traced_namespace",
    "vjp",
]

Function = Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]]


class _Recording:
    """A function's outputs, and the tape that says how they came about."""

    def __init__(self, f: Function, leaves: list[Any], constants: list[Any]) -> None:
        self.leaves = leaves
        self.watch = current_watch()
        self.space, self.tape = self._start()
        wrap, lift = self.space.wrap, self.space.lift
        traced = [wrap(leaf, number, self.tape) for number, leaf in enumerate(leaves)]
        try:
            outputs, aux = f(traced, [lift(x) for x in constants])
        finally:
            self.tape.close()
        self.numbers = [self._number(y) for y in outputs]
        self.outputs = [self._value(y) for y in outputs]
        self.aux = [self._value(x) for x in aux]
        self.nested = any(isinstance(x, TracedArray) for x in (*leaves, *self.outputs))

    def _start(self) -> tuple[TracedNamespace, Tape]:
        """Return namespace and tape: the usual ones, unless somebody watches."""
        base, watch = array_namespace(self.leaves[0]), self.watch
        if watch is None:
            return traced_namespace(base), Tape(len(self.leaves))
        watch.leaves(self.leaves)
        return watch.namespace(base), watch.tape(len(self.leaves))

    def _number(self, y: Any) -> int | None:
        """Return the number of an output, `None` if it does not depend on a leaf."""
        return y._index if isinstance(y, TracedArray) and y._tape is self.tape else None

    def _value(self, y: Any) -> Any:
        """Return an output as seen from outside."""
        if isinstance(y, TracedArray) and (y._tape is self.tape or y._tape is CONSTANTS):
            return y._value
        return y


def vjp(
    f: Function, leaves: list[Any], constants: list[Any], *, once: bool = False
) -> tuple[list[Array], Callable[[list[Array]], list[Array]], list[Any]]:
    """Run a function and return its outputs, its pullback, and aux: see `arraygrad.autodiff`."""
    recording = _Recording(f, leaves, constants)
    spent = False

    def pullback(cotangents: list[Array]) -> list[Array]:
        nonlocal spent
        if spent:
            message = "this pullback was made for one call, and its tape is spent: take vjp again"
            raise SpentTapeError(message)
        spent = once
        return _pull(recording, cotangents, once)

    return recording.outputs, pullback, recording.aux


def _pull(recording: _Recording, cotangents: list[Any], once: bool) -> list[Array]:
    space = recording.space
    nested = recording.nested or any(isinstance(g, TracedArray) for g in cotangents)
    in_place = space.library.mutable and not nested
    xp = space if nested else space.raw
    seeds = [
        (number, space.lift(g) if nested else g)
        for number, g in zip(recording.numbers, cotangents, strict=True)
        if number is not None
    ]
    ct, own = pull_back(
        recording.tape,
        seeds,
        xp,
        space.library,
        in_place=in_place,
        once=once,
        watch=recording.watch,
    )
    return [
        _gradient(xp, ct[n], leaf, bool(own[n]) or not in_place)
        for n, leaf in enumerate(recording.leaves)
    ]


def _gradient(xp: Any, g: Any, leaf: Array, owned: bool) -> Array:
    """Return a leaf's gradient as an array of its own."""
    if g is None:
        return _lowered(xp.zeros_like(leaf))
    if not owned or not isinstance(g, type(leaf)):
        return _lowered(xp.asarray(g, copy=True))
    return _lowered(g)


def _lowered(g: Any) -> Any:
    """Return a constant as its raw value."""
    return g._value if isinstance(g, TracedArray) and g._tape is CONSTANTS else g


def jvp(
    f: Function, leaves: list[Any], tangents: list[Any], constants: list[Any]
) -> tuple[list[Array], list[Array], list[Any]]:
    """Run a function and return its outputs, their tangents, and aux: see `arraygrad.autodiff`."""
    recording = _Recording(f, leaves, constants)
    space = recording.space
    nested = recording.nested or any(isinstance(t, TracedArray) for t in tangents)
    xp: Any = space if nested else space.raw
    given = [space.lift(t) if nested else t for t in tangents]
    moved = push_forward(recording.tape, given, xp, space.library, watch=recording.watch)
    pushed = [
        _tangent(xp, None if number is None else moved[number], y)
        for number, y in zip(recording.numbers, recording.outputs, strict=True)
    ]
    return recording.outputs, pushed, recording.aux


def _tangent(xp: Any, t: Any, y: Any) -> Any:
    if t is None:
        return _lowered(xp.zeros_like(y))
    return _lowered(t)


def stop_gradient(x: Array) -> Array:
    """Return the same values without a gradient, on every level."""
    space: TracedNamespace = traced_namespace(array_namespace(x))
    return space.lift_innermost(x) if isinstance(x, TracedArray) else x
