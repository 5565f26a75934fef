"""PyTorch: `torch.compile` of the printed program, for all leaves of a dtype and device at once.

For who asks for it, with `use_executor("compiled")`: the first step waits for the compiler. On the
CPU it needs a compiler of C++, on a GPU Triton. A leaf takes part if it is real, of one dtype,
shape and device with its gradient and slots, in nobody's graph, and its elements lie in order where
arrays are given away; every other leaf runs as the kernel is written.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.expression import Step
from arraygrad.fusion import plain
from arraygrad.fusion.columns import Call, Column, Runner
from arraygrad.fusion.pointer_tables import check_apart
from arraygrad.fusion.program import Program, is_literal, scalar_arguments
from arraygrad.fusion.trace import trace

__all__ = ["prepared", "source_of"]


def prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    return partial(_evaluate, call)


def _evaluate(call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> list[Column]:
    rows: list[Sequence[Array]] = list(zip(*columns, strict=True))
    if not rows or not all_numbers(scalars.values()):
        return plain.evaluate(call, columns, scalars)
    kernel, slots, add, donate = call
    found: list[Any] = [list(columns[n]) for n in call.places]
    groups: dict[Any, list[int]] = {}
    for n, row in enumerate(rows):
        groups.setdefault(_kind(row, donate), []).append(n)
    programs = {kind: _program(kernel, rows[n[0]], slots, add) for kind, n in groups.items()}
    fused = [n for kind, own in groups.items() if kind and programs[kind] for n in own]
    if donate and fused:  # before anything is written
        protected = _protected([rows[n] for n in fused], call.places)
        for n, row in zip(fused, protected, strict=True):
            rows[n] = row
    for n in sorted(set(range(len(rows))).difference(fused)):
        _put(found, n, plain.leaf(kernel, rows[n], scalars, add=add))
    for kind, own in groups.items():
        program = programs[kind]
        if kind and program:
            new = _run(program, [rows[n] for n in own], scalars, call)
            for n, results in zip(own, new, strict=True):
                _put(found, n, results)
    return found


def _put(found: list[Any], place: int, results: Sequence[Array]) -> None:
    for column, x in zip(found, results, strict=True):
        column[place] = x


def _kind(row: Sequence[Array], donate: bool) -> Any:
    """Return what leaves have in common that run together; None for those that do not fit."""
    import torch

    first = row[0]
    kinds = {(x.dtype, x.device, x.shape) for x in row}
    fits = len(kinds) == 1 and first.dtype in (torch.float32, torch.float64)
    if not (fits and all(map(_is_plain, row))):
        return None
    in_order = not donate or all(x.is_contiguous() for x in row)  # else overlaps are hard to see
    return (first.dtype, first.device) if in_order else None


def _is_plain(x: Array) -> bool:
    """Say whether a tensor is in no graph and no transform of torch.func, and has memory."""
    import torch

    from arraygrad.libraries.torch import has_tangent

    if type(x) is not torch.Tensor or x.requires_grad or x.is_meta or has_tangent(x):
        return False
    try:
        x.data_ptr()
    except RuntimeError:
        return False
    return True


def _program(
    kernel: Callable[..., Any], row: Sequence[Array], slots: int, add: bool
) -> Program | None:
    return trace(kernel, array_namespace(row[0]), row[0].dtype, len(row), slots, add)


def _run(
    program: Program,
    leaves: Sequence[Sequence[Array]],
    scalars: Mapping[str, Any],
    call: Call,
) -> Sequence[Sequence[Array]]:
    """Return the results of leaves that run together."""
    import torch

    w = leaves[0][0]
    known = dict(scalars)
    program.scalar_functions[0](known)
    names = scalar_arguments(program)
    numbers = torch.tensor([float(known[name]) for name in names], dtype=torch.float64).unbind()
    shapes = tuple(tuple(row[0].shape) for row in leaves)
    walk = _walk(program, call.donate, shapes, w.dtype, w.device)
    found: Sequence[Sequence[Array]] = walk(leaves, numbers)
    return [[row[n] for n in call.places] for row in leaves] if call.donate else found


def _protected(
    leaves: Sequence[Sequence[Array]], replaced: Sequence[int]
) -> Sequence[Sequence[Array]]:
    """Copy inputs that overlap what is given away: they would be read too late."""
    import numpy as np

    rows = [list(row) for row in leaves]
    pointers = np.asarray([[x.data_ptr() for x in row] for row in rows], np.int64).T
    nbytes = np.asarray([row[0].nbytes for row in rows], np.int64)
    for n, leaf in np.argwhere(check_apart(pointers, nbytes, list(replaced))):
        rows[leaf][n] = rows[leaf][n].clone()
    return rows


@lru_cache(maxsize=100)
def _walk(program: Program, in_place: bool, shapes: Any, dtype: Any, device: Any) -> Any:
    """Return the compiled walk, a function of its own for each layout: torch counts those."""
    import torch

    scope: dict[str, Any] = {"torch": torch}
    source = source_of(program, str(dtype), in_place=in_place)
    exec(compile(source, f"<compiled {program.name}>", "exec"), scope)
    return torch.compile(scope["walk"], fullgraph=True, dynamic=False)


# --- the printed walk ------------------------------------------------------------------------


def source_of(program: Program, dtype: str, *, in_place: bool) -> str:
    """Return the source of the walk over all leaves."""
    lines = ["def walk(leaves, numbers):"]
    names = scalar_arguments(program)
    lines += [f"    {', '.join(names)}, = numbers"] if names else []
    lines += ["    found = []", f"    for {', '.join(program.inputs)}, in leaves:"]
    lines += [f"        {line}" for line in _body(program, dtype, in_place)]
    return "\n".join([*lines, "    return found", ""])


def _body(program: Program, dtype: str, in_place: bool) -> Iterator[str]:
    for n, stage in enumerate(program.stages):
        for step in (*(stage.scalars if n else ()), *stage.steps, *stage.sums):
            yield f"{step.target} = {_spelt(step, program, dtype)}"
    results = list(program.outputs)
    for n, name in enumerate(program.outputs[1:], 1):
        # A moment that has become denormal slows all arithmetic down: it is zero.
        results[n] = f"torch.where({name}.abs() < torch.finfo({dtype}).smallest_normal, 0, {name})"
    if in_place:
        yield f"results = ({', '.join(results)},)"
        for n, old in enumerate(program.replaced):
            yield f"{old}.copy_(results[{n}])"
    else:
        # A 0-d leaf takes part in the numbers' double precision.
        yield f"found.append(({', '.join(f'{x}.to({dtype})' for x in results)},))"


_CALLS = {
    "astype": "{0}.to({dtype})",
    "maximum": "torch.maximum({0}, {1})",
    "minimum": "torch.minimum({0}, {1})",
    "negative": "(-{0})",
    "positive": "{0}.clone()",
    "sum": "torch.sum({0})",
    "where": "torch.where({0} != 0, {1}, {2})",
    "~": "torch.logical_not({0})",
}
_BOUNDS = {"maximum": "torch.clamp({0}, min={1})", "minimum": "torch.clamp({0}, max={1})"}


def _spelt(step: Step, program: Program, dtype: str) -> str:
    sources = list(step.sources)
    if step.operator in _BOUNDS and any(map(is_literal, sources)):
        return _BOUNDS[step.operator].format(*sorted(sources, key=is_literal))
    if step.operator in _CALLS:
        return _CALLS[step.operator].format(*sources, dtype=dtype)
    if step.operator.isidentifier():
        return f"torch.{step.operator}({', '.join(sources)})"
    return f"{sources[0]} {step.operator} {sources[1]}"
