"""Trace a kernel: call it once with symbols, and take down what it computes."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from arraygrad._typing import DType, Namespace
from arraygrad.expression import Step, Symbol, linearize, number
from arraygrad.fusion.program import Program, Stage, is_literal

__all__ = ["trace"]

# What every executor has: an elementwise function here is one in each of them.
_ELEMENTWISE = frozenset(
    "abs exp expm1 log log1p maximum minimum negative sign sqrt square tanh where".split()
)
_OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "pow": "**", "less": "<",
    "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
    "logical_and": "&", "logical_or": "|",
}  # fmt: skip
_SAME = frozenset({"real", "conj"})  # of what is real


# Names that the printed code gives to what is its own.
_TAKEN = re.compile(
    r"(abs|added|arrays|block|cross|dotted|empty|ends|exp|expm1|finfo|flags|float|flush|i|j|known"
    r"|log|log1p|max|min|np|numba|numbers|range|real|run|scratch|size|sqrt|start|stop|tanh|tiny"
    r"|took_root|whole|(b|literal|out|r|stage|t|term|total)[0-9]+.*|.*_(array|block|whole)|N_.*)"
)


class _UntraceableError(Exception):
    """A kernel does what the symbols cannot follow."""


class _Shape:
    """The one shape that all arrays of a kernel have here."""


_SHAPE = _Shape()


class _Space:
    """The namespace that a kernel meets while it is traced."""

    def __init__(self, xp: Namespace, kind: type[Symbol], dtype: DType) -> None:
        self._xp, self._kind, self._dtype = xp, kind, dtype

    def __getattr__(self, name: str) -> Any:
        if name in _ELEMENTWISE:
            return lambda *operands: self._kind(name, *map(number, operands))
        if name in _OPERATORS:
            return lambda x, y: self._kind(_OPERATORS[name], number(x), number(y))
        if name in _SAME:
            return lambda x: x
        value = getattr(self._xp, name)
        if callable(value) and not isinstance(value, type) and name not in ("finfo", "isdtype"):
            raise _UntraceableError
        return value

    def astype(self, x: Any, dtype: DType, /, *, copy: bool = True) -> Any:
        """Turn truth values into numbers; there is one dtype here."""
        if dtype != self._dtype:
            raise _UntraceableError
        truth = isinstance(x, Symbol) and x.operator in _TRUTH
        return self._kind("astype", x) if truth else x

    def broadcast_to(self, x: Any, shape: Any, /) -> Any:
        """Return the array: all have the one shape."""
        if shape is not _SHAPE:
            raise _UntraceableError
        return x

    def clip(self, x: Any, /, min: Any = None, max: Any = None) -> Any:
        """Spell bounds as `maximum` and `minimum`."""
        x = x if min is None else self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def sum(self, x: Any, /) -> Any:
        """Sum over all elements."""
        return self._kind("sum", x)

    def ones_like(self, x: Any, /) -> Any:
        """Return the number 1."""
        return self._kind("number", 1.0)

    def zeros_like(self, x: Any, /) -> Any:
        """Return the number 0."""
        return self._kind("number", 0.0)


_TRUTH = frozenset({"<", "<=", ">", ">=", "==", "!=", "&", "|", "~"})


@lru_cache(maxsize=1000)
def trace(
    kernel: Callable[..., Any], xp: Namespace, dtype: DType, arrays: int, slots: int, add: bool
) -> Program | None:
    """Return what a kernel computes, of arrays of one real dtype and shape; `None` if it is not
    made of elementwise functions and sums.

    With `add`, the first output is the new parameter, else the update. The first of the `arrays`
    is the parameter, the second the gradient, then there are so many slots.
    """
    kind: type[Symbol] = type(
        "Traced", (Symbol,), {"__slots__": (), "dtype": dtype, "shape": _SHAPE}
    )
    names = [name for name in inspect.signature(kernel).parameters if name != "xp"]
    if any(map(_TAKEN.fullmatch, names)):
        return None
    inputs, scalars = names[:arrays], names[arrays:]
    symbols = {name: kind("variable", name) for name in names}
    given = [symbols[name] for name in inputs]
    try:
        found = kernel(_Space(xp, kind, dtype), *given, **{name: symbols[name] for name in scalars})
        update, *rest = found if isinstance(found, tuple) else (found,)
        first = given[0] + update if add else update
        replaced = [inputs[0], *inputs[2 : 2 + slots]]
        outputs = _own(kind, [number(x) for x in (first, *rest)], replaced)
        return _program(kernel, inputs, scalars, outputs, slots)
    except (_UntraceableError, AttributeError, TypeError):
        return None


def _own(kind: type[Symbol], outputs: list[Symbol], replaced: list[str]) -> list[Symbol]:
    """Make a step of its own of each output that is another one too, or an input of another place.

    Else an executor that works in place might overwrite what it has yet to copy.
    """
    own: dict[Any, Symbol] = {}
    for n, x in enumerate(outputs):
        away = x.operator == "variable" and x.arguments[0] not in replaced[n : n + 1]
        while away or x.key in own:
            x, away = kind("positive", x), False
        own[x.key] = x
    return list(own.values())


def _program(
    kernel: Any, inputs: list[str], scalars: list[str], outputs: list[Symbol], slots: int
) -> Program:
    steps, names = linearize(outputs)
    known = {*inputs, *scalars, *(step.target for step in steps)}
    sources = {source for step in steps for source in step.sources}
    if not all(map(is_literal, sources - known)):  # `nan`, `True`
        raise _UntraceableError
    stage_of, scalar = _placed(steps, inputs, scalars)
    last = max([stage_of.get(s.target, 0) for s in steps], default=0)
    _put_off(steps, stage_of, scalar, last)
    stages = [
        Stage(
            tuple(s for s in steps if s.operator != "sum" and _at(s, n, stage_of, scalar, True)),
            tuple(s for s in steps if _at(s, n, stage_of, scalar, False)),
            tuple(s for s in steps if s.operator == "sum" and stage_of[s.target] == n + 1),
        )
        for n in range(last + 1)
    ]
    unfit = [name for name in names if is_literal(name) or name in scalar]
    if unfit or len(names) != 1 + slots:
        raise _UntraceableError
    replaced = (inputs[0], *inputs[2 : 2 + slots])
    name = getattr(kernel, "__name__", None) or getattr(kernel, "func", kernel).__name__
    program = Program(name, tuple(inputs), tuple(scalars), tuple(stages), tuple(names), replaced)
    truths = {step.target for step in steps if step.operator in _TRUTH}
    if truths.intersection(program.kept):  # what is kept is kept as numbers
        raise _UntraceableError
    return program


def _at(
    step: Step, stage: int, stage_of: Mapping[str, int], scalar: frozenset[str], wanted: bool
) -> bool:
    return stage_of[step.target] == stage and (step.target in scalar) == wanted


def _put_off(
    steps: Sequence[Step], stage_of: dict[str, int], scalar: frozenset[str], last: int
) -> None:
    """Compute each array in the stage that first reads it: then fewer need be kept."""
    needed: dict[str, int] = {}
    for step in reversed(steps):
        stage = stage_of[step.target]
        if step.operator == "sum":
            stage -= 1  # the walk before gathers it
        elif step.target not in scalar:
            stage = stage_of[step.target] = needed.get(step.target, last)
        for source in step.sources:
            needed[source] = min(needed.get(source, last), stage)


def _placed(
    steps: Sequence[Step], inputs: Sequence[str], scalars: Sequence[str]
) -> tuple[dict[str, int], frozenset[str]]:
    """Return the stage of each name, and which names are scalars."""
    stage_of: dict[str, int] = dict.fromkeys((*inputs, *scalars), 0)
    scalar = set(scalars)
    for step in steps:
        sources = [s for s in step.sources if not is_literal(s)]
        stage = max((stage_of[s] for s in sources), default=0)
        if step.operator == "sum":
            stage += 1
            if scalar.issuperset(sources):
                raise _UntraceableError
            scalar.add(step.target)
        elif scalar.issuperset(sources):
            scalar.add(step.target)
        stage_of[step.target] = stage
    return stage_of, frozenset(scalar)
