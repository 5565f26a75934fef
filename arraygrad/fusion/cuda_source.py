"""A program as CUDA C++: one kernel for all leaves, and one before it for each stage of sums.

A block of threads serves one chunk of one leaf. It reads from a table where the arrays of that
leaf are, so that a thousand leaves need no more launches than one. A kernel of sums writes
nothing but one number for each chunk, in double precision; `finish` adds those of a leaf up, always
in the same order. The last kernel computes everything again and writes the outputs: it may write
over what it reads, for a thread reads all of an element before it writes.
"""

from collections.abc import Collection, Iterator

from arraygrad.expression import Step
from arraygrad.fusion.program import Program, is_literal, scalar_arguments

__all__ = ["FINISH", "SUMS", "THREADS", "TYPES", "UPDATE", "source_of"]

THREADS = 256
"""Threads of a block; a power of two."""

TYPES = {"e": ("__half", "float"), "f": ("float", "float"), "d": ("double", "double")}
"""How elements are stored and computed, by NumPy's letter for the dtype."""

UPDATE, SUMS, FINISH = "arraygrad_update", "arraygrad_sums{}", "arraygrad_finish"
"""What the kernels are called."""

_CALLS = {
    "abs": "fabs({0})",
    "astype": "({0} ? T(1) : T(0))",
    "maximum": "(({0} >= {1} || {0} != {0}) ? {0} : {1})",
    "minimum": "(({0} <= {1} || {0} != {0}) ? {0} : {1})",
    "negative": "(-{0})",
    "positive": "({0})",
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

_FINISH = f"""\
extern "C" __global__ void {FINISH}(
    const double* partials, double* totals, const long long* firsts,
    const long long chunks, const long long leaves) {{
  // The sum of the parts of leaf blockIdx.x; blockIdx.y tells which of several sums.
  __shared__ double held[THREADS];
  double total = 0;
  for (long long c = firsts[blockIdx.x] + threadIdx.x; c < firsts[blockIdx.x + 1]; c += THREADS)
    total += partials[blockIdx.y * chunks + c];
  total = block_sum(held, total);
  if (threadIdx.x == 0) totals[blockIdx.y * leaves + blockIdx.x] = total;
}}
"""

_BLOCK_SUM = """\
static __device__ double block_sum(double* held, double x) {
  held[threadIdx.x] = x;
  __syncthreads();
  for (int n = THREADS / 2; n > 0; n /= 2) {
    if (threadIdx.x < n) held[threadIdx.x] += held[threadIdx.x + n];
    __syncthreads();
  }
  x = held[0];
  __syncthreads();
  return x;
}
"""


def source_of(program: Program, letter: str, on_device: Collection[str] = ()) -> str:
    """Return the source of a program's kernels.

    Parameters
    ----------
    program : Program
        What to compute.
    letter : str
        NumPy's letter for the dtype of the arrays.
    on_device : collection of str
        The hyperparameters that are arrays: pointers to doubles. The scalars of the first stage
        are computed by each thread then, else on the host.
    """
    stored, computed = TYPES[letter]
    head = ["#include <cuda_fp16.h>"] if letter == "e" else []
    head += [f"#define THREADS {THREADS}", f"typedef {stored} S;", f"typedef {computed} T;"]
    last = len(program.stages) - 1
    parts = [_Kernel(program, n, on_device).print() for n in range(last + 1)]
    sums = [_BLOCK_SUM, _FINISH] if last else []
    return "\n".join([*head, "", *sums, *parts])


class _Kernel:
    """Prints the kernel of one stage; the last stage's writes the outputs."""

    def __init__(self, program: Program, number: int, on_device: Collection[str]) -> None:
        self.program, self.number, self.on_device = program, number, on_device
        self.stages = program.stages[: number + 1]
        self.final = number == len(program.stages) - 1
        self.arguments = scalar_arguments(program, on_device)
        self.sums = [s for stage in program.stages for s in stage.sums]

    def print(self) -> str:
        """Return the source."""
        name = UPDATE if self.final else SUMS.format(self.number)
        lines = [*self._signature(name), *map("  {}".format, self._body()), "}", ""]
        return "\n".join(lines)

    def _signature(self, name: str) -> list[str]:
        given = [
            f"const double{'*' if n in self.on_device else ''} {_name(n)}" for n in self.arguments
        ]
        results = [] if self.final else ["double* partials"]
        fixed = ["const long long* pointers", "const long long* places", "const long long chunks"]
        fixed += ["const long long leaves", "const double* totals"]
        return [
            f'extern "C" __global__ void {name}(',
            f"    {', '.join(fixed + results + given)}) {{",
        ]

    def _body(self) -> Iterator[str]:
        yield "const long long chunk = blockIdx.x, leaf = places[chunk];"
        yield "const long long start = places[chunks + chunk], stop = places[2 * chunks + chunk];"
        for n, name in enumerate(self.program.inputs):
            yield f"const S* in_{name} = (const S*)pointers[{n} * leaves + leaf];"
        yield from self._scalars()
        if self.final:
            for n in range(len(self.program.outputs)):
                place = len(self.program.inputs) + n
                yield f"S* to_{n} = (S*)pointers[{place} * leaves + leaf];"
            yield from self._walk([f"to_{n}[i] = S({_name(x)});" for n, x in self._outputs()])
            return
        mine = self.stages[-1].sums
        yield "__shared__ double held[THREADS];"
        yield from (f"double sum{n} = 0;" for n in range(len(mine)))
        yield from self._walk([f"sum{n} += {_name(s.sources[0])};" for n, s in enumerate(mine)])
        for n in range(len(mine)):
            yield f"sum{n} = block_sum(held, sum{n});"
            yield f"if (threadIdx.x == 0) partials[{n} * chunks + chunk] = sum{n};"

    def _outputs(self) -> Iterator[tuple[int, str]]:
        return enumerate(self.program.outputs)

    def _scalars(self) -> Iterator[str]:
        """Print what is computed once: of sums that are known, or of numbers on the device."""
        for n in sorted(self.on_device):
            yield f"const double value_{n} = *{_name(n)};"
        first = 0 if self.on_device else 1
        for number, stage in enumerate(self.stages):
            if number:
                for step in self.stages[number - 1].sums:
                    at = self.sums.index(step)
                    yield f"const double {_name(step.target)} = totals[{at} * leaves + leaf];"
            if number >= first:
                for step in stage.scalars:
                    sources = [self._scalar(s) for s in step.sources]
                    formula = _formula(step, sources).replace("T(", "double(")
                    yield f"const double {_name(step.target)} = {formula};"

    def _scalar(self, source: str) -> str:
        if is_literal(source):
            return f"double({source})"
        return f"value_{source}" if source in self.on_device else _name(source)

    def _walk(self, last: list[str]) -> Iterator[str]:
        yield "for (long long i = start + threadIdx.x; i < stop; i += THREADS) {"
        for name in self.program.inputs:
            yield f"  const T {_name(name)} = T(in_{name}[i]);"
        for stage in self.stages:
            for step in stage.steps:
                kind = "bool" if step.operator in _TRUTH else "T"
                formula = _formula(step, [self._operand(s) for s in step.sources])
                yield f"  const {kind} {_name(step.target)} = {formula};"
        yield from (f"  {line}" for line in last)
        yield "}"

    def _operand(self, source: str) -> str:
        """Spell an operand of a step: numbers are of the type in which is computed."""
        if is_literal(source):
            return f"T({source})"
        if source in self.on_device:
            return f"T(value_{source})"
        return f"T({_name(source)})" if source in self.program.scalar_names else _name(source)


def _name(name: str) -> str:
    """Spell a name of a program: none of C's, and none of ours."""
    return f"{name}_"


def _formula(step: Step, sources: list[str]) -> str:
    if step.operator == "**" and step.sources[1] in _POWERS:
        return _POWERS[step.sources[1]].format(*sources)
    if step.operator in _CALLS:
        return _CALLS[step.operator].format(*sources)
    if step.operator.isidentifier():
        return f"{step.operator}({', '.join(sources)})"
    return f"{sources[0]} {step.operator} {sources[1]}"
