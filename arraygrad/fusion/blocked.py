"""NumPy without extras: ufuncs on blocks that stay in the cache, writing into reused scratch.

A stage of a program is printed as one function, which walks over the elements block by block.
Every step has its destination: the output itself where nobody reads any more what it replaces,
else a register of scratch that is free.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from arraygrad._typing import Array, DType
from arraygrad.expression import Step
from arraygrad.fusion.between import between
from arraygrad.fusion.numbers import Numbers
from arraygrad.fusion.program import Program, Stage, is_literal
from arraygrad.fusion.threads import split

__all__ = ["WORKING_SET", "prepare", "source_of"]

WORKING_SET = 3 << 20
"""Bytes that one block touches, of arrays and scratch together: calls cost little beside the work,
and all of it stays in the caches."""

_SMALLEST = 1 << 14
"""Elements of a block, however many arrays there are."""

_WORTH_A_LOOK = 4096
"""Elements: in fewer, denormal numbers may wait for the next flush."""

_FLUSHED_EVERY = 16
"""Steps between two walks that clear denormal numbers wherever they are."""

_UFUNCS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power", "<": "less",
    "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
    "&": "logical_and", "|": "logical_or", "~": "logical_not", "abs": "absolute",
}  # fmt: skip
_BY_KEYWORD = frozenset({"maximum", "minimum"})  # NumPy wants to be told which is the output
_TRUTH = frozenset({"<", "<=", ">", ">=", "==", "!=", "&", "|", "~"})
_POWERS = {"2": "square", "2.0": "square", "0.5": "sqrt"}


class _Printer:
    """Prints one stage; knows which registers are free."""

    def __init__(self, program: Program, number: int) -> None:
        self.program, self.stage = program, program.stages[number]
        self.steps = _without_squares(self.stage, program)
        self.last = _last_uses(self.steps, self.stage)
        self.last.update(dict.fromkeys(program.outputs, len(self.steps)))  # some are copied late
        self.numbers = sorted(self.stage.sources & program.scalar_names)
        self.place: dict[str, str] = {}  # of every name, the variable that holds its block
        self.free: dict[str, list[str]] = {"r": [], "b": []}
        self.count = {"r": 0, "b": 0}
        self.literals: dict[str, str] = {}
        self.views: dict[str, str] = {}  # variables of a block, and the arrays they are views of
        self.taken: dict[str, int] = {}  # outputs' places that hold what they are made of, how long
        self.lines: list[str] = []
        self.finished: list[str] = []  # slots that are complete, and may hold denormal numbers

    def print(self) -> str:
        """Return the source of the stage's function."""
        for position, step in enumerate(self.steps):
            self._print_step(position, step)
            self._skip_bound(position, step)
        sums = [self._sum(step) for step in self.stage.sums]
        self._write_late()
        flushed = self._flushed()  # before the views are listed: it may look at one more
        head = [f"{', '.join(self.numbers)}, = numbers"] if self.numbers else []
        head += [f"{variable} = arrays[{number}]" for variable, number in self._arrays()]
        head += [f"total{n} = 0.0" for n in range(len(sums))]
        body = [f"{v} = {array} if whole else {array}[i:j]" for v, array in self.views.items()]
        body += [f"{v} = {v}_whole[: j - i]" for v in self._registers()]
        head += [f"{v}_whole = scratch({v!r}, stop - start)" for v in self._registers()]
        body += [*self.lines, *flushed, *sums]
        loop = ["for i in range(start, stop, block):", "    j = min(i + block, stop)"]
        loop += [f"    {line}" for line in body]
        totals = ", ".join(f"total{n}" for n in range(len(sums)))
        head.insert(0, "whole = start == 0 and stop == size and size <= block")
        lines = [*head, *loop, f"return [{totals}]"]
        start = "def stage(size, start, stop, block, arrays, numbers, scratch, flush):"
        return "\n".join([start, *(f"    {line}" for line in lines), ""])

    def _arrays(self) -> list[tuple[str, int]]:
        known = self.program.arrays
        return [(x, known.index(x.removesuffix("_array"))) for x in self.views.values()]

    def _registers(self) -> list[str]:
        return [f"{kind}{n}" for kind, count in self.count.items() for n in range(count)]

    def _view(self, name: str) -> str:
        """Return the variable that holds this block of an array of the caller's."""
        self.views[name] = f"{name}_array"
        return name

    def _operand(self, name: str) -> str:
        if is_literal(name):
            return self.literals.setdefault(name, f"literal{len(self.literals)}")
        if name in self.program.scalar_names:
            return name
        return self.place.get(name) or self._view(name)

    def _print_step(self, position: int, step: Step) -> None:
        operands = [self._operand(s) for s in step.sources]
        if step.operator != "where":  # which writes twice
            self._release(position, step)
        target = self._destination(position, step)
        if step.operator == "where":
            condition, chosen, other = operands
            self.lines.append(f"np.copyto({target}, {other})")
            self.lines.append(f"np.copyto({target}, {chosen}, where={condition})")
            self._release(position, step)
        elif step.operator == "astype":
            self.lines.append(f"np.copyto({target}, {operands[0]})")
        elif step.operator == "**" and step.sources[1] in _POWERS:
            self.lines.append(f"np.{_POWERS[step.sources[1]]}({operands[0]}, {target})")
        elif step.operator == "*" and operands[0] == operands[1]:  # one array less to read
            self.lines.append(f"np.square({operands[0]}, {target})")
        else:
            name = _UFUNCS.get(step.operator, step.operator)
            out = f"out={target}" if name in _BY_KEYWORD else target
            self.lines.append(f"np.{name}({', '.join(operands)}, {out})")

    def _skip_bound(self, position: int, step: Step) -> None:
        """Leave out a lower bound under a root where it changes nothing.

        Where a number is added to the root that is far greater than the bound's, what is below the
        bound does not matter, unless it is negative. Else a look says whether anything is below.
        """
        bound = self.steps[position - 1]
        if step.operator != "sqrt" or bound.operator != "maximum" or not position:
            return
        x, limit = bound.sources
        if step.sources != (bound.target,) or not is_literal(limit):
            return
        careful = self.lines[-2:]
        place, root, limit = self.place.get(x, x), self.place[step.target], self._operand(limit)
        lines = [
            f"if stop > {_WORTH_A_LOOK} and np.minimum.reduce({place}) >= {limit}:",
            f"    np.sqrt({place}, {root})",
            "else:",
            *(f"    {line}" for line in careful),
        ]
        added = self._added(step)
        if added and place != root:
            far = f"stop > {_WORTH_A_LOOK} and {added} > far_above_{limit}"
            taken = f"{far} and took_root({place}, {root})"
            lines = [f"if not ({taken}):", *(f"    {line}" for line in lines)]
        self.lines[-2:] = lines

    def _added(self, step: Step) -> str | None:
        """Return the number that is added to a step's result, if that is all that is done to it."""
        readers = [later for later in self.steps if step.target in later.sources]
        if len(readers) != 1 or readers[0].operator != "+":
            return None
        others = [x for x in readers[0].sources if x != step.target]
        return others[0] if others and others[0] in self.numbers else None

    def _release(self, position: int, step: Step) -> None:
        """Free the registers of operands that nobody reads later."""
        for name in set(step.sources):
            place = self.place.get(name, "")
            if self.last.get(name) == position and place[:1] in self.free and place[1:].isdigit():
                self.free[place[0]].append(place)

    def _destination(self, position: int, step: Step) -> str:
        """Return where a step writes: an output, a kept array, or a register."""
        target = step.target
        if target in self.program.kept:
            place = self._view(target)
        elif target in self.program.outputs and not self._read_later(position, target):
            n = self.program.outputs.index(target)
            place = self._view(f"out{n}")
            if n:
                self.finished.append(place)
        else:
            place = self._ahead(position, step) or self._register(step)
        self.place[target] = place
        return place

    def _register(self, step: Step) -> str:
        kind = "b" if step.operator in _TRUTH else "r"
        return self.free[kind].pop() if self.free[kind] else self._new(kind)

    def _ahead(self, position: int, step: Step) -> str | None:
        """Return the place of the output that is made of this step alone, and of other operands.

        So a moving mean is scaled and added to where it is, and one register less is walked over.
        """
        end = self.last.get(step.target, -1)
        if step.operator in _TRUTH or not position < end < len(self.steps):
            return None
        reader = self.steps[end]
        once = sum(step.target in later.sources for later in self.steps) == 1
        if not once or reader.operator == "where" or reader.target not in self.program.outputs:
            return None
        n = self.program.outputs.index(reader.target)
        place, old = f"out{n}", self.program.replaced[n]
        waits = reader.target in self.program.kept or self._read_later(position, reader.target)
        if waits or old in self.program.outputs or self.taken.get(place, -1) > position:
            return None
        self.taken[place] = end
        return self._view(place)

    def _new(self, kind: str) -> str:
        self.count[kind] += 1
        return f"{kind}{self.count[kind] - 1}"

    def _read_later(self, position: int, output: str) -> bool:
        """Say whether what an output replaces is read after this step, in this stage."""
        old, step = self.program.replaced[self.program.outputs.index(output)], self.steps[position]
        if step.operator == "where" and old in step.sources[:2]:
            return True  # it writes twice, and reads these between
        later = (*self.steps[position + 1 :], *self.stage.sums)
        return any(old in step.sources for step in later)

    def _write_late(self) -> None:
        """Copy outputs that had to wait to their places; inputs handed through as well."""
        final = self.stage is self.program.stages[-1]
        for n, output in enumerate(self.program.outputs):
            here = output in self.stage.targets and output not in self.program.late
            waited = final and (output in self.program.late or output in self.program.inputs)
            if (here and not self.place[output].startswith("out")) or waited:
                place = self._view(f"out{n}")
                self.lines.append(f"np.copyto({place}, {self._operand(output)})")
                if n:
                    self.finished.append(place)

    def _sum(self, step: Step) -> str:
        """Print how a block's share of a sum is added up."""
        n = self.stage.sums.index(step)
        source = step.sources[0]
        made = next((s for s in self.stage.steps if s.target == source), None)
        if made is not None and made not in self.steps:
            left, right = (self._operand(s) for s in made.sources)
            return f"total{n} += float(np.dot({left}, {right}))"
        return f"total{n} += float(np.add.reduce({self._operand(source)}))"

    def _flushed(self) -> list[str]:
        """Print how denormal numbers, on which arithmetic is slow, become zeros."""
        if not self.finished:
            return []
        gradient = self._operand(self.program.inputs[1])
        unmoved = f"stop > {_WORTH_A_LOOK} and not {gradient}[0] and not {gradient}.any()"
        sweep = [
            f"    np.add({x}, tiny, {x}); np.subtract({x}, tiny, {x})"
            for x in dict.fromkeys(self.finished)
        ]
        return [f"if flush or ({unmoved}):", *sweep]


def _without_squares(stage: Stage, program: Program) -> list[Step]:
    """Drop products that are only summed: a dot product does both."""
    read = [s for later in program.stages for step in later.steps for s in step.sources]
    summed = [step.sources[0] for step in stage.sums]
    only = {name for name in summed if name not in read and name not in program.outputs}
    return [s for s in stage.steps if not (s.target in only and _is_product(s, program))]


def _is_product(step: Step, program: Program) -> bool:
    """Say whether a step multiplies two arrays."""
    numbers = [s for s in step.sources if is_literal(s) or s in program.scalar_names]
    return step.operator == "*" and not numbers


def _last_uses(steps: list[Step], stage: Stage) -> dict[str, int]:
    """Return after which step each name is read no more; what is summed lives to the end."""
    last = {source: n for n, step in enumerate(steps) for source in step.sources}
    made = {step.target: step for step in stage.steps}
    kept = {step.target for step in steps}
    for total in stage.sums:
        name = total.sources[0]
        for read in (name,) if name in kept or name not in made else made[name].sources:
            last[read] = len(steps)
    return last


def _took_root(x: Any, root: Any) -> bool:
    """Write the root of each element; say whether none was negative."""
    try:
        with np.errstate(invalid="raise"):
            np.sqrt(x, root)
    except FloatingPointError:
        return False
    return True


def source_of(program: Program, number: int) -> str:
    """Return the source of a stage, to be read."""
    return _Printer(program, number).print()


def _block(printer: _Printer, itemsize: int) -> int:
    """Return how many elements of all arrays and registers fit in the caches."""
    replaced = dict(zip(printer.program.places, printer.program.replaced, strict=True))
    arrays = {replaced.get(name, name) for name in printer.views}
    touched = len(arrays) + sum(printer.count.values())
    return max(_SMALLEST, WORKING_SET // itemsize // touched // _SMALLEST * _SMALLEST)


def prepare(program: Program, dtype: DType) -> Callable[..., bool]:
    """Return what computes a program: see `arraygrad.fusion.memory`."""
    # Of each stage what finds its scalars, its walk if it has one, and the names of its sums.
    stages: list[tuple[Any, Any, list[str]]] = []
    for n, stage in enumerate(program.stages):
        walk = _prepare_stage(program, n, dtype) if n in program.walks else None
        stages.append((program.scalar_functions[n], walk, [step.target for step in stage.sums]))
    places = [program.inputs.index(name) for name in program.replaced]
    kept = len(program.kept)

    def run(
        inputs: Sequence[Array], outs: Sequence[Array] | None, scalars: Mapping[str, Any]
    ) -> bool:
        """Run stage after stage."""
        outs = [inputs[n] for n in places] if outs is None else outs
        arrays = [*inputs, *outs, *between(kept, inputs[0].size, dtype)]
        known = dict(scalars)
        flush = known.get("step", 0) % _FLUSHED_EVERY == 0
        for find_scalars, walk, sums in stages:
            find_scalars(known)
            if walk is not None:
                totals = walk(arrays[0].size, arrays, known, flush)
                if totals:
                    known.update(zip(sums, totals, strict=True))
        return True

    return run


def _prepare_stage(program: Program, number: int, dtype: DType) -> Callable[..., list[float]]:
    """Return the function of a stage: `(size, arrays, known, flush)` to its sums."""
    printer = _Printer(program, number)
    source = printer.print()
    scope: dict[str, Any] = {"np": np, "took_root": _took_root}
    info = np.finfo(dtype)
    # What is added and subtracted again: what is left are multiples of two normal numbers.
    scope["tiny"] = np.asarray(2 * info.smallest_normal / info.eps, dtype)
    for literal, name in printer.literals.items():
        scope[name] = np.asarray(float(literal), dtype)
        # To a number greater than this, the root of the literal adds no more than rounding does.
        scope[f"far_above_{name}"] = abs(float(literal)) ** 0.5 * 2 / info.eps
    exec(compile(source, f"<fused {program.name}>", "exec"), scope)
    walk = scope["stage"]
    block = _block(printer, np.dtype(dtype).itemsize)
    numbers = _numbers(printer.stage, printer.numbers, dtype)
    local = threading.local()

    def scratch(name: str, size: int) -> Any:
        """Return a register, this thread's own."""
        registers = local.__dict__
        if name not in registers:
            registers[name] = np.empty(block, bool if name[0] == "b" else dtype)
        return registers[name]

    def run(size: int, arrays: list[Any], known: dict[str, float], flush: bool) -> list[float]:
        """Walk over all elements, in several threads where that pays."""

        if size <= block:
            whole: list[float] = walk(size, 0, size, block, arrays, numbers(known), scratch, flush)
            return whole

        def part(start: int, stop: int) -> list[float]:
            found: list[float] = walk(
                size, start, stop, block, arrays, numbers(known), scratch, flush
            )
            return found

        return split(part, size, block)

    return run


def _numbers(stage: Stage, names: Sequence[str], dtype: DType) -> Callable[..., Sequence[Any]]:
    """Return what gives the known numbers to a walk, conditions as truth values."""
    conditions = {step.sources[0] for step in stage.steps if step.operator == "where"}
    if not conditions.intersection(names):
        return Numbers(names, dtype).scalars
    kinds = [(name, bool if name in conditions else dtype) for name in names]
    return lambda known: [np.asarray(known[name], kind) for name, kind in kinds]
