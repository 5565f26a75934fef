"""Several threads for long walks: NumPy lets go of the interpreter inside its functions."""

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from arraygrad.errors import HyperparameterError

__all__ = ["split", "thread_count"]

Part = Callable[[int, int], list[float]]

_WORTH_A_THREAD = 1 << 18
"""Elements: a thread with fewer costs more than it saves."""


@lru_cache(maxsize=1)
def thread_count() -> int:
    """Return how many threads to use: `ARRAYGRAD_NUM_THREADS`, else `OMP_NUM_THREADS`, else all.

    Raises
    ------
    HyperparameterError
        If the first is set, and is no number. (The second is not ours.)
    """
    for name in ("ARRAYGRAD_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value) > 0:
            return int(value)
        if value and name == "ARRAYGRAD_NUM_THREADS":
            message = f"`{name}` must be a number of threads, at least 1, got {value!r}"
            raise HyperparameterError(message)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_count(), thread_name_prefix="arraygrad")


def split(part: Part, size: int, block: int) -> list[float]:
    """Run `part(start, stop)` over all elements, and add up what the parts return."""
    count = size // _WORTH_A_THREAD
    if count > 1:
        count = min(count, thread_count())
    if count < 2:
        return part(0, size)
    blocks = -(-size // block)
    stops = [min(blocks * n // count * block, size) for n in range(count + 1)]
    stops[-1] = size
    *others, last = itertools.pairwise(stops)
    waiting = [_pool().submit(part, *bounds) for bounds in others]
    found = [part(*last), *(each.result() for each in waiting)]
    return [sum(column) for column in zip(*found, strict=True)]
