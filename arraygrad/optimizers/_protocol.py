"""What an optimizer is: `init`, `update` and `step`, as optax shapes them, and its state."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from arraygrad._namespace import (
    array_namespace,
    dtypes_of,
    is_array,
    is_complex,
    is_floating,
    kinds_of,
)
from arraygrad._tree import flatten, flatten_with_paths, format_path, unflatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import DtypeError, HyperparameterError, StructureError
from arraygrad.fusion.packed import shapes_of
from arraygrad.optimizers._trees import check_shapes, leaves_like

__all__ = [
    "Hyperparameter",
    "Optimizer",
    "State",
    "Transformation",
    "apply_updates",
    "checked_leaves",
]

Hyperparameter: TypeAlias = float | Array | Callable[[Any], Any]
"""A number, a 0-d array, or a schedule: a function of the number of steps done so far."""


class State(NamedTuple):
    """What an optimizer remembers: a tuple of trees, readable and replaceable.

    Attributes
    ----------
    count : int or 0-d array
        The number of steps done.
    hyperparameters : dict
        Those that the last step used, by name. A new value takes effect at the next step, unless
        the hyperparameter is a schedule: `state._replace(hyperparameters={...})`.
    slots : dict
        Trees shaped like the parameters, by name: moments, for example.
    """

    count: Any
    hyperparameters: dict[str, Any]
    slots: dict[str, Tree]


class Transformation(Protocol):
    """What takes part in a `chain`: ours, or one of optax."""

    def init(self, params: Tree, /) -> Any:
        """Return the first state."""

    def update(self, updates: Tree, state: Any, params: Tree | None = None, /) -> Any:
        """Return the transformed updates, and the next state."""


COMMON = frozenset(
    "grad grad_fn gradient hessian_diagonal noise obj_fn perturbed_grads refresh rng value"
    " value_fn".split()
)
"""Keywords that some optimizer takes, ours or optax's: a loop may pass them to all."""


class Optimizer:
    """An optimizer, or a transformation of gradients.

    Unpacks as `(init, update)`, so that optax takes it on jax arrays.

    Attributes
    ----------
    takes : frozenset of str or None
        The keywords that `update` and `step` take beside their own; `None` for any. What other
        optimizers take (`value`, `rng`, …) is passed over, so that one loop serves all.
    nested : mapping of str to Optimizer
        Optimizers inside this one, by the fields of its state that hold theirs.
    """

    takes: frozenset[str] | None = None
    nested: Mapping[str, Any] = {}
    _state: type | tuple[type, ...] = object
    """What `init` returns; of subclasses that call `_check`."""

    def _check(self, state: Any, extra: dict[str, Any]) -> None:
        """Refuse what is no state of this optimizer, and keywords that it does not know.

        Raises
        ------
        StructureError
            If the state is of another kind.
        HyperparameterError
            If a keyword is unknown.
        """
        if not isinstance(state, self._state):
            message = f"`state` must be what `init` returned, got {type(state).__name__}"
            raise StructureError(message)
        if extra:
            self._check_keywords(extra)

    def _check_keywords(self, extra: dict[str, Any]) -> None:
        """Refuse keywords that neither this optimizer nor any other takes."""
        for name in extra:
            if self.takes is not None and name not in self.takes and name not in COMMON:
                known = ", ".join(f"`{x}`" for x in sorted(self.takes)) or "none"
                message = f"`{name}` is no argument of this optimizer; it takes beside: {known}"
                raise HyperparameterError(message)

    def init(self, params: Tree, /) -> Any:
        """Return the state before the first step.

        Parameters
        ----------
        params : tree of arrays
            The parameters, floating arrays.

        Returns
        -------
        state

        Raises
        ------
        StructureError
            If there is no tree.
        DtypeError
            If a leaf is no floating array.
        """
        raise NotImplementedError

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, and the next state.

        Parameters
        ----------
        grads : tree of arrays
            The gradients, shaped like the parameters.
        state
            The state that `init` or the last step returned.
        params : tree of arrays, optional
            The parameters, for optimizers that look at them (weight decay, norms).
        **extra
            What some optimizers ask for beside: `value`, `noise`, `hessian_diagonal`.

        Returns
        -------
        updates : tree of arrays
        state

        Raises
        ------
        StructureError
            If the trees differ, the optimizer looks at parameters that are not given, or the
            state is none of this optimizer.
        ShapeError
            If a gradient has another shape than its parameter.
        DtypeError
            If a gradient is no array.
        HyperparameterError
            If a keyword is unknown, or missing.
        """
        raise NotImplementedError

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after one step, and the next state.

        Parameters
        ----------
        params, grads : tree of arrays
            The parameters and their gradients.
        state
            The state that `init` or the last step returned.
        donate : bool
            Whether the arrays of `params` and `state` may be overwritten: use what is returned,
            not what was given. Without, nothing that was given changes.
        **extra
            As for `update`.

        Returns
        -------
        params : tree of arrays
        state

        Raises
        ------
        StructureError
            If the trees differ, or the state is none of this optimizer.
        ShapeError
            If a gradient has another shape than its parameter.
        DtypeError
            If a gradient is no array.
        HyperparameterError
            If a keyword is unknown, or missing.
        """
        updates, state = self.update(grads, state, params, **extra)
        return apply_updates(params, updates), state

    def __iter__(self) -> Iterator[Any]:
        """Unpack as optax does: `init, update = optimizer`."""
        yield self.init
        yield self.update


def apply_updates(params: Tree, updates: Tree) -> Tree:
    """Return the parameters with updates added, in the dtypes of the parameters.

    Parameters
    ----------
    params : tree of arrays
        The parameters.
    updates : tree of arrays
        What to add, shaped like `params`.

    Returns
    -------
    tree of arrays

    Raises
    ------
    StructureError
        If the trees differ.
    ShapeError
        If an update has another shape than its parameter.
    DtypeError
        If an update is no array, or complex where the parameter is real.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import apply_updates
    >>> apply_updates({"w": np.asarray([1.0, 2.0])}, {"w": np.asarray([0.5, 0.5])})
    {'w': array([1.5, 2.5])}
    """
    leaves, treedef = flatten(params)
    added = leaves_like(treedef, updates, argument="updates", other="params")
    check_shapes(params, shapes_of(leaves), "updates", added)
    if dtypes_of(added) != dtypes_of(leaves):
        _check_kinds(params, leaves, added)
    return unflatten(treedef, [_add(w, u) for w, u in zip(leaves, added, strict=True)])


def _check_kinds(params: Tree, leaves: list[Array], updates: list[Array]) -> None:
    """Refuse complex updates of real parameters."""
    for path, w, u in zip(flatten_with_paths(params)[0], leaves, updates, strict=True):
        if _is_complex(u) and not _is_complex(w):
            where = f"`updates` at {format_path(path)}"
            message = f"{where} has dtype {u.dtype}, the parameter {w.dtype}: it must be real too"
            raise DtypeError(message)


def _is_complex(x: Array) -> bool:
    return is_complex(array_namespace(x), x.dtype)


def _add(w: Array, u: Array) -> Array:
    """Return a sum in the dtype of its first operand."""
    total = w + u
    if total.dtype != w.dtype:
        total = array_namespace(total).astype(total, w.dtype)
    return total if total.shape else total[...]  # an array, where NumPy makes 0-d scalars


def checked_leaves(tree: Tree, argument: str) -> tuple[list[Array], Any]:
    """Return the leaves of a tree of floating arrays, and its structure.

    Raises
    ------
    StructureError
        If there is no tree.
    DtypeError
        If a leaf is no floating array; the message names its path.
    """
    if tree is None:
        message = f"`{argument}` must be an array or a tree of arrays, got None"
        raise StructureError(message)
    leaves, treedef = flatten(tree)
    for x in dict(zip(kinds_of(leaves), leaves, strict=True)).values():
        if not (is_array(x) and is_floating(array_namespace(x), x.dtype)):
            what = f"dtype {x.dtype}" if is_array(x) else type(x).__name__
            places = zip(flatten_with_paths(tree)[0], leaves, strict=True)
            path = format_path(next(path for path, leaf in places if leaf is x))
            message = f"`{argument}` at {path} must be a floating array, got {what}"
            raise DtypeError(message)
    return leaves, treedef
