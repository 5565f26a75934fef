"""numba, where it is installed: each stage is one compiled loop over the elements.

The loop is printed to a file in a folder of its own, so that numba can keep the machine code on
disk from one process to the next.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from arraygrad._typing import DType
from arraygrad.expression import Step
from arraygrad.fusion.numbers import Numbers
from arraygrad.fusion.program import Program, is_literal
from arraygrad.fusion.threads import thread_count

__all__ = ["available", "prepare", "source_of"]

_SERIAL_BELOW = 65_536
"""Elements: below, waking other threads costs more than they save."""

_CALLS = {
    "abs": "abs({0})",
    "astype": "real(1.0 if {0} else 0.0)",
    "maximum": "({0} if {0} >= {1} or {0} != {0} else {1})",
    "minimum": "({0} if {0} <= {1} or {0} != {0} else {1})",
    "negative": "(-{0})",
    "positive": "({0})",
    "sign": "({0} if {0} != {0} else real(1.0 if {0} > 0 else (-1.0 if {0} < 0 else 0.0)))",
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


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def source_of(program: Program, number: int, dtype: str, *, in_place: bool, parallel: bool) -> str:
    """Return the module that holds a stage's loop.

    In place, outputs are named as what they replace: of two arrays in one memory the compiler
    would not know that they never cross, and compute element by element. A loop for several
    threads is in a module of its own, for numba would find the one's machine code for the other.
    """
    stage = program.stages[number]
    made = stage.targets
    scalars = _scalars(program, number)
    writes = _writes(program, number)
    handed = [output for output in program.outputs if output in program.inputs and writes]
    read = stage.sources.union(handed).difference(made, scalars)
    arrays = sorted(name for name in read if not is_literal(name))
    if in_place:
        old = {f"out{n}": name for n, name in enumerate(program.replaced)}
        writes = {old.get(array, array): value for array, value in writes.items()}
    extra = [a for a in writes if a not in arrays]
    parameters = ", ".join(["size", "numbers", *(f"{a}_array" for a in (*arrays, *extra))])
    body = [f"{a} = {a}_array[i]" for a in arrays]
    body += [f"{step.target} = {_spelt(step)}" for step in stage.steps]
    body += [f"{array}_array[i] = {value}" for array, value in writes.items()]
    sums = range(len(stage.sums))
    # In double precision: of many numbers, a sum in single precision soon takes up no more.
    body += [f"total{n} += float({stage.sums[n].sources[0]})" for n in sums]
    totals = ", ".join(f"total{n}" for n in sums)
    # Sums may be taken in any order: several elements at once. Else every operation rounds.
    freedom = '{"reassoc", "nsz"}' if stage.sums else "False"
    lines = [
        f'"""{program.name}, stage {number}: printed by arraygrad.fusion.loop."""',
        "from math import exp, expm1, log, log1p, sqrt, tanh",
        "import numba",
        f"from numpy import finfo, {dtype} as real",
        "tiny = finfo(real).smallest_normal",
        "",
        f"def stage({parameters}):",
        *(f"    {name} = numbers[{n}]" for n, name in enumerate(scalars)),
        *(f"    total{n} = 0.0" for n in sums),
        f"    for i in {'numba.prange' if parallel else 'range'}(size):",
        *(f"        {line}" for line in body or ["pass"]),
        f"    return [{totals}]" if stage.sums else "    return None",
        "",
        f'flags = {{"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {freedom}}}',
        f"stage = numba.njit(parallel={parallel}, **flags)(stage)",
        f"arrays = {[program.arrays.index(name) for name in (*arrays, *extra)]!r}",
        "",
    ]
    return "\n".join(lines)


def _scalars(program: Program, number: int) -> list[str]:
    """Return the names of the numbers that a stage reads."""
    return sorted(program.stages[number].sources & program.scalar_names)


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


def _spelt(step: Step) -> str:
    sources = [f"real({s})" if is_literal(s) else s for s in step.sources]
    if step.operator == "**" and step.sources[1] in _POWERS:
        return _POWERS[step.sources[1]].format(*sources)
    if step.operator in _BOUNDS and is_literal(step.sources[1]):
        return _BOUNDS[step.operator].format(*sources)
    if step.operator in _CALLS:
        return _CALLS[step.operator].format(*sources)
    if step.operator.isidentifier():
        return f"real({step.operator}({', '.join(sources)}))"
    return f"{sources[0]} {step.operator} {sources[1]}"


def prepare(program: Program, number: int, dtype: DType) -> Callable[..., list[float]]:
    """Return the function of a stage: `(size, arrays, known, flush)` to its sums."""
    import numba

    @lru_cache(maxsize=4)
    def compiled(in_place: bool, parallel: bool) -> tuple[Any, Any]:
        source = source_of(program, number, str(dtype), in_place=in_place, parallel=parallel)
        module = _loaded(source, f"{program.name}_{number}_{dtype}")
        return module.stage, itemgetter(*module.arrays, 0)  # of one place it would make no tuple

    # Asking `numba.get_num_threads()` would start its threads, and with them change torch's number.
    settings: Any = numba.config
    threads = min(thread_count(), settings.NUMBA_NUM_THREADS)
    numbers = Numbers(_scalars(program, number), dtype)
    first_out = len(program.inputs)
    replaced = program.inputs.index(program.replaced[0])

    def run(size: int, arrays: list[Any], known: dict[str, float], flush: bool) -> list[float]:
        """Run the loop, on several threads where that pays."""
        parallel = size >= _SERIAL_BELOW and threads > 1
        stage, take = compiled(arrays[first_out] is arrays[replaced], parallel)
        if parallel:
            numba.set_num_threads(threads)
        *operands, _ = take(arrays)
        return stage(size, numbers.array(known), *operands) or []

    return run


def _loaded(source: str, name: str) -> Any:
    """Return the module of a source, from the folder where numba finds its machine code again."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    path = _folder() / f"fused_{name}_{digest}.py"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(source)
        os.replace(file.name, path)  # at once: other processes may be looking
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Return the folder of the printed loops: `ARRAYGRAD_CACHE_DIR`, else the user's cache."""
    given = os.environ.get("ARRAYGRAD_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(given) if given else home / "arraygrad"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:  # read-only: for this process alone
        return Path(tempfile.mkdtemp(prefix="arraygrad"))
