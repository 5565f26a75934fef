"""Arrays in the host's memory: NumPy's, and PyTorch's on the CPU.

A leaf runs fused if it is real, of one dtype and shape with its gradient and slots, and in nobody's
graph; the hyperparameters are numbers. Every other leaf runs as the kernel is written.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._numbers import is_number
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import memory, plain
from arraygrad.fusion.program import Program
from arraygrad.fusion.trace import trace
from arraygrad.libraries import library_of

__all__ = ["evaluate_rows", "program_for", "views_of"]

Row = Sequence[Array]


def evaluate_rows(
    kernel: Callable[..., Any],
    rows: Sequence[Row],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool,
    donate: bool,
) -> list[tuple[Array, ...]]:
    """Return a kernel's results for every leaf: see `arraygrad.fusion`."""
    as_written = partial(plain.evaluate, kernel, scalars=scalars, add=add)
    if not all(map(is_number, scalars.values())):
        return [as_written(row) for row in rows]
    views = [views_of(row, slots) for row in rows]
    if donate:
        _protect(views, slots)
    results = []
    for row, found in zip(rows, views, strict=True):
        program = None if found is None else program_for(kernel, row, found, slots, add)
        if found is None or program is None:
            results.append(as_written(row))
        else:
            results.append(_run(program, row, found, scalars, donate))
    return results


def program_for(
    kernel: Callable[..., Any], row: Row, views: Sequence[Any], slots: int, add: bool
) -> Program | None:
    """Return the traced kernel; None where it must run as it is written."""
    return trace(kernel, array_namespace(views[0]), views[0].dtype, len(row), slots, add)


def views_of(row: Row, slots: int) -> list[Any] | None:
    """Return NumPy's view of a row's arrays, if it can run fused."""
    view = library_of(array_namespace(row[0])).host_memory
    w = view(row[0])
    if w is None or w.dtype.char not in "fd":
        return None
    found = [w]
    for n, x in enumerate(row[1:], 1):
        same = type(x) is type(row[0])
        y = view(x) if same or array_namespace(x) is array_namespace(row[0]) else None
        if y is None or y.dtype != w.dtype:
            return None
        if y.shape != w.shape:
            if 2 <= n < 2 + slots or y.size > w.size:
                return None
            import numpy as np

            y = np.broadcast_to(y, w.shape)
        found.append(y)
    return found


def _run(
    program: Program, row: Row, views: Sequence[Any], scalars: Mapping[str, Any], donate: bool
) -> tuple[Array, ...]:
    """Compute a row, into the memory of what is replaced or into fresh arrays."""
    shape, dtype = views[0].shape, views[0].dtype
    inputs = [x.reshape(-1) for x in views]  # copies where elements do not lie side by side
    places = [program.inputs.index(name) for name in program.replaced]
    fit = donate and all(views[n].flags.c_contiguous and views[n].flags.writeable for n in places)
    if fit:
        memory.run(program, dtype, inputs, [inputs[n] for n in places], scalars)
        return tuple(row[n] for n in places)
    results, outs = zip(*(_fresh(row[0], shape, dtype) for _ in places), strict=True)
    memory.run(program, dtype, inputs, outs, scalars)
    return results


def _fresh(like: Array, shape: tuple[int, ...], dtype: Any) -> tuple[Array, Any]:
    """Return a new array of a library, and its memory as a flat NumPy array."""
    xp = array_namespace(like)
    new = xp.empty(shape, dtype=like.dtype)
    return new, library_of(xp).host_memory(new).reshape(-1)


def _protect(views: Sequence[list[Any] | None], slots: int) -> None:
    """Make sure that no write hits what is still to be read.

    Whatever overlaps an array that is given away is copied first. The same memory given away
    twice cannot be two results.
    """
    import numpy as np

    given: list[tuple[int, int, int, int]] = []
    others: list[tuple[int, int, int, int]] = []
    for r, row in enumerate(views):
        for n, x in enumerate(row or ()):
            if x.size:
                low, high = np.lib.array_utils.byte_bounds(x)
                (given if n == 0 or 2 <= n < 2 + slots else others).append((low, high, r, n))
    given.sort()
    for (_, high, r, n), (low, _, s, m) in itertools.pairwise(given):
        if low < high:
            message = f"donated arrays share memory: array {n} of leaf {r} and {m} of leaf {s}"
            raise OutError(message)
    starts = [low for low, *_ in given]
    for low, high, r, n in others:
        at = int(np.searchsorted(starts, high)) - 1
        row = views[r]
        if at >= 0 and given[at][1] > low and row is not None:
            row[n] = row[n].copy()
