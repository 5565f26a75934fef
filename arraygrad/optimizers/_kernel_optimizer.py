"""Optimizers that are one kernel, run on every leaf.

A kernel is `kernel(xp, w, g, *slots, *arrays, name=value, ...)`: it returns the update, to be
added to `w`, and the new slots. Its keyword parameters are the optimizer's hyperparameters,
`step` (counted from 1), and what `extra` brings.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from arraygrad import fusion
from arraygrad._namespace import array_namespace
from arraygrad._tree import unflatten
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.errors import (
    ArraygradError,
    DeviceError,
    HyperparameterError,
    MixedLibraryError,
    StructureError,
)
from arraygrad.fusion.packed import Known, reshaped, shapes_of
from arraygrad.libraries import there
from arraygrad.optimizers._hyperparameters import check_real, current, first_values, one_number
from arraygrad.optimizers._places import check_places
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer, State, checked_leaves
from arraygrad.optimizers._trees import Model, check_shapes, leaves_like, rebuilt, slots_of

__all__ = ["KernelOptimizer", "Slot", "copies", "real_zeros", "zeros"]

Slot: TypeAlias = Callable[[Namespace, Array], Array]
"""Makes one leaf of a slot before the first step: `(xp, w)` to an array."""


def zeros(xp: Namespace, w: Array) -> Array:
    """Start from zeros like the parameter."""
    return xp.zeros_like(w)


def real_zeros(xp: Namespace, w: Array) -> Array:
    """Start from zeros that stay real where the parameter is complex: squared magnitudes."""
    return xp.zeros_like(xp.real(w) if xp.isdtype(w.dtype, "complex floating") else w)


def copies(xp: Namespace, w: Array) -> Array:
    """Start from the parameter itself."""
    copy = xp.negative(-w)  # torch warns of `asarray` where w requires a gradient
    return copy if copy.shape else copy[...]  # an array, where NumPy makes scalars


class KernelOptimizer(Optimizer):
    """An optimizer that is one kernel, run on every leaf.

    Parameters
    ----------
    name : str
        The algorithm's name, for messages.
    kernel : callable
        The maths: see the module's docstring.
    slots : mapping of str to callable
        How each slot starts, by name, in the order in which the kernel takes and returns them.
    hyperparameters : mapping of str to number, array or schedule
        By the names of the kernel's keyword parameters.
    needs_params : bool
        Whether the kernel looks at `w`.
    arrays : sequence of str
        Trees of arrays that `extra` must bring, in the order in which the kernel takes them.
    values : sequence of str
        Numbers or 0-d arrays that `extra` must bring, by the names of keyword parameters.
    """

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        *,
        slots: Mapping[str, Slot] | None = None,
        hyperparameters: Mapping[str, Hyperparameter],
        needs_params: bool = False,
        arrays: Sequence[str] = (),
        values: Sequence[str] = (),
    ) -> None:
        self.name, self.kernel = name, kernel
        self._slots = dict(slots or {})
        self._hyperparameters = dict(hyperparameters)
        self._scheduled = any(map(callable, hyperparameters.values()))
        self._needs_params = needs_params
        self._arrays, self._values = tuple(arrays), tuple(values)
        self._wanted = (*values, *arrays)
        if self.takes is None:
            self.takes = frozenset(self._wanted)
        # What the trees beside the parameters are called in messages.
        self._spelt = ["grads", *(f"state.slots[{name!r}]" for name in self._slots), *arrays]
        self._model = Model(checked_params)
        self._shapes: dict[tuple[str, tuple[int, ...]], tuple[int, ...]] = {}
        self._takes_step = "step" in inspect.signature(kernel).parameters
        self._updates = fusion.Call(kernel, len(self._slots), add=False, donate=False)
        self._steps = self._updates._replace(add=True)
        self._steps_in_place = self._steps._replace(donate=True)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._hyperparameters.items())
        return f"<optimizer {self.name}({given})>"

    def example(self, w: Array) -> list[Array]:
        """Return what the kernel takes for a parameter in the first step, itself as gradient."""
        starts = [start(array_namespace(w), w) for start in self._slots.values()]
        return [w, w, *starts, *(w for _ in self._arrays)]

    def init(self, params: Tree, /) -> State:
        """Return the state before the first step."""
        leaves, treedef = checked_params(params)
        slots = {
            name: unflatten(treedef, [_started(start, w) for w in leaves])
            for name, start in self._slots.items()
        }
        return State(0, first_values(self._hyperparameters), slots)

    def update(
        self, grads: Tree, state: State, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, State]:
        """Return what to add to the parameters, and the next state."""
        if params is None and self._needs_params:
            message = f"{self.name} looks at the parameters: pass `params`"
            raise StructureError(message)
        params = grads if params is None else params
        return self._applied(self._updates, params, grads, state, extra)

    def step(
        self, params: Tree, grads: Tree, state: State, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the parameters after one step, and the next state."""
        call = self._steps_in_place if donate else self._steps
        return self._applied(call, params, grads, state, extra)

    def _applied(
        self, call: fusion.Call, params: Tree, grads: Tree, state: State, extra: dict[str, Any]
    ) -> tuple[Tree, State]:
        """Run the kernel; if it fails without saying why, look for what lies apart."""
        kept, scalars = self._scalars(state, extra)
        columns, treedef = self._columns(params, grads, state, extra)
        try:
            found = fusion.run(call, columns, scalars)
        except Exception as error:
            mixed = isinstance(error, MixedLibraryError | DeviceError)
            if mixed or not isinstance(error, ArraygradError):
                check_real(kept)
                beside = dict(zip(self._spelt, columns[1:], strict=True))
                check_places(params, columns[0], beside, scalars)
            raise
        if found is None:
            slots = {name: state.slots[name] for name in self._slots}
            return params, State(state.count + 1, kept, slots)
        return self._result(params, treedef, found, state, kept)

    def _scalars(
        self, state: State, extra: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the hyperparameters, and all of the kernel's keyword arguments, of this step."""
        kept = current(self._hyperparameters, state, scheduled=self._scheduled)
        scalars = dict(kept)
        if extra or self._wanted:
            scalars.update(self._values_of(extra))
        if self._takes_step:
            scalars["step"] = state.count + 1
        return kept, scalars

    def _values_of(self, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the numbers that `extra` brings, which must bring all that is wanted."""
        for name in self._wanted:
            if name not in extra:
                message = f"{self.name} needs `{name}`: pass it to the step as {name}=..."
                raise HyperparameterError(message)
        if len(extra) > len(self._wanted):
            self._check_keywords(extra)
        return {name: one_number(extra[name], name) for name in self._values}

    def _columns(
        self, params: Tree, grads: Tree, state: State, extra: dict[str, Any]
    ) -> tuple[Sequence[Sequence[Array]], Any]:
        """Return the leaves of each tree that the kernel takes, and their structure."""
        trees = (params, grads, *slots_of(state, self._slots))
        if self._arrays:
            trees += tuple(extra[name] for name in self._arrays)
        return self._model.columns(trees) or self._checked_columns(trees)

    def _checked_columns(self, trees: tuple[Tree, ...]) -> tuple[Sequence[Sequence[Array]], Any]:
        """Do the same for trees of which nothing is known."""
        weights, treedef = self._model.leaves(trees[0])
        shapes = shapes_of(weights)
        weights = weights if type(weights) is Known else Known(weights, shapes)
        columns: list[Sequence[Array]] = [weights]
        slots = dict(zip(self._spelt[1:], self._slots, strict=False))
        for name, tree in zip(self._spelt, trees[1:], strict=True):
            column = leaves_like(treedef, tree, argument=name, other="params")
            own = shapes_of(column)
            if own != shapes:
                if reshaped(weights) or reshaped(column):
                    return self._checked_columns(trees)
                expected = self._slot_shapes(slots[name], weights) if name in slots else shapes
                check_shapes(trees[0], expected, name, column)
            columns.append(column if type(column) is Known else Known(column, own))
        self._model.note(trees, columns, treedef)
        return columns, treedef

    def _slot_shapes(self, name: str, weights: Sequence[Array]) -> list[tuple[int, ...]]:
        """Return the shape of each leaf of a slot: it need not be that of the parameter."""
        found = []
        for w in weights:
            key = name, tuple(w.shape)
            if key not in self._shapes:
                self._shapes[key] = _started(self._slots[name], w).shape
            found.append(self._shapes[key])
        return found

    def _result(
        self, params: Tree, treedef: Any, found: Any, state: State, kept: Any
    ) -> tuple[Tree, State]:
        """Shape the columns that a kernel returned as trees, and make the next state."""
        first, *rest = found
        slots = {
            name: rebuilt(state.slots[name], treedef, new)
            for name, new in zip(self._slots, rest, strict=True)
        }
        return rebuilt(params, treedef, first), State(state.count + 1, kept, slots)


def checked_params(params: Tree) -> tuple[list[Array], Any]:
    """Return the leaves of parameters, and their structure."""
    return checked_leaves(params, "params")


def _started(start: Slot, w: Array) -> Array:
    """Return one leaf of a slot, on the device of the parameter."""
    with there(w):
        return start(array_namespace(w), w)
