"""Launch a program's kernels: compiled when first met, and kept on the disk by CuPy."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from arraygrad._numbers import is_number
from arraygrad._typing import Array
from arraygrad.errors import DeviceError
from arraygrad.fusion.cuda_source import (
    FINISH,
    SUMS,
    THREADS,
    UPDATE,
    source_of,
)
from arraygrad.fusion.pointer_tables import Chunks, chunks_of, on_device
from arraygrad.fusion.program import Program, scalar_arguments

__all__ = ["launch"]


def launch(
    program: Program, w: Array, sizes: tuple[int, ...], pointers: Any, scalars: Mapping[str, Any]
) -> None:
    """Compute a program's outputs on the current device and stream.

    Parameters
    ----------
    program : Program
        What to compute.
    w : array
        Any of the arrays: dtype and device are those of all.
    sizes : tuple of int
        How many elements each leaf has.
    pointers : NumPy array of int64 (inputs + outputs, leaves)
        Where the arrays are.
    scalars : mapping of str to number or array of one element
        The hyperparameters; nothing is read of those on the device.

    Raises
    ------
    DeviceError
        If a hyperparameter lies on another device.
    """
    chunks = chunks_of(sizes)
    if not chunks.total:
        return
    arrays = frozenset(n for n in program.hyperparameters if not is_number(scalars[n]))
    known: dict[str, Any] = dict(scalars)
    if not arrays:
        program.scalar_functions[0](known)
    numbers = [_argument(known[name], w) for name in scalar_arguments(program, arrays)]
    compiled = _compiled(program, w.dtype.char, arrays)
    totals = _totals(program, len(sizes))
    given = [on_device(pointers), on_device(chunks.places), chunks.total, len(sizes), totals]
    done = 0
    for n, stage in enumerate(program.stages[:-1]):
        count = len(stage.sums)
        _add_up(compiled, n, chunks, given, numbers, totals[done : done + count])
        done += count
    compiled.get_function(UPDATE)((chunks.total,), (THREADS,), (*given, *numbers))


@lru_cache(maxsize=1000)
def _compiled(program: Program, letter: str, on_device: Collection[str]) -> Any:
    import cupy

    return cupy.RawModule(code=source_of(program, letter, on_device))


def _argument(x: Any, w: Array) -> Any:
    """Return a scalar as a kernel takes it: a number, or an array in double precision."""
    if is_number(x):
        return float(x)
    if x.data.device_id != w.data.device_id:
        message = (
            f"a hyperparameter lies on device {x.data.device_id}, "
            f"the parameters on {w.data.device_id}"
        )
        raise DeviceError(message)
    return x.astype("float64", copy=False)


def _totals(program: Program, leaves: int) -> Any:
    """Return room for all sums of all leaves; a null pointer where there are none."""
    import cupy

    count = sum(len(stage.sums) for stage in program.stages)
    return cupy.empty((count, leaves), "float64") if count else 0


def _add_up(
    compiled: Any,
    number: int,
    chunks: Chunks,
    given: Sequence[Any],
    numbers: Sequence[Any],
    totals: Array,
) -> None:
    """Compute the sums that end a stage: those of each chunk, then those of each leaf."""
    import cupy

    count, leaves = totals.shape
    partials = cupy.empty((count, chunks.total), "float64")
    kernel = compiled.get_function(SUMS.format(number))
    kernel((chunks.total,), (THREADS,), (*given, partials, *numbers))
    finish = compiled.get_function(FINISH)
    firsts = on_device(chunks.firsts)
    finish((leaves, count), (THREADS,), (partials, totals, firsts, chunks.total, leaves))
