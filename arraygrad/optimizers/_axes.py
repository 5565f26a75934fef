"""Optimizers that keep a matrix for each axis of each leaf."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace, device_of
from arraygrad._tree import unflatten
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.fusion import plain
from arraygrad.optimizers._checked import TreeOptimizer
from arraygrad.optimizers._hyperparameters import first_values
from arraygrad.optimizers._kernel_optimizer import Slot
from arraygrad.optimizers._protocol import Hyperparameter, State, checked_leaves
from arraygrad.optimizers._trees import slots_like

__all__ = ["AxesOptimizer", "Clock", "identity"]


def identity(xp: Namespace, w: Array, size: int, *, scale: float, diagonal: bool) -> Array:
    """Return a multiple of the identity, in the dtype of `w`; its diagonal is real."""
    if diagonal:
        real = xp.real(w).dtype if xp.isdtype(w.dtype, "complex floating") else w.dtype
        return xp.full((size,), scale, dtype=real, device=device_of(w))
    return scale * xp.eye(size, dtype=w.dtype, device=device_of(w))


class Clock(NamedTuple):
    """Where a step is: numbers, or 0-d arrays in a trace.

    Attributes
    ----------
    done
        0 in the first step.
    phase
        0 when matrices are renewed.
    """

    done: Any
    phase: Any


class AxesOptimizer(TreeOptimizer):
    """An optimizer whose kernel takes matrices for some axes of a leaf.

    Parameters
    ----------
    name : str
        The algorithm's name, for messages.
    kernel : callable
        Like those of `KernelOptimizer`; after the slots it takes the matrices of the axes, and
        returns them last. It knows `axes`.
    slots : mapping of str to callable
        How slots like the parameters start.
    matrices : mapping of str to callable
        How the matrices of a leaf start: `(xp, w)` to a tuple with one for each axis.
    axes_of : callable
        From a leaf to the axes that have matrices.
    scalars : callable
        From the hyperparameters, the step's number and its clock to the kernel's keyword
        arguments.
    frequency : int
        Every how many steps matrices are renewed.
    """

    takes = frozenset({"refresh"})

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        *,
        slots: Mapping[str, Slot],
        matrices: Mapping[str, Callable[[Namespace, Array], tuple[Array, ...]]],
        axes_of: Callable[[Array], tuple[int, ...]],
        scalars: Callable[[dict[str, Any], Any, "Clock"], dict[str, Any]],
        hyperparameters: Mapping[str, Hyperparameter],
        frequency: int,
    ) -> None:
        self.name, self._kernel, self._axes_of = name, kernel, axes_of
        self._slots, self._matrices = slots, matrices
        self._scalars, self._hyperparameters = scalars, hyperparameters
        self._frequency = frequency

    def init(self, params: Tree, /) -> State:
        """Return the state before the first step."""
        leaves, treedef = checked_leaves(params, "params")
        starts = {**self._slots, **self._matrices}
        slots = {
            name: unflatten(treedef, [start(array_namespace(w), w) for w in leaves])
            for name, start in starts.items()
        }
        return State(0, first_values(self._hyperparameters), slots)

    def _run(
        self,
        grads: Tree,
        state: State,
        params: Tree | None,
        *,
        add: bool,
        refresh: bool | str | None = None,
        **extra: Any,
    ) -> tuple[Tree, State]:
        """Return updates, or with `add` new parameters, and the next state.

        `refresh` says whether matrices are renewed in this step, instead of their frequency, or
        that this is the `"first"` step.
        """
        weights, gradients, treedef = self._checked(params, grads)
        kept = self._current(state)
        scalars = self._scalars(kept, state.count + 1, self._clock(state.count, refresh))
        names = (*self._slots, *self._matrices)
        slots = slots_like(treedef, state, names, weights).values()
        rows = []
        for w, g, *parts in zip(weights, gradients, *slots, strict=True):
            axes = self._axes_of(w)
            taken = [x for part in parts for x in (part if isinstance(part, tuple) else (part,))]
            kernel = functools.partial(self._kernel, axes=axes)
            rows.append((len(axes), plain.leaf(kernel, (w, g, *taken), scalars, add=add)))
        updates = unflatten(treedef, [row[0] for _, row in rows])
        return updates, State(state.count + 1, kept, self._stored(treedef, rows))

    def _clock(self, count: Any, refresh: bool | str | None) -> "Clock":
        """Return where this step is, of the counter or of the caller's word."""
        if refresh is None:
            return Clock(count, count % self._frequency)
        return Clock(int(refresh != "first"), int(not refresh))

    def _stored(self, treedef: Any, rows: list[tuple[int, Any]]) -> dict[str, Tree]:
        """Return the slots of all leaves: an array for each, or a tuple of one for each axis."""
        slots = {
            name: unflatten(treedef, [row[1 + n] for _, row in rows])
            for n, name in enumerate(self._slots)
        }
        first = 1 + len(self._slots)
        for n, name in enumerate(self._matrices):
            parts = [row[first + n * size : first + (n + 1) * size] for size, row in rows]
            slots[name] = unflatten(treedef, parts)
        return slots
