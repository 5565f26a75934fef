"""States of optax, taken over and given back: looked at, never imported."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.optimizers import KernelOptimizer, State
from arraygrad.state._exchange import agreed, entry_for, moved, number, words

__all__ = ["from_optax", "to_optax"]

_Entry: TypeAlias = Mapping[str, tuple[str, str]]
"""Our slots by the field of one of optax's states: `(class, field)`."""

_MOMENTS = {"mu": ("ScaleByAdamState", "mu"), "nu": ("ScaleByAdamState", "nu")}

TABLE: Mapping[str, _Entry] = {
    "adam": _MOMENTS,
    "lion": {"mu": ("ScaleByLionState", "mu")},
    "sgd": {"velocity": ("TraceState", "trace")},
}

_OPTIONS = {
    "learning_rate": "learning_rate", "beta1": "b1", "beta2": "b2", "epsilon": "eps",
    "momentum": "momentum", "weight_decay": "weight_decay", "decay": "decay",
}  # fmt: skip
"""Our hyperparameters by their names in the states of `optax.inject_hyperparams`."""


def from_optax(
    opt_state: Any, params: Tree, optimizer: KernelOptimizer, *, count: int | None = None
) -> State:
    """Return the state with which an optimizer of ours goes on where one of optax stopped.

    Parameters
    ----------
    opt_state
        The state of an optax transformation: of `optax.adam` and its like, alone, in a chain or in
        `optax.inject_hyperparams`.
    params : tree of arrays
        The parameters, on any library: the state becomes arrays like them.
    optimizer : KernelOptimizer
        The same algorithm: `adam`, `adamw`, `sgd` with convention="optax", and others.
    count : int, optional
        The number of steps done, for algorithms that do not count in optax (SGD); 0 by default.

    Returns
    -------
    State
        With the optimizer's own hyperparameters, or those of `optax.inject_hyperparams`: no other
        state of optax has any.

    Raises
    ------
    StateError
        If the algorithm's state is not there, or there twice; if the parameters are others.

    References
    ----------
    The chapters "Optimizers" and "Transformations" of optax's documentation.

    Examples
    --------
    >>> import numpy as np, jax.numpy as jnp, optax
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.state import from_optax
    >>> theirs, w = optax.adam(0.1), {"w": jnp.asarray([1.0, 2.0])}
    >>> _, opt_state = theirs.update({"w": jnp.asarray([1.0, 0.0])}, theirs.init(w), w)
    >>> state = from_optax(opt_state, {"w": np.asarray([0.9, 2.0])}, adam(0.1))
    >>> state.count, state.slots["mu"]["w"].round(6)
    (1, array([0.1, 0. ]))
    """
    entry, fresh = _checked(optimizer), optimizer.init(params)
    slots = {
        name: moved(_found(opt_state, *entry[name]), like, f"optax's {entry[name][1]}", "params")
        for name, like in fresh.slots.items()
    }
    counts = [number(node.count, "optax's count") for node in _having(opt_state, "count")]
    if counts or count is None:
        count = agreed(counts or [0], "optax's count")
    return State(count, {**fresh.hyperparameters, **_injected(opt_state, fresh)}, slots)


def to_optax(state: State, opt_state: Any, optimizer: KernelOptimizer) -> Any:
    """Return the state with which an optimizer of optax goes on where one of ours stopped.

    Parameters
    ----------
    state : State
        The state of `optimizer`, on any library.
    opt_state
        What the `init` of optax's transformation returns: it says the structure, the dtypes and the
        devices. It is not changed.
    optimizer : KernelOptimizer
        The same algorithm.

    Returns
    -------
    state of optax
        Like `opt_state`. Hyperparameters are in it only with `optax.inject_hyperparams`.

    Raises
    ------
    StateError
        As `from_optax` does.

    Examples
    --------
    >>> import numpy as np, jax.numpy as jnp, optax
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.state import to_optax
    >>> optimizer, params = adam(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> _, state = optimizer.step(params, {"w": np.asarray([1.0, 0.0])}, optimizer.init(params))
    >>> theirs = optax.adam(0.1).init({"w": jnp.asarray([0.9, 2.0])})
    >>> to_optax(state, theirs, optimizer)[0].mu
    {'w': Array([0.1, 0. ], dtype=float32)}
    """
    entry = _checked(optimizer)
    for name in state.slots:
        _found(opt_state, *entry[name])  # exactly one
    fields = {entry[name]: tree for name, tree in state.slots.items()}
    return _rebuilt(opt_state, lambda node: _given(node, fields, state))


def _checked(optimizer: KernelOptimizer) -> _Entry:
    """Return an optimizer's entry.

    Raises
    ------
    StateError
        If there is none, or its slots mean something else.
    """
    entry: _Entry = entry_for(TABLE, optimizer, "optax")
    if optimizer.name == "sgd" and "velocity" in words(optimizer):
        message = f'{optimizer!r} sums moves, optax gradients: make it with convention="optax"'
        raise StateError(message)
    return entry


def _is_record(node: Any) -> bool:
    """Say whether a node is a named tuple."""
    return isinstance(node, tuple) and hasattr(node, "_fields")


def _records(node: Any) -> Iterator[Any]:
    """Yield every named tuple in a state."""
    if _is_record(node):
        yield node
    if isinstance(node, dict):
        node = tuple(node.values())
    if isinstance(node, tuple | list):
        for below in node:
            yield from _records(below)


def _having(opt_state: Any, field: str) -> list[Any]:
    return [node for node in _records(opt_state) if field in node._fields]


def _found(opt_state: Any, kind: str, field: str) -> Tree:
    """Return a field of the one state of a class.

    Raises
    ------
    StateError
        If there is none, or there are several.
    """
    nodes = [node for node in _records(opt_state) if type(node).__name__ == kind]
    if len(nodes) != 1:
        have = sorted({type(node).__name__ for node in _records(opt_state)})
        message = f"`opt_state` must have one {kind}, got {len(nodes)} among {have}"
        raise StateError(message)
    return getattr(nodes[0], field)


def _injected(opt_state: Any, fresh: State) -> dict[str, Any]:
    """Return the hyperparameters that `optax.inject_hyperparams` keeps."""
    found: dict[str, Any] = {}
    for node in _having(opt_state, "hyperparams"):
        for name in fresh.hyperparameters:
            option = _OPTIONS.get(name, name)
            if option in node.hyperparams:
                found[name] = number(node.hyperparams[option], f"optax's {option}")
    return found


def _rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """Return a state with its named tuples changed, those inside first."""
    if _is_record(node):
        return change(type(node)(*(_rebuilt(below, change) for below in node)))
    if type(node) in (tuple, list):
        return type(node)(_rebuilt(below, change) for below in node)
    return node


def _given(node: Any, fields: Mapping[tuple[str, str], Tree], state: State) -> Any:
    """Return one of optax's states with what ours has of it."""
    kind, new = type(node).__name__, {}
    for (name, field), tree in fields.items():
        if name == kind:
            new[field] = moved(tree, getattr(node, field), f"state.slots: {field}", "opt_state")
    if "count" in node._fields:
        new["count"] = moved(state.count, node.count, "state.count", "opt_state")
    if "hyperparams" in node._fields:
        new["hyperparams"] = _with_ours(node.hyperparams, state.hyperparameters)
    return node._replace(**new)


def _with_ours(hyperparams: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(hyperparams)
    for name, value in ours.items():
        option = _OPTIONS.get(name, name)
        if option in given:
            given[option] = moved(value, given[option], f"state.hyperparameters: {name}", option)
    return given
