"""Checks and scalars of optimizers whose step is written for all leaves at once."""

import inspect
from collections.abc import Mapping
from typing import Any

from arraygrad._tree import flatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.fusion.packed import shapes_of
from arraygrad.optimizers._hyperparameters import current
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer, checked_leaves
from arraygrad.optimizers._trees import check_shapes, leaves_like

__all__ = ["TreeOptimizer", "checked_optimizer", "keywords_of", "leaves_beside"]


def checked_optimizer(optimizer: Any, argument: str, *methods: str) -> Any:
    """Return what has these methods.

    Raises
    ------
    HyperparameterError
        If it lacks one.
    """
    if not all(callable(getattr(optimizer, name, None)) for name in methods):
        *most, last = [f"`{name}`" for name in methods]
        message = f"`{argument}` must have {', '.join(most)} and {last}, got {optimizer!r}"
        raise HyperparameterError(message)
    return optimizer


def keywords_of(*optimizers: Any) -> frozenset[str] | None:
    """Return the keywords that one at least of these takes, ours or optax's; `None` for any."""
    found: set[str] = set()
    for optimizer in optimizers:
        names = optimizer.takes if isinstance(optimizer, Optimizer) else _names_in(optimizer.update)
        if names is None:
            return None
        found |= names
    return frozenset(found)


def _names_in(function: Any) -> frozenset[str] | None:
    """Return the keywords of a function: optax's plain transformations take none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # compiled: nobody knows
        return None
    if any(x.kind is x.VAR_KEYWORD for x in parameters):
        return None
    return frozenset(x.name for x in parameters if x.kind is x.KEYWORD_ONLY)


def leaves_beside(params: Tree, tree: Tree, argument: str) -> list[Array]:
    """Return the leaves of a tree shaped like the parameters.

    Raises
    ------
    StructureError
        If it has another structure.
    ShapeError
        If an array has another shape than its parameter.
    """
    weights, treedef = flatten(params)
    leaves = leaves_like(treedef, tree, argument=argument, other="params")
    check_shapes(params, shapes_of(weights), argument, leaves)
    return leaves


class TreeOptimizer(Optimizer):
    """What optimizers that are more than one kernel share: a name, hyperparameters, checks."""

    name: str
    takes: frozenset[str] | None = frozenset()
    _hyperparameters: Mapping[str, Hyperparameter]

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._hyperparameters.items())
        return f"<optimizer {self.name}({given})>"

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, and the next state."""
        if extra:
            self._check_keywords(extra)
        return self._run(grads, state, params, add=False, **extra)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after one step, and the next state; nothing is overwritten."""
        if extra:
            self._check_keywords(extra)
        return self._run(grads, state, params, add=True, **extra)

    def _run(
        self, grads: Tree, state: Any, params: Tree | None, *, add: bool, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return updates, or with `add` new parameters, and the next state."""
        raise NotImplementedError

    def _checked(self, params: Tree | None, grads: Tree) -> tuple[list[Array], list[Array], Any]:
        """Return the leaves of the parameters and of their gradients, and their structure.

        Raises
        ------
        StructureError
            If there are no parameters, or the trees differ.
        ShapeError
            If a gradient has another shape than its parameter.
        """
        if params is None:
            message = f"{self.name} looks at the parameters: pass `params`"
            raise StructureError(message)
        weights, treedef = checked_leaves(params, "params")
        return weights, leaves_beside(params, grads, "grads"), treedef

    def _current(self, state: Any) -> dict[str, Any]:
        """Return the hyperparameters of this step."""
        return current(self._hyperparameters, state)
