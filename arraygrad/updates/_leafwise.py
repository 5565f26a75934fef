"""Run a kernel on every leaf of some trees: align and check what goes in, fit what comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from arraygrad import fusion
from arraygrad._out import write_out
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.autodiff import stop_gradient
from arraygrad.updates._align import Alignment
from arraygrad.updates._leaf import Leaf

__all__ = ["Result", "descend", "descend_with_moments", "leafwise"]

Kernel: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Result:
    """One of the trees that an update returns."""

    replaces: str
    """The argument whose dtype it has."""

    spans: Sequence[str]
    """The arguments that it is made of: it is as full a tree as the fullest of these."""


def leafwise(
    kernel: Kernel,
    arrays: Mapping[str, Tree],
    hyperparameters: Mapping[str, Tree],
    results: Sequence[Result],
    *,
    stop_gradients: bool,
    out: Tree | None,
) -> tuple[Tree, ...]:
    """Return the trees of `kernel(xp, *arrays, **hyperparameters)`; `out` takes the first."""
    alignment = Alignment({**arrays, **hyperparameters})
    leaves = [Leaf(path, row, list(arrays)) for path, row in alignment.rows()]
    values = [_run(kernel, leaf, results, stop_gradients) for leaf in leaves]
    first, *others = (
        alignment.rebuild([value[i] for value in values], result.spans)
        for i, result in enumerate(results)
    )
    return (first if out is None else write_out(out, first), *others)


def descend(
    kernel: Kernel, arrays: dict[str, Tree], rates: dict[str, Tree], stop_gradients: bool, out: Tree
) -> Tree:
    """Add the update of a kernel without a state to the weights."""
    results = [Result("w", [*arrays, *rates])]
    (w,) = leafwise(_fused(kernel), arrays, rates, results, stop_gradients=stop_gradients, out=out)
    return w


def descend_with_moments(
    kernel: Kernel, arrays: dict[str, Tree], rates: dict[str, Tree], stop_gradients: bool, out: Tree
) -> tuple[Tree, Tree, Tree]:
    """Add the update of a kernel with two moments to the weights; return the moments too."""
    results = [
        Result("w", [*arrays, *rates]),
        Result("mw_tm1", ["mw_tm1", "dcdw", "beta1"]),
        Result("vw_tm1", ["vw_tm1", "dcdw", "beta2"]),
    ]
    run = _fused(kernel)
    w, m, v = leafwise(run, arrays, rates, results, stop_gradients=stop_gradients, out=out)
    return w, m, v


_KERNELS_NAMES = {"lr": "learning_rate", "decay_lambda": "weight_decay"}
"""What kernels call the page's hyperparameters."""


def _fused(kernel: Kernel) -> Kernel:
    """Return what adds a kernel's update to the weights, as quickly as their library allows."""

    def run(xp: Namespace, w: Array, g: Array, *rest: Array, **rates: Any) -> list[Array]:
        columns = [[x] for x in (w, g, *rest)]
        scalars = {_KERNELS_NAMES.get(name, name): rate for name, rate in rates.items()}
        return [x for (x,) in fusion.evaluate(kernel, columns, scalars, slots=len(rest))]

    return run


def _run(
    kernel: Kernel, leaf: Leaf, results: Sequence[Result], stop_gradients: bool
) -> list[Array]:
    """Return the kernel's results for one leaf."""
    leaf.check_results([r.replaces for r in results])
    values = kernel(leaf.xp, *leaf.operands(), **leaf.rates())
    fitted = [leaf.fit(x, like=r.replaces) for x, r in zip(values, results, strict=True)]
    return [stop_gradient(x) for x in fitted] if stop_gradients else fitted
