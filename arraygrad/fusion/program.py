"""What a kernel becomes when it is traced: stages of elementwise steps, between them scalars.

A step is scalar if no array enters it: it is computed once, with Python numbers. A sum over all
elements ends a stage, for nothing that depends on it can start before it is known.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from arraygrad._numbers import NUMBERS
from arraygrad.expression import Step

__all__ = ["Program", "Stage", "is_literal", "scalar_arguments"]


def is_literal(name: str) -> bool:
    """Say whether a source is a number, not a name."""
    return not name.isidentifier()


@dataclass(frozen=True)
class Stage:
    """What is computed in one walk over the elements."""

    scalars: tuple[Step, ...]
    """Computed first, of numbers."""

    steps: tuple[Step, ...]
    """Computed for each element."""

    sums: tuple[Step, ...]
    """Taken of results of the steps, or of inputs."""

    @cached_property
    def sources(self) -> frozenset[str]:
        """All names that the walk reads."""
        return frozenset(source for step in (*self.steps, *self.sums) for source in step.sources)

    @cached_property
    def targets(self) -> frozenset[str]:
        """What the walk makes for each element."""
        return frozenset(step.target for step in self.steps)


@dataclass(frozen=True, eq=False)
class Program:
    """A traced kernel."""

    name: str
    inputs: tuple[str, ...]
    """The arrays: parameter, gradient, slots, and what else the kernel takes."""

    hyperparameters: tuple[str, ...]
    stages: tuple[Stage, ...]

    outputs: tuple[str, ...]
    """What holds the new parameter, or the update, and each new slot."""

    replaced: tuple[str, ...]
    """The inputs whose places the outputs take."""

    @cached_property
    def places(self) -> tuple[str, ...]:
        """What the arrays that take the outputs are called."""
        return tuple(f"out{n}" for n in range(len(self.outputs)))

    @cached_property
    def arrays(self) -> tuple[str, ...]:
        """What all arrays are called: those given, those that take the outputs, those between."""
        return (*self.inputs, *self.places, *self.kept)

    @cached_property
    def scalar_names(self) -> frozenset[str]:
        """The names that stand for one number."""
        made = (s.target for stage in self.stages for s in (*stage.scalars, *stage.sums))
        return frozenset((*self.hyperparameters, *made))

    @cached_property
    def walks(self) -> tuple[int, ...]:
        """The stages that look at elements; the last one does, to hand on what is left."""
        last = len(self.stages) - 1
        return tuple(n for n, s in enumerate(self.stages) if s.steps or s.sums or n == last)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The hyperparameters that anything reads."""
        steps = [s for st in self.stages for s in (*st.scalars, *st.steps, *st.sums)]
        read = {source for step in steps for source in step.sources}
        return tuple(name for name in self.hyperparameters if name in read)

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The names of full-size results that a later stage reads, or that are written last."""
        found = dict.fromkeys(
            name
            for n, stage in enumerate(self.stages)
            for name in sorted(stage.targets)
            if any(name in later.sources for later in self.stages[n + 1 :])
        )
        found.update(dict.fromkeys(self.late))
        return tuple(found)

    @cached_property
    def late(self) -> tuple[str, ...]:
        """The outputs that must wait, because a later stage still reads what they replace."""
        return tuple(
            output
            for output, old in zip(self.outputs, self.replaced, strict=True)
            for n, stage in enumerate(self.stages)
            if output in stage.targets and any(old in s.sources for s in self.stages[n + 1 :])
        )

    @cached_property
    def scalar_functions(self) -> tuple[Callable[[dict[str, float]], None], ...]:
        """For each stage, what adds its scalars to those that are known, if anybody reads them."""
        read = [stage.sources for stage in self.stages]
        later = [frozenset(x for s in stage.scalars for x in s.sources) for stage in self.stages]
        return tuple(
            _compiled(stage.scalars, frozenset().union(*read, *later[n + 1 :]))
            for n, stage in enumerate(self.stages)
        )


def scalar_arguments(program: Program, on_device: Collection[str] = ()) -> list[str]:
    """Return the names of the scalars that compiled walks are given, in their order.

    The scalars of the first stage are computed before, but for those `on_device`.
    """
    if on_device:
        return list(program.hyperparameters)
    read = {s for stage in program.stages for s in stage.sources}
    read.update(s for st in program.stages[1:] for step in st.scalars for s in step.sources)
    made = {step.target for step in program.stages[0].scalars}
    return sorted(n for n in read if n in made or n in program.hyperparameters)


_FUNCTIONS = {"/": "divide", "**": "pow"}


def _compiled(steps: tuple[Step, ...], read: frozenset[str]) -> Callable[[dict[str, float]], None]:
    """Print scalar steps as one function of the known scalars, to which it adds those read."""
    made = {step.target for step in steps}
    names = sorted(
        {s for step in steps for s in step.sources if not is_literal(s) and s not in made}
    )
    lines = [f"    {name} = known[{name!r}]" for name in names]
    lines += [f"    {s.target} = {_spelt(s)}" for s in steps]
    lines += [f"    known[{s.target!r}] = {s.target}" for s in steps if s.target in read]
    source = "\n".join(["def function(known):", *(lines or ["    pass"])])
    called = {_FUNCTIONS.get(step.operator, step.operator) for step in steps}
    scope: dict[str, Any] = {f"N_{f}": getattr(NUMBERS, f) for f in called if hasattr(NUMBERS, f)}
    exec(compile(source, "<scalars of a kernel>", "exec"), scope)
    function: Callable[[dict[str, float]], None] = scope["function"]
    return function


def _spelt(step: Step) -> str:
    """Spell a scalar step in Python."""
    function = _FUNCTIONS.get(step.operator, step.operator)
    if step.operator == "negative":
        return f"-{step.sources[0]}"
    if step.operator == "~":
        return f"(not {step.sources[0]})"
    if function.isidentifier():
        return f"N_{function}({', '.join(step.sources)})"
    return f"{step.sources[0]} {step.operator} {step.sources[1]}"
