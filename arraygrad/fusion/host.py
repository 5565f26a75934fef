"""Arrays in the host's memory: NumPy's, and PyTorch's on the CPU.

A leaf runs fused if it is real, of one dtype and shape with its gradient and slots, and in nobody's
graph; the hyperparameters are numbers. Every other leaf runs as the kernel is written.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._numbers import is_number
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import memory, plain
from arraygrad.fusion.packed import Pack, gathered, small
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
    if not all(map(is_number, scalars.values())) or not columns[0]:
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
        self.replaced = [columns[0], *columns[2 : 2 + slots]]

    def results(self) -> list[Column]:
        """Return the columns of the new parameters and slots."""
        count = len(self.columns[0])
        done = self._packed() if count > 1 else {}
        if done is None:
            return self.replaced
        rows = {n: [column[n] for column in self.columns] for n in range(count) if n not in done}
        views = {n: views_of(row, self.slots) for n, row in rows.items()}
        if self.donate:
            _protect(views, self.slots)
        done |= {n: self._leaf(row, views[n]) for n, row in rows.items()}
        return list(zip(*(done[n] for n in range(count)), strict=True))

    # --- one leaf ----------------------------------------------------------------------------

    def _leaf(self, row: list[Array], views: list[Any] | None) -> tuple[Array, ...]:
        """Return the results of one leaf."""
        program = None if views is None else self._program(views[0])
        if views is None or program is None:
            return plain.leaf(self.kernel, row, self.scalars, add=self.add)
        shape, dtype = views[0].shape, views[0].dtype
        inputs = [x.reshape(-1) for x in views]  # copies where elements do not lie side by side
        places = [0, *range(2, 2 + self.slots)]
        if self.donate and all(_takes_writes(views[n]) for n in places):
            memory.run(program, dtype, inputs, [inputs[n] for n in places], self.scalars)
            return tuple(row[n] for n in places)
        results, outs = zip(*(_fresh(row[0], shape) for _ in places), strict=True)
        memory.run(program, dtype, inputs, outs, self.scalars)
        return results

    def _program(self, w: Any) -> Program | None:
        return program_for(self.kernel, w, len(self.columns), self.slots, self.add)

    # --- many small leaves -------------------------------------------------------------------

    def _packed(self) -> dict[int, tuple[Array, ...]] | None:
        """Run the small leaves together: their results by place; None if all changed in place."""
        flats = [gathered(column) for column in self.replaced] if self.add else []
        if flats and flats[0] and all(len(found) == len(flats[0]) for found in flats):
            packs = [flat.pack for flat in flats[0]]
        else:
            flats, packs = [], small(self.columns[0])
        done: dict[int, tuple[Array, ...]] = {}
        in_place = self.donate and bool(flats)
        for n, pack in enumerate(packs):
            known = [found[n] for found in flats]
            if any(flat.pack.places != pack.places for flat in known):
                known = []
            leaves = self._run_pack(pack, known)
            if leaves is not None:
                done.update(zip(pack.places, leaves, strict=True))
            in_place = in_place and leaves is not None and bool(known)
        return None if in_place and len(done) == len(self.columns[0]) else done

    def _run_pack(self, pack: Pack, known: list[Any]) -> list[tuple[Array, ...]] | None:
        """Run one pack; None if it cannot be run as one."""
        columns = [pack.take(column) for column in self.columns]
        program = self._program(columns[0][0])
        kind = type(columns[0][0])
        if program is None or len(program.stages) > 1:  # sums are of one leaf
            return None
        unknown = [c for n, c in enumerate(columns) if not known or n not in self._places()]
        if not all(set(map(type, c)) == {kind} and pack.fits(c) for c in unknown):
            return None
        flats = self._flat_columns(pack, columns, known)
        old = [flats[n] for n in self._places()]
        outs = old if self.donate else [pack.empty() for _ in old]
        memory.run(program, pack.dtype, flats, outs, self.scalars)
        if self.donate and known:
            return list(zip(*(columns[n] for n in self._places()), strict=True))
        return list(zip(*(pack.views(flat) for flat in outs), strict=True))

    def _flat_columns(self, pack: Pack, columns: list[Any], known: list[Any]) -> list[Any]:
        """Return every column as one flat array; those that are none yet are copied into one."""
        given = dict(zip(self._places(), known, strict=True)) if known else {}
        return [
            given[n] if n in given else pack.fill(pack.empty(), column)
            for n, column in enumerate(columns)
        ]

    def _places(self) -> list[int]:
        """Return which columns are replaced."""
        return [0, *range(2, 2 + self.slots)]


def program_for(
    kernel: Callable[..., Any], w: Any, arrays: int, slots: int, add: bool
) -> Program | None:
    """Return the kernel traced for arrays like `w`; None where it must run as it is written."""
    return trace(kernel, array_namespace(w), w.dtype, arrays, slots, add)


def views_of(row: Sequence[Array], slots: int) -> list[Any] | None:
    """Return NumPy's views of the arrays of a leaf, if it can run fused."""
    view = library_of(array_namespace(row[0])).host_memory
    w = view(row[0])
    if w is None or w.dtype.char not in "fd":
        return None
    found = [w]
    for n, x in enumerate(row[1:], 1):
        same = type(x) is type(row[0]) or array_namespace(x) is array_namespace(row[0])
        y = view(x) if same else None
        if y is None or y.dtype != w.dtype:
            return None
        if y.shape != w.shape:
            if 2 <= n < 2 + slots or y.size > w.size:
                return None
            import numpy as np

            y = np.broadcast_to(y, w.shape)
        found.append(y)
    return found


def _takes_writes(x: Any) -> bool:
    return bool(x.flags.c_contiguous and x.flags.writeable)


def _fresh(like: Array, shape: tuple[int, ...]) -> tuple[Array, Any]:
    """Return a new array of a library, and its memory as a flat NumPy array."""
    xp = array_namespace(like)
    new = xp.empty(shape, dtype=like.dtype)
    return new, library_of(xp).host_memory(new).reshape(-1)


def _protect(views: dict[int, list[Any] | None], slots: int) -> None:
    """Make sure that no write hits what is still to be read.

    Whatever overlaps an array that is given away is copied first. The same memory given away
    twice cannot be two results.
    """
    arrays = [x for row in views.values() for x in row or ()]
    if {type(x.base) for x in arrays} == {type(None)} and len(set(map(id, arrays))) == len(arrays):
        return  # each has its own memory
    import numpy as np

    given: list[tuple[int, int, int, int]] = []
    others: list[tuple[int, int, int, int]] = []
    for r, row in views.items():
        for n, x in enumerate(row or ()):
            if x.size:
                low, high = np.lib.array_utils.byte_bounds(x)
                (given if n == 0 or 2 <= n < 2 + slots else others).append((low, high, r, n))
    given.sort()
    for (_, high, r, n), (low, _, s, m) in pairwise(given):
        if low < high:
            message = f"donated arrays share memory: array {n} of leaf {r} and {m} of leaf {s}"
            raise OutError(message)
    starts = [low for low, *_ in given]
    for low, high, r, n in others:
        at = int(np.searchsorted(starts, high)) - 1
        row = views[r]
        if at >= 0 and given[at][1] > low and row is not None:
            row[n] = row[n].copy()
