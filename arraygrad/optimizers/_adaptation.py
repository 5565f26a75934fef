"""What Prodigy and D-Adaptation share: they estimate the distance from the start to the minimum."""

from collections.abc import Mapping
from typing import Any

from arraygrad import fusion
from arraygrad._namespace import array_namespace
from arraygrad._tree import unflatten
from arraygrad._typing import Array, Tree
from arraygrad.kernels import adaptation as kernels
from arraygrad.optimizers._checked import TreeOptimizer
from arraygrad.optimizers._hyperparameters import first_values
from arraygrad.optimizers._kernel_optimizer import Slot
from arraygrad.optimizers._protocol import Hyperparameter, State, checked_leaves
from arraygrad.optimizers._sums import lifted, scalar_like, summed, wide_scalars, zero_d
from arraygrad.optimizers._trees import slots_like, slots_of

__all__ = ["Columns", "DistanceOptimizer"]

Columns = dict[str, list[Array]]


class DistanceOptimizer(TreeOptimizer):
    """An optimizer with an Adam step whose rate is multiplied by a distance.

    Subclasses say how the distance is estimated, and run the step.
    """

    def __init__(
        self,
        name: str,
        *,
        slots: Mapping[str, Slot],
        hyperparameters: Mapping[str, Hyperparameter],
        convention: str,
    ) -> None:
        self.name, self._slots = name, slots
        self._hyperparameters, self.convention = hyperparameters, convention

    def init(self, params: Tree, /) -> State:
        """Return the state before the first step."""
        leaves, treedef = checked_leaves(params, "params")
        slots: dict[str, Any] = {
            name: unflatten(treedef, [start(array_namespace(w), w) for w in leaves])
            for name, start in self._slots.items()
        }
        first = first_values(self._hyperparameters)
        slots["distance"] = scalar_like(first["initial_distance"], leaves)
        slots["numerator"] = scalar_like(0.0, leaves)
        return State(0, first, slots)

    def _run(
        self, grads: Tree, state: State, params: Tree | None, *, add: bool, **extra: Any
    ) -> tuple[Tree, State]:
        """Return updates, or with `add` new parameters, and the next state."""
        weights, gradients, treedef = self._checked(params, grads)
        kept = self._current(state)
        columns = {
            "params": weights, "grads": gradients,
            **slots_like(treedef, state, list(self._slots), weights),
        }  # fmt: skip
        if not weights:
            return unflatten(treedef, []), state._replace(count=state.count + 1)
        names = ("distance", "numerator")
        numbers: dict[str, Any] = dict(zip(names, slots_of(state, names), strict=True))
        columns, scalars = lifted(columns, {**kept, **numbers, "step": state.count + 1})
        scalars = wide_scalars(scalars, weights)
        updates, columns, numbers = self._moved(columns, scalars, add=add)
        slots: dict[str, Any] = {name: unflatten(treedef, columns[name]) for name in self._slots}
        slots.update((name, zero_d(x)) for name, x in numbers.items())
        after = State(state.count + 1, kept, slots)
        return unflatten(treedef, updates), after

    def _moved(
        self, columns: Columns, scalars: dict[str, Any], *, add: bool
    ) -> tuple[list[Array], Columns, dict[str, Any]]:
        """Return updates, or with `add` parameters, and the new slots: columns, and two numbers."""
        raise NotImplementedError

    def _correction(self, scalars: dict[str, Any], xp: Any) -> Any:
        """Return the correction of the bias of the two means, where the convention has one."""
        if self.convention == "paper":
            return 1.0
        return kernels.correction(xp, scalars["step"], scalars["beta1"], scalars["beta2"])

    def _with_sum(self, columns: Columns, kept: Any, rate: Any) -> tuple[Columns, Any]:
        """Return the columns with the sum of gradients after this step, and its 1-norm."""
        (total,) = fusion.evaluate(
            kernels.weighted_sum,
            [columns["sum"], columns["grads"]],
            {"kept": kept, "rate": rate},
            slots=0,
            add=False,
        )
        return {**columns, "sum": list(total)}, summed(kernels.absolute_sum, total)
