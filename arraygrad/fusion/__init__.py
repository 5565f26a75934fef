"""How a kernel is executed: traced once, then run at the speed of memory.

    trace.py, program.py   a kernel becomes stages of elementwise steps
    plain.py               the expression as it is written: any library, any trace
    host.py                arrays in the host's memory, each leaf by leaf.py and memory.py:
                           blocked.py (NumPy, block by block) or loop.py (numba, which
                           compiles loop_source.py's); small leaves together: packed.py
    jit.py                 `jax.jit`, with donated buffers
    compiled.py            `torch.compile`, for who asks for it
    elementwise_kernel.py  CuPy: one CUDA kernel for all leaves (cuda_*.py, pointer_tables.py)
    explanation.py         what will run: `explain`

The library of a leaf says who runs: its `executor`.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad.fusion.columns import Alike, Call, Column, Runner
from arraygrad.fusion.packed import Known
from arraygrad.fusion.switch import executor_of, use_executor, wanted
from arraygrad.libraries import Library, library_of

__all__ = ["EXECUTORS", "Call", "evaluate", "explain", "run", "use_executor"]

EXECUTORS = {
    "cupy": "arraygrad.fusion.elementwise_kernel",
    "host": "arraygrad.fusion.host",
    "jax": "arraygrad.fusion.jit",
    "plain": "arraygrad.fusion.plain",
    "torch": "arraygrad.fusion.compiled",
}
"""Who runs kernels, by the name that a library gives: modules with `prepared`."""


def evaluate(
    kernel: Callable[..., Any],
    columns: Sequence[Column],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool = True,
    donate: bool = False,
) -> list[Column]:
    """Return a kernel's results for every leaf.

    The columns hold the leaves of the parameters, the gradients, each slot, and what else the
    kernel takes. The results are the columns of the new parameters (the updates, unless `add`)
    and of the new slots; with `donate` they may take the memory of what they replace, and a
    column that is returned as it was given has changed in place.
    """
    call = Call(kernel, slots, add, donate)
    found = run(call, columns, scalars)
    return [columns[n] for n in call.places] if found is None else found


def run(call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> list[Column] | None:
    """Do the same; `None` if all that would be returned changed in place."""
    if type(columns) is not Alike:
        return _prepared(call, columns)(columns, scalars)
    key = call, wanted()
    runner = columns.notes.get(key)
    if runner is None:
        runner = columns.notes[key] = _prepared(call, columns)
    return runner(columns, scalars)


def _prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these."""
    library = _library_of(columns[0])
    module = _module(executor_of(library) if library else "plain")
    runner: Runner = module.prepared(call, columns)
    return runner


_known: dict[type, Library] = {}  # by the type of arrays: asked once for each


def _library_of(leaves: Column) -> Library | None:
    """Return whose arrays the leaves are; None if of several, which run each by itself, as written.

    Libraries that share an executor count as one.
    """
    alike = len(leaves) == 1 or (type(leaves) is Known and leaves.flat is not None)
    kinds = {type(leaves[0])} if alike else set(map(type, leaves))
    for kind in kinds.difference(_known):
        first = next(x for x in leaves if type(x) is kind)
        _known[kind] = library_of(array_namespace(first))
    found = [_known[kind] for kind in kinds]
    return found[0] if len({x.executor for x in found}) == 1 else None


@cache
def _module(name: str) -> Any:
    return importlib.import_module(EXECUTORS[name])


def __getattr__(name: str) -> Any:
    """Import what explains, and all that it looks at, when it is asked for."""
    if name == "explain":
        return importlib.import_module("arraygrad.fusion.explanation").explain
    message = f"module 'arraygrad.fusion' has no attribute {name!r}"
    raise AttributeError(message)
