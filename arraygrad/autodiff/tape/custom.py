"""Functions that bring their own derivative, in one record: `custom` and `checkpoint`.

A record is `(rule, k, operands, leaves, constants, outputs)`; `operands` says which leaves are
traced: `((place, number), …)`. Unlike other rules this one belongs to a single call. Its slot
holds a list, one cotangent or tangent per output: the records after it part them.

With nested tapes the outputs' own values are outputs of the same function on the tape below, so
that every level meets the derivative that was brought along.
"""

from collections.abc import Callable, Iterator
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, Namespace, Pullback
from arraygrad.autodiff.tape.array import TracedArray, apart
from arraygrad.autodiff.tape.derivatives import jvp, vjp
from arraygrad.autodiff.tape.general import strip, top_tape, traced_arrays
from arraygrad.autodiff.tape.general_rule import PART, filled
from arraygrad.autodiff.tape.namespace import traced_namespace
from arraygrad.autodiff.tape.record import CONSTANTS, Record, Tape
from arraygrad.autodiff.tape.structural import accumulate
from arraygrad.errors import GraphBreakError

__all__ = ["checkpoint", "custom"]

Evaluate = Callable[[list[Any], list[Any]], tuple[list[Array] | None, Pullback | None]]
"""From leaves and constants to outputs, `None` if they cannot be had so, and a pullback of raw
values where there is one."""

Pull = Callable[[list[Any], list[Any], list[Array]], list[Array | None]]
"""From leaves, constants and cotangents of the outputs to cotangents of the leaves."""

Push = Callable[[list[Any], list[Any], list[Array], list[Array]], list[Array]]
"""From leaves, constants, outputs and tangents of the leaves to tangents of the outputs."""


def custom(
    f: Callable[..., Any], push: Push | None, leaves: list[Any], constants: list[Any]
) -> list[Array]:
    """Apply a function that brings its own derivative: see `arraygrad.autodiff`."""

    def pull(leaves: Any, constants: Any, cotangents: list[Array]) -> list[Array | None]:
        found: list[Array | None] = f(leaves, constants)[1](cotangents)
        return found

    outputs = _record(f, pull, push or _transposed(pull), leaves, constants)
    if outputs is None:
        message = (
            "a function with a gradient of its own closes over an array that is being "
            "differentiated, whose gradient would be lost: pass it as an argument"
        )
        raise GraphBreakError(message)
    return outputs


def checkpoint(f: Callable[..., Any], leaves: list[Any], constants: list[Any]) -> list[Array]:
    """Apply a function, and run it again in the sweep: see `arraygrad.autodiff`.

    It meets traced constants at first, so that it may close over traced arrays. If it computes
    with such an array that is differentiated, it is recorded as usual: in the sweep it could not.
    """
    traced = traced_arrays(leaves)
    if not traced:
        return f(leaves, constants)[0]  # type: ignore[no-any-return]
    space, tapes = traced[0]._space, _tapes(traced)

    def evaluate(leaves: Any, constants: Any) -> tuple[list[Array] | None, None]:
        before = _uses(tapes)
        outputs = f(space.lift_all(leaves), space.lift_all(constants))[0]
        return (outputs if _uses(tapes) == before else None), None

    def pull(leaves: Any, constants: Any, cotangents: list[Array]) -> list[Array | None]:
        return vjp(f, leaves, constants, once=True)[1](cotangents)

    def push(leaves: Any, constants: Any, outputs: Any, tangents: list[Array]) -> list[Array]:
        return jvp(f, leaves, tangents, constants)[1]

    outputs = _record(evaluate, pull, push, leaves, constants)
    return f(leaves, constants)[0] if outputs is None else outputs


def _tapes(arrays: list[TracedArray]) -> list[Tape]:
    """Return the tapes of arrays, on every level."""
    if not arrays:
        return []
    return [x._tape for x in arrays] + _tapes(traced_arrays([x._value for x in arrays]))


def _uses(tapes: list[Tape]) -> list[int]:
    """Return how often the arrays of tapes have been used so far."""
    return [len(tape.records) + tape.passed for tape in tapes]


def _transposed(pull: Pull) -> Push:
    """Return the forward rule that belongs to a pullback, which is linear: its transpose."""

    def push(leaves: Any, constants: Any, outputs: list[Array], tangents: Any) -> list[Array]:
        space = traced_namespace(array_namespace(leaves[0]))

        def pullback(cotangents: list[Any], others: Any) -> tuple[list[Array], list[Any]]:
            lifted, fixed = space.lift_all(leaves), space.lift_all(constants)
            found = pull(lifted, fixed, cotangents)
            pairs = zip(found, lifted, strict=True)
            return [space.zeros_like(x) if c is None else c for c, x in pairs], []

        zeros = [array_namespace(y).zeros_like(y) for y in outputs]
        return vjp(pullback, zeros, [], once=True)[1](list(tangents))

    return push


class _CustomRule:
    """The derivative that a function brought along for one call."""

    masks = False
    spreads = True
    careful = None

    def __init__(self, space: Any, pull: Pull, push: Push, pullback: Pullback | None) -> None:
        self.space, self.pull, self.push, self.pullback = space, pull, push, pullback

    @staticmethod
    def operand_numbers(r: Record) -> list[int]:
        """Return the numbers of a record's traced operands."""
        return [number for _, number in r[2]]

    def reverse(self, ct: list[Any], own: bytearray, g: Any, r: Record) -> None:
        """Pull raw cotangents back; what the function returns is its own to keep."""
        for number, c in self._cotangents(g, r, self.space.raw):
            accumulate(ct, own, number, c, False)

    def plain(self, ct: list[Any], own: bytearray, g: Any, r: Record, xp: Namespace) -> None:
        """Pull any cotangents back."""
        for number, c in self._cotangents(g, r, xp):
            ct[number] = c if ct[number] is None else ct[number] + c

    def _cotangents(self, g: Any, r: Record, xp: Namespace) -> Iterator[tuple[int, Array]]:
        operands, leaves, constants, outputs = self._seen(xp, r)
        g = filled(xp, g, outputs)
        if self.pullback is not None and xp is not self.space:
            found = self.pullback(g)
        else:
            found = self.pull(leaves, constants, g)
        for place, number in operands:
            if found[place] is not None:
                yield number, self._lifted(xp, found[place])

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Any:
        """Push tangents forward."""
        operands, leaves, constants, outputs = self._seen(xp, r)
        known = {place: tangents[n] for place, n in operands if tangents[n] is not None}
        if not known:
            return None
        moved = [known[n] if n in known else xp.zeros_like(x) for n, x in enumerate(leaves)]
        return [self._lifted(xp, t) for t in self.push(leaves, constants, outputs, moved)]

    def _seen(self, xp: Namespace, r: Record) -> Record:
        """Return a record's rest as a namespace takes it: the traced one wants arrays lifted."""
        return (r[2], *(self._lifted(xp, part) for part in r[3:]))

    def _lifted(self, xp: Namespace, values: Any) -> Any:
        return self.space.lift_all(values) if xp is self.space else values


def _record(
    evaluate: Evaluate, pull: Pull, push: Push, leaves: list[Any], constants: list[Any]
) -> list[Array] | None:
    """Evaluate a function, and record it as one operation on the highest tape of its leaves.

    `None` says that it cannot be: the function depends on that tape without the leaves' knowing.
    """
    tape = top_tape(leaves)
    if tape is CONSTANTS:
        return _evaluated(evaluate, leaves, constants)
    below = [_below(x, tape) for x in leaves]
    pullback: Pullback | None = None
    found: list[Array] | None
    if traced_arrays(below):
        found = _record(evaluate, pull, push, below, constants)
    else:
        found, pullback = evaluate(below, strip(constants))
    if found is None or top_tape(found).level >= tape.level:
        return None
    outputs = [_below(y, CONSTANTS) for y in found]
    space = next(x for x in leaves if isinstance(x, TracedArray))._space
    k = tape.next()
    rule = _CustomRule(space, pull, push, pullback)
    operands = [(n, x._index) for n, x in enumerate(leaves) if _is_on(x, tape)]
    tape.append((rule, k, operands, below, strip(constants), outputs))
    return [_part(space, tape, k, n, outputs) for n in range(len(outputs))]


def _evaluated(evaluate: Evaluate, leaves: list[Any], constants: list[Any]) -> list[Array] | None:
    """Return the outputs where no leaf is differentiated: constants, if there were any."""
    outputs, _ = evaluate(strip(leaves), strip(constants))
    traced = traced_arrays([leaves, constants])
    return traced[0]._space.lift_all(outputs) if traced and outputs is not None else outputs


def _part(space: Any, tape: Tape, k: int, n: int, outputs: list[Array]) -> TracedArray:
    """Record one of the outputs."""
    number = tape.next()
    tape.append((PART, number, k, n, len(outputs)))
    array: TracedArray = space.wrap(outputs[n], number, tape)
    return array


def _is_on(x: Any, tape: Tape) -> bool:
    return isinstance(x, TracedArray) and x._tape is tape


def _below(x: Any, tape: Tape) -> Any:
    """Return an array as seen from below a tape."""
    return x._value if _is_on(x, tape) or _is_on(x, CONSTANTS) else apart(x)
