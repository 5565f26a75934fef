"""Time several functions fairly: interleaved rounds in one process, medians."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping

from tqdm import tqdm

__all__ = ["alternating", "geometric_mean", "interleaved"]


def interleaved(
    functions: Mapping[str, Callable[[], object]], *, rounds: int, block: float, label: str
) -> dict[str, float]:
    """Return the median seconds of one call of each function.

    Every round gives each function one block of about `block` seconds, starting with another one
    each time, so that a busy machine troubles them all alike.
    """
    counts = {name: _calls_per_block(function, block) for name, function in functions.items()}
    gc.freeze()  # else every collection below walks through all that torch and jax imported
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    names = list(functions)
    for turn in tqdm(range(rounds), desc=label, unit="round", leave=False):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            seconds[name].append(_time(functions[name], counts[name]))
    gc.unfreeze()
    return {name: statistics.median(values) for name, values in seconds.items()}


def alternating(
    functions: Mapping[str, Callable[[], object]], *, calls: int, label: str
) -> dict[str, float]:
    """Return the median seconds of one call of each function, called in turn, one call each.

    For functions that differ by little: what slows the machine for a while slows them alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    gc.collect()
    gc.freeze()
    for turn in tqdm(range(calls + calls // 10), desc=label, unit="call", leave=False):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn >= calls // 10:  # warm by then
                seconds[name].append(time.perf_counter() - start)
    gc.unfreeze()
    return {name: statistics.median(values) for name, values in seconds.items()}


def _calls_per_block(function: Callable[[], object], block: float) -> int:
    """Warm a function up, and return how many calls fill a block."""
    for _ in range(3):
        once = _time(function, 1)
        if once > block:
            break
    return max(1, round(block / max(once, 1e-9)))


def _time(function: Callable[[], object], count: int) -> float:
    """Return the seconds of one call, averaged over `count`."""
    gc.collect()  # nobody pays for another's garbage; collection itself stays on
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean; NaN of nothing."""
    return statistics.geometric_mean(values) if values else float("nan")
