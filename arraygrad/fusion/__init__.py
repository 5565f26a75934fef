"""How a kernel is executed: traced once, then run at the speed of memory.

    trace.py, program.py   a kernel becomes stages of elementwise steps
    plain.py               the expression as it is written: any library, any trace
    host.py                arrays in the host's memory, by way of memory.py:
                           blocked.py (NumPy, block by block) or loop.py (numba)
    jit.py                 `jax.jit`, with donated buffers
    explain.py             what will run

The library of a leaf says who runs: its `executor`.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array
from arraygrad.fusion.switch import chosen, use_executor
from arraygrad.libraries import library_of

__all__ = ["EXECUTORS", "evaluate_rows", "use_executor"]

Row = Sequence[Array]

EXECUTORS = {
    "cupy": "arraygrad.fusion.elementwise_kernel",
    "host": "arraygrad.fusion.host",
    "jax": "arraygrad.fusion.jit",
    "plain": "arraygrad.fusion.plain",
}
"""Who runs kernels, by the name that a library gives: modules with `evaluate_rows`."""


def evaluate_rows(
    kernel: Callable[..., Any],
    rows: Sequence[Row],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool = True,
    donate: bool = False,
) -> list[tuple[Array, ...]]:
    """Return a kernel's results for every leaf.

    A row holds a leaf's parameter, gradient, slots, and what else the kernel takes. The results
    are the new parameter (the update, unless `add`), and the new slots; with `donate` they may
    take the memory of what they replace.
    """
    results: list[tuple[Array, ...]] = []
    for name, group in groupby(rows, _executor_of):
        run = importlib.import_module(EXECUTORS[name]).evaluate_rows
        results += run(kernel, list(group), scalars, slots=slots, add=add, donate=donate)
    return results


def _executor_of(row: Row) -> str:
    if chosen() == "plain":
        return "plain"
    return library_of(array_namespace(row[0])).executor
