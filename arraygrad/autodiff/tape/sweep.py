"""The sweeps: records read backwards pull cotangents back, read forwards they push tangents.

Iterative, so a million records are no deeper than one. A cotangent lives in the slot of its
result's number until that record is read. `own` says of each slot whether its array is ours
alone: only such a one is written to. The last slot holds the outer products that wait.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.outer_products import Waiting, settle
from arraygrad.autodiff.tape.record import Record, Tape
from arraygrad.libraries import Library

__all__ = ["pull_back", "push_forward"]

Cotangents = list[Any]


def pull_back(
    tape: Tape,
    numbers: Sequence[int | None],
    cotangents: Sequence[Array],
    xp: Namespace,
    library: Library,
    *,
    in_place: bool,
    once: bool,
    watch: Any = None,
) -> tuple[Cotangents, bytearray]:
    """Return the cotangents by number, those of the leaves first, and which of them we own.

    `cotangents` are those of the outputs with these numbers: an output may have none, or its like.
    With `in_place`, cotangents are raw and may be written to; with `once`, records are dropped as
    they are read. A `watch` sees each record before and after.
    """
    size = tape.next()
    waiting: Waiting = (tape.number_of_leaves, {})
    ct: Cotangents = [None] * size
    ct.append(waiting)
    own = bytearray(size)
    for number, g in zip(numbers, cotangents):  # noqa: B905  # quicker, and as many they are
        if number is not None:
            ct[number] = g if ct[number] is None else ct[number] + g
    records: Iterator[Record]
    if once:
        records = iter(tape.records.pop, None)
    else:
        records = islice(reversed(tape.records), len(tape.records) - 1)
    if watch is not None:
        records = watch.sweep(records, ct, tape)
    if tape.masked or watch is not None:
        with library.quiet():
            _sweep_masked(records, ct, own, xp, in_place)
    elif in_place:
        for r in records:
            g = ct[r[1]]
            if g is not None:
                ct[r[1]] = None
                r[0].reverse(ct, own, g, r)
    else:
        for r in records:
            g = ct[r[1]]
            if g is not None:
                ct[r[1]] = None
                r[0].plain(ct, own, g, r, xp)
    for i in [*waiting[1]]:
        settle(ct, own, i, xp)
    return ct, own


def _sweep_masked(
    records: Iterator[Record], ct: Cotangents, own: bytearray, xp: Namespace, in_place: bool
) -> None:
    """Sweep, and let zero cotangents win over derivatives that are not finite.

    Below a selection (`where`, `maximum`, indexing, …) some cotangents are 0 because their
    elements were not chosen. There 0 · inf would make NaN, so the careful rules run.
    """
    masked = bytearray(len(ct))
    for r in records:
        rule, k = r[0], r[1]
        g = ct[k]
        if g is None:
            continue
        ct[k] = None
        if masked[k] and rule.careful is not None:
            rule.careful(ct, own, g, r, xp)
        elif in_place:
            rule.reverse(ct, own, g, r)
        else:
            rule.plain(ct, own, g, r, xp)
        if rule.masks or (masked[k] and rule.spreads):
            for number in rule.operand_numbers(r):
                masked[number] = 1


def push_forward(
    tape: Tape, tangents: list[Any], xp: Namespace, library: Library, *, watch: Any = None
) -> list[Any]:
    """Return the tangents by number, from those of the leaves; `None` where there is none."""
    moved = tangents + [None] * (tape.next() - len(tangents))
    records: Any = islice(tape.records, 1, None)
    if watch is not None:
        records = watch.push(records, moved, tape)
    with library.quiet() if tape.masked or watch is not None else nullcontext():
        for r in records:
            moved[r[1]] = r[0].forward(moved, r, xp)
    return moved
