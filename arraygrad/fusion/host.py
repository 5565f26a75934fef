"""Arrays in the host's memory: NumPy's, and PyTorch's on the CPU.

A leaf runs fused if it is real, of one dtype and shape with its gradient and slots, in the
machine's byte order, and in nobody's graph; the hyperparameters are numbers. Every other leaf runs
as the kernel is written.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import leaf, memory, plain
from arraygrad.fusion.columns import Call, Column, Runner
from arraygrad.fusion.packed import Pack, gathered, small
from arraygrad.fusion.program import Program

__all__ = ["prepared"]


def prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    run = partial(_evaluate, call)
    if len(columns[0]) != 1:
        return run
    return leaf.ready(call, columns, run) or run


def _evaluate(
    call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]
) -> list[Column] | None:
    columns = list(columns)
    if not columns[0] or not all_numbers(scalars.values()):
        return plain.evaluate(call, columns, scalars)
    return _Walk(call, columns, scalars).results()


class _Walk:
    """One call of a kernel, on all leaves."""

    def __init__(self, call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> None:
        self.call, self.columns, self.scalars = call, columns, scalars
        self.places = call.places
        self.replaced: list[Column] = [columns[n] for n in self.places]

    def results(self) -> list[Column] | None:
        """Return the columns of the new parameters and slots; `None` if all changed in place.

        Whatever is refused or copied comes first; then what runs as it is written, which may read
        all arrays that are given away; then what writes into these.
        """
        packs = self._packs()
        done = {place for each in packs for place in each.pack.places}
        count = len(self.columns[0])
        rows = {n: [x[n] for x in self.columns] for n in range(count) if n not in done}
        views = {n: leaf.views_of(row, self.call.slots) for n, row in rows.items()}
        if self.call.donate and rows:
            memories = [x for each in packs for x in each.given(self.places)]
            leaf.protect(list(views.values()), self.call.slots, memories)
        programs = {n: None if own is None else self._program(own[0]) for n, own in views.items()}
        found: list[Column] = []  # what did not change in place
        for n, row in rows.items():
            if programs[n] is None:
                self._put(found, [n], [[x] for x in self._plain(row)])
        for each in packs:
            self._run_pack(each, found)
        for n, row in rows.items():
            program, own = programs[n], views[n]
            if program is not None and own is not None:
                staged = memory.staged(program, own[0].dtype, own[0].size)
                new = leaf.run(staged, row, own, self.scalars, self.places, self.call.donate)
                if new is not None:
                    self._put(found, [n], [[x] for x in new])
        return found or None

    def _plain(self, row: Sequence[Array]) -> tuple[Array, ...]:
        return plain.leaf(self.call.kernel, row, self.scalars, add=self.call.add)

    def _program(self, w: Any) -> Program | None:
        return leaf.program_for(
            self.call.kernel, w, len(self.columns), self.call.slots, self.call.add
        )

    def _put(self, found: list[Any], places: Sequence[int], leaves: Sequence[Column]) -> None:
        """Put new leaves at their places in the columns of results."""
        if not found:
            found += map(list, self.replaced)
        for column, new in zip(found, leaves, strict=True):
            for place, x in zip(places, new, strict=True):
                column[place] = x

    # --- many small leaves -------------------------------------------------------------------

    def _packs(self) -> list["_Gathered"]:
        """Gather small leaves that can run together."""
        flats = [gathered(column) for column in self.replaced] if self.call.add else []
        if not flats or not flats[0] or len(set(map(len, flats))) != 1:
            flats = []
        packs = [flat.pack for flat in flats[0]] if flats else small(self.columns[0])
        found = []
        for n, pack in enumerate(packs):
            known = [column[n] for column in flats]
            if any(flat.pack.places != pack.places for flat in known):
                known = []
            found.append(self._together(pack, known))
        return [x for x in found if x is not None]

    def _together(self, pack: Pack, known: list[Any]) -> "_Gathered | None":
        """Return a pack with the flat array of each column; None if it cannot run as one."""
        like = pack.memory(self.columns[0][pack.places[0]])
        program = None if like is None else self._program(like)
        if program is None or len(program.stages) > 1:  # sums are of one leaf
            return None
        if not all(pack.free(pack.of(column)) for column in self.columns):
            return None
        flats: dict[int, Any] = dict(zip(self.places, known, strict=True)) if known else {}
        loose = {n: pack.of(c) for n, c in enumerate(self.columns) if n not in flats}
        if not all(map(pack.fits, loose.values())):
            return None
        flats |= {n: pack.filled(column) for n, column in loose.items()}
        if self.call.donate and len({id(flats[n]) for n in self.places}) < len(self.places):
            message = f"donated arrays share memory: those of leaf {pack.places[0]}, and of others"
            raise OutError(message)
        memories = [pack.memory(flats[n]) for n in range(len(self.columns))]
        if any(x is None for x in memories):
            return None
        return _Gathered(pack, program, flats, memories, bool(known))

    def _run_pack(self, each: "_Gathered", found: list[Any]) -> None:
        """Run one pack; put what did not change in place."""
        pack, program, flats, inputs, known = each
        staged = memory.staged(program, inputs[0].dtype, inputs[0].size)
        if self.call.donate and staged.run(inputs, None, self.scalars):
            if known:
                return
            outs = [flats[n] for n in self.places]
        else:
            outs = [pack.empty() for _ in self.places]
            staged.run(inputs, list(map(pack.memory, outs)), self.scalars)
        self._put(found, pack.places, list(map(pack.views, outs)))


class _Gathered(NamedTuple):
    """Leaves that run together."""

    pack: Pack
    program: Program
    flats: dict[int, Any]
    """The flat array of each column."""

    memories: list[Any]
    known: bool
    """Whether the leaves are views of flat arrays: those of the parameters and slots."""

    def given(self, places: Sequence[int]) -> list[Any]:
        """Return the memory of the leaves themselves that is written to."""
        return [self.memories[n] for n in places] if self.known else []
