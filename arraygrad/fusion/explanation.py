"""What will run, when a kernel meets certain arrays: text to be read."""

import inspect
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from arraygrad._namespace import array_namespace, is_array, library_name
from arraygrad._typing import Array
from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.expression import Step
from arraygrad.fusion import blocked, leaf, loop, memory
from arraygrad.fusion.program import Program
from arraygrad.fusion.switch import chosen, executor_of
from arraygrad.libraries import library_of

__all__ = ["explain"]


def explain(kernel: Any, *arrays: Array) -> str:
    """Say how a kernel runs on some arrays.

    Parameters
    ----------
    kernel : callable or KernelOptimizer
        A formula `kernel(xp, w, g, *slots, **hyperparameters)`, or an optimizer that has one.
    *arrays : array
        What it is given: the parameter, its gradient, the slots in their order. With an
        optimizer the parameter is enough: gradient and slots are like it.

    Returns
    -------
    str
        The executor and why; then, if the kernel is fused, its stages: the scalars that are
        computed once, the steps for each element, the sums; and the code that was printed.

    Raises
    ------
    HyperparameterError
        If it is given neither, such as a chain or `lookahead`: explain their members.
    StructureError
        If an argument is no array, such as a tree, or there are too few or too many.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.fusion import explain, use_executor
    >>> from arraygrad.kernels.sgd import sgd
    >>> with use_executor("blocked"):
    ...     print(explain(sgd, np.ones(3), np.ones(3)))
    sgd on numpy, float64, 3 elements: cache-blocked NumPy
    stage 0
      once          t0 = -learning_rate
      each element  t1 = t0 * g
      each element  t2 = w + t1
      out           w <- t2
    """
    _check_arrays(arrays)
    example = getattr(kernel, "example", None)
    if example is not None:  # an optimizer
        arrays = tuple(example(*arrays)) if len(arrays) == 1 else arrays
        kernel = kernel.kernel
    _check_kernel(kernel, len(arrays))
    return "\n".join(_lines(kernel, arrays))


def _check_arrays(arrays: tuple[Any, ...]) -> None:
    if not arrays:
        message = "explain() needs arrays: the parameter at least"
        raise StructureError(message)
    for x in arrays:
        if not is_array(x):
            message = f"explain() takes arrays, got {type(x).__name__}: pass one leaf of a tree"
            raise StructureError(message)


def _check_kernel(kernel: Any, count: int) -> None:
    """Refuse what is no formula `kernel(xp, w, g, ...)` of so many arrays."""
    names = _positional(kernel) if callable(kernel) else []
    if len(names) < 3:
        message = (
            "explain() takes a kernel(xp, w, g, ...), or an optimizer that has one: explain the "
            f"members of others one by one; got {kernel!r}"
        )
        raise HyperparameterError(message)
    if count != len(names) - 1:
        message = f"this kernel takes the arrays {', '.join(names[1:])}, got {count} arrays"
        raise StructureError(message)


def _lines(kernel: Callable[..., Any], arrays: tuple[Array, ...]) -> Iterator[str]:
    w = arrays[0]
    xp = array_namespace(w)
    name = getattr(kernel, "__name__", repr(kernel))
    head = f"{name} on {library_name(xp)}, {w.dtype}, {prod(w.shape)} elements: "
    slots = _slots(kernel, arrays)
    if chosen() == "plain":
        yield head + "the plain expression, as was asked for"
        return
    executor = executor_of(library_of(xp))
    if executor != "host":
        yield head + _OTHERS[executor]
        return
    views = leaf.views_of(arrays, slots)
    program = leaf.program_for(kernel, w, len(arrays), slots, True)
    if views is None or program is None:
        reason = "not elementwise" if program is None else "arrays that cannot be fused"
        yield head + f"the plain expression ({reason})"
        return
    yield head + _HOSTS[memory.executor(views[0].size)]
    yield from _stages(program)


_OTHERS = {
    "cupy": "one CUDA kernel for all leaves of a dtype, two more before it for sums",
    "jax": "jax.jit, all leaves at once",
    "plain": "the plain expression",
    "torch": "torch.compile, all leaves of a dtype and device at once",
}
_HOSTS = {blocked: "cache-blocked NumPy", loop: "a loop compiled by numba"}


def _slots(kernel: Callable[..., Any], arrays: tuple[Array, ...]) -> int:
    """Return how many slots there are: positional arrays after parameter and gradient."""
    return min(len(_positional(kernel)) - 1, len(arrays)) - 2


def _positional(kernel: Callable[..., Any]) -> list[str]:
    """Return the names of a kernel's positional parameters."""
    try:
        parameters = inspect.signature(kernel).parameters.values()
    except ValueError:  # some in C do not tell
        return []
    return [x.name for x in parameters if x.kind is not x.KEYWORD_ONLY]


def _stages(program: Program) -> Iterator[str]:
    for n, stage in enumerate(program.stages):
        yield f"stage {n}"
        yield from (f"  once          {_spelt(step)}" for step in stage.scalars)
        yield from (f"  each element  {_spelt(step)}" for step in stage.steps)
        yield from (f"  total         {_spelt(step)}" for step in stage.sums)
        for old, new in zip(program.replaced, program.outputs, strict=True):
            if new in stage.targets:
                yield f"  out           {old} <- {new}"


def _spelt(step: Step) -> str:
    if step.operator == "negative":
        return f"{step.target} = -{step.sources[0]}"
    if step.operator.isidentifier():
        return f"{step.target} = {step.operator}({', '.join(step.sources)})"
    return f"{step.target} = {f' {step.operator} '.join(step.sources)}"
