"""Arrays in the host's memory: NumPy's, and PyTorch's on the CPU.

A leaf runs fused if it is real, of one dtype and shape with its gradient and slots, in the
machine's byte order, and in nobody's graph; the hyperparameters are numbers. Every other leaf runs
as the kernel is written.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import leaf, memory, plain
from arraygrad.fusion.columns import Column, Runner
from arraygrad.fusion.packed import Pack, gathered, small
from arraygrad.fusion.program import Program

__all__ = ["prepared"]


def prepared(
    kernel: Callable[..., Any], columns: Sequence[Column], *, slots: int, add: bool, donate: bool
) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    run = partial(_evaluate, kernel, slots, add, donate)
    if len(columns[0]) != 1:
        return run
    return leaf.ready(kernel, columns, run, slots, add, donate) or run


def _evaluate(
    kernel: Callable[..., Any],
    slots: int,
    add: bool,
    donate: bool,
    columns: Sequence[Column],
    scalars: Mapping[str, Any],
) -> list[Column]:
    if not columns[0] or not all_numbers(scalars.values()):
        return plain.evaluate(kernel, columns, scalars, slots=slots, add=add)
    return _Walk(kernel, columns, scalars, slots, add, donate).results()


class _Walk:
    """One call of a kernel, on all leaves."""

    def __init__(
        self,
        kernel: Callable[..., Any],
        columns: Sequence[Column],
        scalars: Mapping[str, Any],
        slots: int,
        add: bool,
        donate: bool,
    ) -> None:
        self.kernel, self.columns, self.scalars = kernel, columns, scalars
        self.slots, self.add, self.donate = slots, add, donate
        self.places = leaf.places(slots)
        self.replaced: list[Column] = [columns[n] for n in self.places]

    def results(self) -> list[Column]:
        """Return the columns of the new parameters and slots."""
        found: list[Column] = []  # what did not change in place
        left = self._run_packs(found)
        rows = {n: [column[n] for column in self.columns] for n in left}
        views = {n: leaf.views_of(row, self.slots) for n, row in rows.items()}
        if self.donate:
            leaf.protect(list(views.values()), self.slots)
        for n, row in rows.items():
            new = self._leaf(row, views[n])
            if new is not None:
                self._put(found, [n], [[x] for x in new])
        return found or self.replaced

    def _leaf(self, row: list[Array], views: list[Any] | None) -> tuple[Array, ...] | None:
        """Return the results of one leaf; None if they are in the memory of what they replace."""
        program = None if views is None else self._program(views[0])
        if views is None or program is None:
            return plain.leaf(self.kernel, row, self.scalars, add=self.add)
        staged = memory.staged(program, views[0].dtype, views[0].size)
        return leaf.run(staged, row, views, self.scalars, self.places, self.donate)

    def _program(self, w: Any) -> Program | None:
        return leaf.program_for(self.kernel, w, len(self.columns), self.slots, self.add)

    def _put(self, found: list[Any], places: Sequence[int], leaves: Sequence[Column]) -> None:
        """Put new leaves at their places in the columns of results."""
        if not found:
            found += map(list, self.replaced)
        for column, new in zip(found, leaves, strict=True):
            for place, x in zip(places, new, strict=True):
                column[place] = x

    # --- many small leaves -------------------------------------------------------------------

    def _run_packs(self, found: list[Any]) -> Sequence[int]:
        """Run small leaves together, put what did not change in place; return which are left."""
        flats = [gathered(column) for column in self.replaced] if self.add else []
        if not flats or not flats[0] or len(set(map(len, flats))) != 1:
            flats = []
        packs = [flat.pack for flat in flats[0]] if flats else small(self.columns[0])
        done: set[int] = set()
        count = len(self.columns[0])
        for n, pack in enumerate(packs):
            known = [column[n] for column in flats]
            if any(flat.pack.places != pack.places for flat in known):
                known = []
            if self._run_pack(pack, known, found):
                if len(pack.places) == count:
                    return ()
                done.update(pack.places)
        return [n for n in range(count) if n not in done]

    def _run_pack(self, pack: Pack, known: list[Any], found: list[Any]) -> bool:
        """Run one pack; say whether it could be run as one."""
        like = pack.memory(self.columns[0][pack.places[0]])
        program = None if like is None else self._program(like)
        if program is None or len(program.stages) > 1:  # sums are of one leaf
            return False
        if not all(pack.free(pack.of(column)) for column in self.columns):
            return False
        flats: dict[int, Any] = dict(zip(self.places, known, strict=True)) if known else {}
        loose = {n: pack.of(c) for n, c in enumerate(self.columns) if n not in flats}
        if not all(map(pack.fits, loose.values())):
            return False
        flats |= {n: pack.filled(column) for n, column in loose.items()}
        if self.donate and len({id(flats[n]) for n in self.places}) < len(self.places):
            message = f"donated arrays share memory: those of leaf {pack.places[0]}, and of others"
            raise OutError(message)
        outs = [flats[n] if self.donate else pack.empty() for n in self.places]
        inputs = [pack.memory(flats[n]) for n in range(len(self.columns))]
        if any(x is None for x in inputs):
            return False
        staged = memory.staged(program, inputs[0].dtype, inputs[0].size)
        staged.run(inputs, list(map(pack.memory, outs)), self.scalars)
        if not (self.donate and known):
            self._put(found, pack.places, list(map(pack.views, outs)))
        return True
