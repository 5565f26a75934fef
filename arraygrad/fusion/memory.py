"""Run a program on the host's memory: flat arrays in, flat arrays out.

Outputs are all new, or all the very arrays that they replace, and share no memory with the other
inputs.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from arraygrad._typing import Array, DType
from arraygrad.fusion import blocked, loop
from arraygrad.fusion.program import Program
from arraygrad.fusion.switch import chosen

__all__ = ["Staged", "executor", "staged"]

_WORTH_COMPILING = 16_384
"""Elements: below, NumPy is as quick, and need not be compiled."""

_HELD = 1 << 28
"""Bytes: more is given back after the step."""

_FLUSHED_EVERY = 16
"""Steps between two walks that clear denormal numbers wherever they are."""


def executor(size: int) -> Any:
    """Return who runs programs of so many elements: `loop` (numba) or `blocked` (NumPy)."""
    wanted = chosen()
    free = wanted not in ("numba", "blocked")
    if wanted == "numba" or (free and size >= _WORTH_COMPILING and loop.available()):
        return loop
    return blocked


def staged(program: Program, dtype: DType, size: int) -> "Staged":
    """Return a program made ready for arrays of a dtype and size."""
    return _staged(program, dtype, executor(size))


class Staged:
    """A program whose stages are compiled."""

    def __init__(self, program: Program, dtype: DType, who: Any) -> None:
        self._kept, self._dtype = len(program.kept), dtype
        last = len(program.stages) - 1
        # Of each stage what finds its scalars, its walk if it has one, and the names of its sums.
        self._stages: list[tuple[Any, Any, list[str]]] = []
        for n, stage in enumerate(program.stages):
            walks = stage.steps or stage.sums or n == last
            walk = who.prepare(program, n, dtype) if walks else None
            sums = [step.target for step in stage.sums]
            self._stages.append((program.scalar_functions[n], walk, sums))

    def run(
        self, inputs: Sequence[Array], outs: Sequence[Array], scalars: Mapping[str, Any]
    ) -> None:
        """Compute the program's outputs into arrays, stage by stage."""
        size = outs[0].size
        arrays = [*inputs, *outs]
        if self._kept:
            arrays += _between(self._kept, size, self._dtype)
        known = dict(scalars)
        flush = known.get("step", 0) % _FLUSHED_EVERY == 0
        for find_scalars, walk, sums in self._stages:
            find_scalars(known)
            if walk is not None:
                totals = walk(size, arrays, known, flush)
                if totals:
                    known.update(zip(sums, totals, strict=True))


_staged = lru_cache(maxsize=1000)(Staged)
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
