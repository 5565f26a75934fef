"""What numba compiles: a program's loops, printed as a module of Python.

What is made of numbers alone is compiled too, and so is a look at whether memories cross: in
Python that takes longer than the loop over ten thousand elements.
"""

from collections.abc import Sequence
from itertools import chain, combinations

from arraygrad._typing import DType
from arraygrad.expression import Step
from arraygrad.fusion.program import Program, is_literal

__all__ = ["source_of"]

_BLOCK = 1024
"""Elements whose sum is taken in their own dtype; the sums of blocks are added in double precision:
of many numbers, a sum in single precision soon takes up no more."""

_CALLS = {
    "abs": "abs({0})",
    "astype": "{kind}(1.0 if {0} else 0.0)",
    "maximum": "({0} if {0} >= {1} or {0} != {0} else {1})",
    "minimum": "({0} if {0} <= {1} or {0} != {0} else {1})",
    "negative": "(-{0})",
    "positive": "({0})",
    "sign": "({0} if {0} != {0} else {kind}(1.0 if {0} > 0 else (-1.0 if {0} < 0 else 0.0)))",
    "square": "({0} * {0})",
    "where": "({1} if {0} else {2})",
    "&": "({0} and {1})",
    "|": "({0} or {1})",
    "~": "(not {0})",
}
# With a number, which is no NaN, each is a single instruction.
_BOUNDS = {
    "maximum": "({1} if {0} < {1} else {0})",
    "minimum": "({1} if {0} > {1} else {0})",
}
_POWERS = {"2": "({0} * {0})", "2.0": "({0} * {0})", "0.5": "sqrt({0})"}


def source_of(program: Program, dtype: DType, *, in_place: bool, parallel: bool) -> str:
    """Return the module whose `run` computes a program: `(numbers, *arrays)` to whether it did.

    In place, outputs are named as what they replace: of two arrays in one memory the compiler
    would not know that they never cross, and compute element by element. A module for several
    threads is one of its own, for numba would find the one's machine code for the other.
    """
    printed = _Printer(program, in_place)
    settings = f"parallel={parallel}, **flags"
    each = "numba.prange" if parallel else "range"
    stages = [printed.stage(number, settings, each) for number in program.walks]
    lines = [
        f'"""{program.name}: printed by arraygrad.fusion.loop_source."""',
        "from math import exp, expm1, log, log1p, sqrt, tanh",
        "import numba",
        f"from numpy import empty, finfo, {dtype} as real",
        "tiny = finfo(real).smallest_normal",
        'flags = {"cache": True, "nogil": True, "error_model": "numpy"}',
        *(_LOOK.splitlines() if in_place else ()),
        *(_SUMS.splitlines() if any(stage.sums for stage in program.stages) else ()),
        *(line for stage in stages for line in ("", "", *stage)),
        "",
        "",
        *printed.run(),
        "",
    ]
    return "\n".join(lines)


class _Printer:
    """Prints the functions of a program."""

    def __init__(self, program: Program, in_place: bool) -> None:
        self.program, self.in_place = program, in_place

    def arrays(self) -> list[str]:
        """Return the names of the arrays that `run` takes, in their order."""
        program = self.program
        return [*program.inputs, *(() if self.in_place else program.places), *program.kept]

    def writes(self, number: int) -> dict[str, str]:
        """Return what a stage writes: for each array the expression of an element."""
        found = _writes(self.program, number)
        old = dict(zip(self.program.places, self.program.replaced, strict=True))
        return {old.get(a, a): value for a, value in found.items()} if self.in_place else found

    def operands(self, number: int) -> tuple[list[str], list[str], list[str]]:
        """Return what a stage takes: numbers, arrays that it reads, and arrays that it does not."""
        stage, writes = self.program.stages[number], self.writes(number)
        outputs = self.program.outputs
        handed = [output for output in outputs if output in self.program.inputs and writes]
        names = stage.sources.union(handed).difference(stage.targets)
        names = frozenset(name for name in names if not is_literal(name))
        numbers = names & self.program.scalar_names
        read = sorted(names - numbers)
        return sorted(numbers), read, [a for a in writes if a not in read]

    def stage(self, number: int, settings: str, each: str) -> list[str]:
        """Print the loop of a stage; it returns the totals of its sums."""
        stage, writes = self.program.stages[number], self.writes(number)
        numbers, read, unread = self.operands(number)
        arrays = [*read, *unread]
        held = "block" if stage.sums else "array"
        body = [f"{a} = {a}_{held}[i]" for a in read]
        body += [f"{step.target} = {_spelt(step, 'real')}" for step in stage.steps]
        body += [f"{array}_{held}[i] = {value}" for array, value in writes.items()]
        if stage.sums:
            lines = self.blocks(number, body, arrays, each)
        else:
            lines = [f"for i in {each}(size):", *_indented(body or ["pass"])]
        parameters = ", ".join(["size", *numbers, *(f"{a}_array" for a in arrays)])
        return [f"@numba.njit({settings})", f"def stage{number}({parameters}):", *_indented(lines)]

    def blocks(self, number: int, body: list[str], arrays: list[str], each: str) -> list[str]:
        """Print the loop of a stage with sums, block by block.

        What is summed of a block is summed behind the loop that computes it, in a function of its
        own: sums may be taken in any order, several elements at once; all else rounds as it does
        elsewhere.
        """
        stage, written = self.program.stages[number], self.writes(number)
        steady = {a for a in arrays if a not in written or a in self.program.kept}
        lines = [f"start, stop = block * {_BLOCK}, min((block + 1) * {_BLOCK}, size)"]
        lines += [f"{a}_block = {a}_array[start:stop]" for a in arrays]
        totals, loop = [], list(body)
        for n, step in enumerate(stage.sums):
            factors = _factors(step.sources[0], stage.steps)
            given = [f"{a}_block" for a in factors]
            if not steady.issuperset(factors):  # no array holds what is summed
                given = [f"term{n}"]
                lines.append(f"term{n} = empty(stop - start, real)")
                loop.append(f"term{n}[i] = {step.sources[0]}")
            function = "dotted" if len(given) == 2 else "added"
            totals.append(f"total{n} += {function}({', '.join(given)})")
        if written or len(loop) > len(body):
            lines += ["for i in range(stop - start):", *_indented(loop)]
        return [
            *(f"total{n} = 0.0" for n in range(len(totals))),
            f"for block in {each}(-(-size // {_BLOCK})):",
            *_indented([*lines, *totals]),
            f"return {' '.join(f'total{n},' for n in range(len(totals)))}",
        ]

    def run(self) -> list[str]:
        """Print the function that finds the numbers, and runs one stage after another."""
        program = self.program
        body = self.look() if self.in_place else []
        body += [f"size = {program.inputs[0]}_array.size"]
        body += [f"{name} = numbers[{n}]" for n, name in enumerate(program.numbers)]
        for number, stage in enumerate(program.stages):
            body += [f"{step.target} = {_spelt(step, 'float')}" for step in stage.scalars]
            if number in program.walks:
                numbers, *arrays = self.operands(number)
                given = [f"real({name})" for name in numbers]
                given += [f"{a}_array" for a in chain(*arrays)]
                totals = "".join(f"{step.target}, " for step in stage.sums)
                totals = f"{totals}= " if totals else ""
                body.append(f"{totals}stage{number}({', '.join(['size', *given])})")
        parameters = ", ".join(["numbers", *(f"{a}_array" for a in self.arrays())])
        return [
            "@numba.njit(**flags)",
            f"def run({parameters}):",
            *_indented([*body, "return True"]),
        ]

    def look(self) -> list[str]:
        """Print what finds memory that is written crossing other memory that is read or written."""
        written = {*self.program.replaced}
        pairs = [
            pair for pair in combinations(self.program.inputs, 2) if written.intersection(pair)
        ]
        crossing = " or ".join(f"cross({x}_array, {y}_array)" for x, y in pairs)
        return [f"if {crossing}:", "    return False"] if pairs else []


def _factors(name: str, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the two factors of a product, or what is none itself."""
    made = next((step for step in steps if step.target == name), None)
    if made is None or made.operator not in ("*", "square"):
        return (name,)
    return (*made.sources, *made.sources)[:2]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


_SUMS = """

@numba.njit(fastmath={"reassoc", "nsz"}, **flags)
def added(x):
    total = real(0.0)
    for i in range(x.size):
        total += x[i]
    return float(total)


@numba.njit(fastmath={"reassoc", "nsz"}, **flags)
def dotted(x, y):
    total = real(0.0)
    for i in range(x.size):
        total += x[i] * y[i]
    return float(total)
"""
"""How the elements of a block are added up."""

_LOOK = """
@numba.njit(**flags)
def ends(x):
    first, last = x.ctypes.data, x.ctypes.data + (x.size - 1) * x.strides[0]
    return min(first, last), max(first, last) + x.itemsize


@numba.njit(**flags)
def cross(x, y):
    (low, high), (start, stop) = ends(x), ends(y)
    return x.size > 0 and low < stop and start < high
"""
"""How `run` sees whether two flat arrays of a size cross."""


def _writes(program: Program, number: int) -> dict[str, str]:
    """Return what a stage writes: for each array the expression of an element."""
    stage = program.stages[number]
    final = number == len(program.stages) - 1
    found = {name: name for name in program.kept if name in stage.targets}
    for n, output in enumerate(program.outputs):
        late = output in program.late
        if (output in stage.targets and not late) or (final and (late or output in program.inputs)):
            # A moment that has become denormal slows all arithmetic down: it is zero.
            zero = f"(real(0.0) if abs({output}) < tiny else {output})"
            found[f"out{n}"] = zero if n else output
    return found


def _spelt(step: Step, kind: str) -> str:
    """Spell a step on elements (`kind` is "real", their dtype) or on numbers ("float")."""
    sources = [f"{kind}({s})" if is_literal(s) else s for s in step.sources]
    if step.operator == "**" and step.sources[1] in _POWERS:
        return _POWERS[step.sources[1]].format(*sources)
    if step.operator in _BOUNDS and is_literal(step.sources[1]):
        return _BOUNDS[step.operator].format(*sources)
    if step.operator in _CALLS:
        return _CALLS[step.operator].format(*sources, kind=kind)
    if step.operator.isidentifier():
        return f"{kind}({step.operator}({', '.join(sources)}))"
    return f"{sources[0]} {step.operator} {sources[1]}"
