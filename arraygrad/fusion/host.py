"""Arrays in the host's memory: NumPy's, and PyTorch's on the CPU.

A leaf runs fused if it is real, of one dtype and shape with its gradient and slots, in the
machine's byte order, and in nobody's graph; the hyperparameters are numbers. Every other leaf runs
as the kernel is written.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import accumulate, pairwise
from operator import is_
from typing import Any

import numpy as np

from arraygrad._memory import first_shared
from arraygrad._namespace import array_namespace
from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import memory, plain
from arraygrad.fusion.columns import Alike
from arraygrad.fusion.packed import Pack, gathered, is_fused, small
from arraygrad.fusion.program import Program
from arraygrad.fusion.trace import trace
from arraygrad.libraries import library_of

__all__ = ["evaluate", "program_for", "views_of"]

Column = Sequence[Array]


def evaluate(
    kernel: Callable[..., Any],
    columns: Sequence[Column],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool,
    donate: bool,
) -> list[Column]:
    """Return a kernel's results for every leaf: see `arraygrad.fusion`."""
    if not columns[0] or not all_numbers(scalars.values()):
        return plain.evaluate(kernel, columns, scalars, slots=slots, add=add, donate=donate)
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
        self.places = _places(slots)
        self.replaced: list[Column] = [columns[n] for n in self.places]

    def results(self) -> list[Column]:
        """Return the columns of the new parameters and slots."""
        if len(self.columns[0]) == 1:
            return self._only_leaf([column[0] for column in self.columns])
        found: list[Column] = []  # what did not change in place
        left = self._run_packs(found)
        rows = {n: [column[n] for column in self.columns] for n in left}
        views = {n: views_of(row, self.slots) for n, row in rows.items()}
        if self.donate:
            _protect(list(views.values()), self.slots)
        for n, row in rows.items():
            own = views[n]
            new = self._leaf(row, own, None if own is None else self._program(own[0]))
            if new is not None:
                self._put(found, [n], [[x] for x in new])
        return found or self.replaced

    def _put(self, found: list[Any], places: Sequence[int], leaves: Sequence[Column]) -> None:
        """Put new leaves at their places in the columns of results."""
        if not found:
            found += map(list, self.replaced)
        for column, new in zip(found, leaves, strict=True):
            for place, x in zip(places, new, strict=True):
                column[place] = x

    # --- one leaf ----------------------------------------------------------------------------

    def _only_leaf(self, row: list[Array]) -> list[Column]:
        """Return the results where there is one leaf."""
        notes = self.columns.notes if type(self.columns) is Alike else {}
        program = notes.get((self.kernel, self.add))
        views: list[Any] | None = row
        if program is None:
            views = views_of(row, self.slots)
            program = None if views is None else self._program(views[0])
            if views is not None and all(map(is_, views, row)):  # as ever, for arrays like these
                notes[self.kernel, self.add] = program
        if self.donate and views is not None:
            _protect([views], self.slots)
        new = self._leaf(row, views, program)
        return self.replaced if new is None else [[x] for x in new]

    def _leaf(
        self, row: list[Array], views: list[Any] | None, program: Program | None
    ) -> tuple[Array, ...] | None:
        """Return the results of one leaf; None if they are in the memory of what they replace."""
        if views is None or program is None:
            return plain.leaf(self.kernel, row, self.scalars, add=self.add)
        shape, dtype = views[0].shape, views[0].dtype
        # `reshape` copies where elements do not lie side by side.
        inputs = views if len(shape) == 1 else [x.reshape(-1) for x in views]
        if self.donate and _take_writes([views[n] for n in self.places]):
            memory.run(program, dtype, inputs, [inputs[n] for n in self.places], self.scalars)
            return None
        results, outs = zip(*(_fresh(row[0], shape) for _ in self.places), strict=True)
        memory.run(program, dtype, inputs, outs, self.scalars)
        return results

    def _program(self, w: Any) -> Program | None:
        return program_for(self.kernel, w, len(self.columns), self.slots, self.add)

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
        memory.run(program, inputs[0].dtype, inputs, list(map(pack.memory, outs)), self.scalars)
        if not (self.donate and known):
            self._put(found, pack.places, list(map(pack.views, outs)))
        return True


@cache
def _places(slots: int) -> tuple[int, ...]:
    """Return which columns are replaced: parameters and slots."""
    return (0, *range(2, 2 + slots))


def program_for(
    kernel: Callable[..., Any], w: Any, arrays: int, slots: int, add: bool
) -> Program | None:
    """Return the kernel traced for arrays like `w`; None where it must run as it is written."""
    return trace(kernel, array_namespace(w), w.dtype, arrays, slots, add)


def views_of(row: Sequence[Array], slots: int) -> list[Any] | None:
    """Return NumPy's views of the arrays of a leaf, if it can run fused."""
    xp = array_namespace(row[0])
    if len(set(map(type, row))) > 1 and any(array_namespace(x) is not xp for x in row):
        return None
    found = list(map(library_of(xp).host_memory, row))
    w = found[0]
    if w is None or not is_fused(w.dtype):
        return None
    for n, y in enumerate(found):
        if y is None or y.dtype != w.dtype:
            return None
        if y.shape != w.shape:
            if 2 <= n < 2 + slots or y.size > w.size:
                return None
            found[n] = np.broadcast_to(y, w.shape)
    return found


def _take_writes(arrays: list[Any]) -> bool:
    """Say whether a walk may write to arrays: in order, aligned, not protected."""
    return False not in [x.flags.carray for x in arrays]


def _fresh(like: Array, shape: tuple[int, ...]) -> tuple[Array, Any]:
    """Return a new array of a library, and its memory as a flat NumPy array."""
    xp = array_namespace(like)
    new = xp.empty(shape, dtype=like.dtype)
    return new, library_of(xp).host_memory(new).reshape(-1)


def _protect(views: list[list[Any] | None], slots: int) -> None:
    """Make sure that no write hits what is still to be read.

    Whatever overlaps an array that is given away is copied first. The same memory given away
    twice cannot be two results.
    """
    arrays = [x for row in views for x in row or ()]
    if len(set(map(id, arrays))) == len(arrays) and not [x for x in arrays if x.base is not None]:
        return  # each has its own memory
    given: list[tuple[int, int, int, int]] = []
    others: list[tuple[int, int, int, int]] = []
    for r, row in enumerate(views):
        for n, x in enumerate(row or ()):
            if x.size:
                low, high = np.lib.array_utils.byte_bounds(x)
                (given if n == 0 or 2 <= n < 2 + slots else others).append((low, high, r, n))
    given.sort()
    if any(low < high for (_, high, *_), (low, *_) in pairwise(given)):
        _check_apart(views, [place for _, _, *place in given])
    starts = [low for low, *_ in given]
    ends = list(accumulate((high for _, high, *_ in given), max))
    for low, high, r, n in others:
        at = int(np.searchsorted(starts, high)) - 1
        row = views[r]
        if at >= 0 and ends[at] > low and row is not None:
            row[n] = row[n].copy()


def _check_apart(views: list[Any], places: list[list[int]]) -> None:
    """Refuse arrays that share an element; they may lie between each other's elements."""
    shared = first_shared([views[r][n] for r, n in places])
    if shared is not None:
        (r, n), (s, m) = (places[k] for k in shared)
        message = f"donated arrays share memory: array {n} of leaf {r} and {m} of leaf {s}"
        raise OutError(message)
