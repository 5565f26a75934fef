"""CuPy: one elementwise kernel for a leaf, compiled when first met.

Kernels with sums run as they are written: their scalars must stay on the device.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._numbers import is_number
from arraygrad._typing import Array
from arraygrad.expression import Step
from arraygrad.fusion import plain
from arraygrad.fusion.program import Program, is_literal
from arraygrad.fusion.trace import trace

__all__ = ["evaluate", "source_of"]

_CALLS = {
    "abs": "abs({0})",
    "astype": "({0} ? T(1) : T(0))",
    "maximum": "(({0} >= {1} || {0} != {0}) ? {0} : {1})",
    "minimum": "(({0} <= {1} || {0} != {0}) ? {0} : {1})",
    "negative": "(-{0})",
    "sign": "({0} != {0} ? {0} : T(({0} > 0) - ({0} < 0)))",
    "square": "({0} * {0})",
    "where": "({0} ? {1} : {2})",
    "**": "pow({0}, {1})",
    "&": "({0} && {1})",
    "|": "({0} || {1})",
    "~": "(!{0})",
}
_POWERS = {"2": "({0} * {0})", "2.0": "({0} * {0})", "0.5": "sqrt({0})"}
_TRUTH = frozenset({"<", "<=", ">", ">=", "==", "!=", "&", "|", "~"})


def evaluate(
    kernel: Callable[..., Any],
    columns: Sequence[Sequence[Array]],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool,
    donate: bool,
) -> list[Sequence[Array]]:
    """Return a kernel's results for every leaf: see `arraygrad.fusion`."""
    if not all(map(is_number, scalars.values())):
        return plain.evaluate(kernel, columns, scalars, slots=slots, add=add, donate=donate)
    rows = [_leaf(kernel, row, scalars, slots, add, donate) for row in zip(*columns, strict=True)]
    return list(zip(*rows, strict=True)) if rows else [()] * (1 + slots)


def _leaf(
    kernel: Callable[..., Any], row: Any, scalars: Mapping[str, Any], slots: int, add: bool,
    donate: bool,
) -> tuple[Array, ...]:  # fmt: skip
    """Return the results for one leaf."""
    import cupy

    w = row[0]
    like = all(type(x) is cupy.ndarray and x.dtype == w.dtype and x.shape == w.shape for x in row)
    fit = like and w.dtype.char in "fd"
    program = trace(kernel, array_namespace(w), w.dtype, len(row), slots, add) if fit else None
    if program is None or len(program.stages) > 1:
        return plain.leaf(kernel, row, scalars, add=add)
    known = program.start(scalars)
    program.scalar_functions[0](known)
    old = [row[0], *row[2 : 2 + slots]]
    outs = old if donate else [cupy.empty_like(x) for x in old]
    names = _parameters(program)[1]
    return tuple(_many(_compiled(program, str(w.dtype))(*row, *(known[n] for n in names), *outs)))


def _many(found: Any) -> Sequence[Any]:
    return found if isinstance(found, tuple) else (found,)


@lru_cache(maxsize=1000)
def _compiled(program: Program, dtype: str) -> Any:
    import cupy

    inputs, outputs, body = source_of(program, dtype)
    return cupy.ElementwiseKernel(inputs, outputs, body, f"arraygrad_{program.name}")


def _parameters(program: Program) -> tuple[list[str], list[str]]:
    """Return the arrays, and the scalars that the steps read."""
    read = program.stages[0].sources
    return list(program.inputs), sorted(n for n in read if n in program.scalar_names)


def source_of(program: Program, dtype: str) -> tuple[str, str, str]:
    """Return the inputs, the outputs and the body of a program's one stage, as CuPy wants them."""
    arrays, scalars = _parameters(program)
    inputs = ", ".join([*(f"T {name}" for name in arrays), *(f"{dtype} {n}" for n in scalars)])
    outputs = ", ".join(f"T out{n}" for n in range(len(program.outputs)))
    lines = [
        f"{'bool' if step.operator in _TRUTH else 'T'} {step.target} = {_spelt(step)};"
        for step in program.stages[0].steps
    ]
    lines += [f"out{n} = {name};" for n, name in enumerate(program.outputs)]
    return inputs, outputs, "\n".join(lines)


def _spelt(step: Step) -> str:
    sources = [f"T({s})" if is_literal(s) else s for s in step.sources]
    if step.operator == "**" and step.sources[1] in _POWERS:
        return _POWERS[step.sources[1]].format(*sources)
    if step.operator in _CALLS:
        return _CALLS[step.operator].format(*sources)
    if step.operator.isidentifier():
        return f"{step.operator}({', '.join(sources)})"
    return f"{sources[0]} {step.operator} {sources[1]}"
