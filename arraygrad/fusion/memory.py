"""Run a program on the host's memory: flat arrays in, flat arrays out.

Outputs may be the inputs that they replace, the very same memory, and nothing else of the inputs.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arraygrad._typing import Array, DType
from arraygrad.fusion import blocked, loop
from arraygrad.fusion.program import Program
from arraygrad.fusion.switch import chosen

__all__ = ["executor", "run"]

_WORTH_COMPILING = 16_384
"""Elements: below, NumPy is as quick, and need not be compiled."""

_HELD = 1 << 28
"""Bytes: more is given back after the step."""

_FLUSHED_EVERY = 16
"""Steps between two walks that clear denormal numbers wherever they are."""


def executor(size: int) -> Any:
    """Return who runs programs of so many elements: `loop` (numba) or `blocked` (NumPy)."""
    wanted = chosen()
    if wanted == "numba" or (wanted is None and size >= _WORTH_COMPILING and loop.available()):
        return loop
    return blocked


def run(
    program: Program,
    dtype: DType,
    inputs: Sequence[Array],
    outs: Sequence[Array],
    scalars: Mapping[str, Any],
) -> None:
    """Compute a program's outputs into arrays, stage by stage."""
    size = outs[0].size
    arrays = [*inputs, *outs]
    if program.kept:
        arrays += _between(len(program.kept), size, dtype)
    known = dict(scalars)
    flush = int(scalars.get("step", 0)) % _FLUSHED_EVERY == 0
    stages = executor(size).prepare(program, dtype)
    for n, walk in enumerate(stages):
        program.scalar_functions[n](known)
        stage = program.stages[n]
        if stage.steps or stage.sums or n == len(stages) - 1:
            totals = walk(size, arrays, known, flush)
            if totals:
                known.update(zip((step.target for step in stage.sums), totals, strict=True))


_local = threading.local()


def _between(count: int, size: int, dtype: DType) -> list[Array]:
    """Return arrays for what a later walk reads, those of the last step where they fit.

    New memory costs as much as the walk: the system clears its pages. Each thread holds on to
    at most `_HELD` bytes.
    """
    held = getattr(_local, "held", np.empty((0, 0), dtype))
    if held.dtype != dtype or len(held) < count or held.shape[1] < size:
        held = np.empty((count, size), dtype)
        if held.nbytes <= _HELD:
            _local.held = held
    return [row[:size] for row in held[:count]]
