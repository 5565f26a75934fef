"""One leaf in the host's memory: which arrays can run fused, and how a program runs on them.

Most steps of most loops are those of a few arrays, as they were the step before: what was found
out of them is noted, and not looked for again.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, combinations, pairwise, repeat, starmap
from operator import is_, itemgetter
from typing import Any

import numpy as np

from arraygrad._memory import first_shared
from arraygrad._namespace import array_namespace
from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion.columns import Alike, Call, Column, Runner
from arraygrad.fusion.memory import Staged, staged
from arraygrad.fusion.packed import is_fused
from arraygrad.fusion.program import Program
from arraygrad.fusion.trace import trace
from arraygrad.libraries import library_of

__all__ = ["Ready", "program_for", "protect", "ready", "run", "views_of"]


class Ready:
    """What runs a kernel on one leaf after another, all of them alike."""

    def __init__(
        self,
        program: Program,
        row: Sequence[Array],
        views: list[Any],
        call: Call,
        otherwise: Runner,
    ) -> None:
        w = views[0]
        self._staged = staged(program, w.dtype, w.size)
        self._otherwise = otherwise  # if there is no view any more, or a scalar is no number
        self._call, self._replaced = call, call.places
        self._at_once = call.donate and self._staged.looks
        # NumPy's view of an array, None if it has none; NumPy's own arrays need no view.
        own = all(map(is_, views, row))
        self._view = None if own else library_of(array_namespace(row[0])).host_memory

    def __call__(
        self, columns: Sequence[Column], scalars: Mapping[str, Any]
    ) -> list[Column] | None:
        """Return the results; `None` if they changed in place."""
        row = columns.flat if type(columns) is Alike else list(map(_first, columns))
        views = row
        if self._view is not None:
            views = list(map(self._view, row))
            if any(map(is_, views, repeat(None))):
                return self._otherwise(columns, scalars)
        if not all_numbers(scalars.values()):
            return self._otherwise(columns, scalars)
        if self._at_once and _in_place(self._staged, views, scalars, self._replaced):
            return None
        if self._call.donate:
            views = list(views)
            protect([views], self._call.slots)
        new = run(self._staged, row, views, scalars, self._replaced, self._call.donate)
        return None if new is None else [[x] for x in new]


_first = itemgetter(0)


def ready(call: Call, columns: Sequence[Column], otherwise: Runner) -> Ready | None:
    """Return what runs a kernel on leaves like this one; None if that must be found out anew."""
    row = [column[0] for column in columns]
    views = views_of(row, call.slots)
    if views is None or len({x.shape for x in row}) > 1:  # it would have to be broadcast
        return None
    program = program_for(call.kernel, views[0], len(row), call.slots, call.add)
    return None if program is None else Ready(program, row, views, call, otherwise)


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


def run(
    program: Staged,
    row: Sequence[Array],
    views: list[Any],
    scalars: Mapping[str, Any],
    replaced: Sequence[int],
    donate: bool,
) -> tuple[Array, ...] | None:
    """Return a program's results; None if they are in the memory of what they replace."""
    if donate and _in_place(program, views, scalars, replaced):
        return None
    results, outs = zip(*(_fresh(row[0], views[0].shape) for _ in replaced), strict=True)
    program.run(_flat(views), outs, scalars)
    return results


def _in_place(
    program: Staged, views: list[Any], scalars: Mapping[str, Any], replaced: Sequence[int]
) -> bool:
    """Run a program in the memory of what it replaces; say whether that could be done."""
    if False in [views[n].flags.carray for n in replaced]:
        return False
    return program.run(_flat(views), None, scalars)


def _flat(views: list[Any]) -> list[Any]:
    """Return arrays of one dimension; `reshape` copies where elements do not lie side by side."""
    return views if views[0].ndim == 1 else [x.reshape(-1) for x in views]


def _fresh(like: Array, shape: tuple[int, ...]) -> tuple[Array, Any]:
    """Return a new array of a library, and its memory as a flat NumPy array."""
    xp = array_namespace(like)
    new = xp.empty(shape, dtype=like.dtype)
    return new, library_of(xp).host_memory(new).reshape(-1)


# --- arrays that are given away --------------------------------------------------------------


def protect(views: list[list[Any] | None], slots: int, memories: Sequence[Any] = ()) -> None:
    """Make sure that no write hits what is still to be read.

    Whatever overlaps an array that is given away, or one of the `memories`, is copied first. The
    same memory given away twice cannot be two results.

    Raises
    ------
    OutError
        If two arrays that are given away share an element.
    """
    arrays = [x for row in views for x in row or ()]
    arrays += memories
    if len(set(map(id, arrays))) == len(arrays) and not [x for x in arrays if x.base is not None]:
        return  # each has its own memory
    if (
        len(views) == 1
        and not memories
        and not any(starmap(np.may_share_memory, combinations(arrays, 2)))
    ):
        return
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
    written = [(low, high) for low, high, *_ in given]
    written = sorted(written + [np.lib.array_utils.byte_bounds(x) for x in memories if x.size])
    starts = [low for low, _ in written]
    ends = list(accumulate((high for _, high in written), max))
    for low, high, r, n in others:
        at = int(np.searchsorted(starts, high)) - 1
        row = views[r]
        if at >= 0 and ends[at] > low and row is not None:
            row[n] = row[n].copy()


def _check_apart(views: list[Any], where: list[list[int]]) -> None:
    """Refuse arrays that share an element; they may lie between each other's elements."""
    shared = first_shared([views[r][n] for r, n in where])
    if shared is not None:
        (r, n), (s, m) = (where[k] for k in shared)
        message = f"donated arrays share memory: array {n} of leaf {r} and {m} of leaf {s}"
        raise OutError(message)
