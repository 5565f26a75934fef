"""Run a program on the host's memory: flat arrays in, flat arrays out.

Outputs are all new, or all the very arrays that they replace, and share no memory with the other
inputs.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from arraygrad._typing import Array, DType
from arraygrad.fusion import blocked, loop
from arraygrad.fusion.program import Program
from arraygrad.fusion.switch import chosen

__all__ = ["Staged", "executor", "staged"]

_WORTH_COMPILING = 16_384
"""Elements: below, it takes many steps to win back the time that the compiler takes."""


def executor(size: int) -> Any:
    """Return who runs programs of so many elements: `loop` (numba) or `blocked` (NumPy)."""
    wanted = chosen()
    free = wanted not in ("numba", "blocked")
    if wanted == "numba" or (free and size >= _WORTH_COMPILING and loop.available()):
        return loop
    return blocked


class Staged(NamedTuple):
    """A program that is compiled."""

    run: Callable[[Sequence[Array], Sequence[Array] | None, Mapping[str, Any]], bool]
    """`run(inputs, outs, scalars)` computes the outputs into arrays, without `outs` into those
    that they replace. Says whether it did: not where it saw that what would be overwritten shares
    memory with what else is given."""

    looks: bool
    """Whether it looks for that."""


def staged(program: Program, dtype: DType, size: int) -> Staged:
    """Return a program made ready for arrays of a dtype and size."""
    return _staged(program, dtype, executor(size))


@lru_cache(maxsize=1000)
def _staged(program: Program, dtype: DType, who: Any) -> Staged:
    return Staged(who.prepare(program, dtype), looks=who is loop)
