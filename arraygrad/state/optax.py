"""States of optax, taken over and given back: looked at, never imported."""

from collections.abc import Callable, Iterator, Mapping
from operator import neg
from typing import Any, NamedTuple

from arraygrad._tree import map_leaves
from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.optimizers import KernelOptimizer, State
from arraygrad.state._exchange import agreed, check_convention, entry_for, moved, number

__all__ = ["from_optax", "to_optax"]


class _Entry(NamedTuple):
    """Where optax keeps the slots of an optimizer of ours."""

    slots: Mapping[str, tuple[str, str]]
    """By our names: a class of optax's states, or several with `|` between them, and its field."""

    needs: str = ""
    """A word that our kernel has where its slots mean what they mean in optax."""

    never: tuple[str, ...] = ("rate",)  # weight decay that is not multiplied by the rate
    """Words that it must not have."""

    negative: bool = False
    """Whether ours are the opposite of optax's."""


_MOMENTS = {"mu": ("ScaleByAdamState", "mu"), "nu": ("ScaleByAdamState", "nu")}
_RMS = "ScaleByRmsState|ScaleByRStdDevState"

TABLE: Mapping[str, _Entry] = {
    "adabelief": _Entry(
        {"mu": ("ScaleByBeliefState", "mu"), "sigma": ("ScaleByBeliefState", "nu")}
    ),
    "adadelta": _Entry(
        {"nu": ("ScaleByAdaDeltaState", "e_g"), "moves": ("ScaleByAdaDeltaState", "e_x")}
    ),
    "adagrad": _Entry({"sum": ("ScaleByRssState", "sum_of_squares")}, needs="inside"),
    "adam": _Entry(_MOMENTS),
    "adamax": _Entry(_MOMENTS, needs="torch"),
    "adamaxw": _Entry(_MOMENTS, needs="torch"),
    "adamw": _Entry(_MOMENTS),
    "adan": _Entry(
        {
            "mu": ("ScaleByAdanState", "m"), "difference": ("ScaleByAdanState", "v"),
            "nu": ("ScaleByAdanState", "n"), "previous": ("ScaleByAdanState", "g"),
        },
        needs="optax",
    ),
    "ademamix": _Entry(
        {
            "mu": ("ScaleByAdemamixState", "m1"), "slow": ("ScaleByAdemamixState", "m2"),
            "nu": ("ScaleByAdemamixState", "nu"),
        }
    ),
    "adopt": _Entry(_MOMENTS),
    "amsgrad": _Entry(
        {
            "mu": ("ScaleByAmsgradState", "mu"), "nu": ("ScaleByAmsgradState", "nu"),
            "nu_max": ("ScaleByAmsgradState", "nu_max"),
        },
        needs="optax",
    ),
    "lamb": _Entry(_MOMENTS),
    "lars": _Entry({"velocity": ("TraceState", "trace")}, needs="optax", negative=True),
    "lion": _Entry({"mu": ("ScaleByLionState", "mu")}),
    "nadam": _Entry(_MOMENTS, needs="optax"),
    "nadamw": _Entry(_MOMENTS, needs="optax"),
    "novograd": _Entry(
        {"mu": ("ScaleByNovogradState", "mu"), "nu": ("ScaleByNovogradState", "nu")}
    ),
    "optimistic_gradient_descent": _Entry(
        {"previous": ("ScaleByOptimisticGradientState", "previous_gradient")}
    ),
    "radam": _Entry(_MOMENTS),
    "rmsprop": _Entry(
        {
            "nu": (_RMS, "nu"), "mu": ("ScaleByRStdDevState", "mu"),
            "velocity": ("TraceState", "trace"),
        },
        never=("rate", "torch"),
    ),
    "sgd": _Entry({"velocity": ("TraceState", "trace")}, never=("velocity",)),
    "yogi": _Entry(_MOMENTS),
}  # fmt: skip

_COUNTS = ("count", "count_m2", "t")
"""Fields that count the steps done."""

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
        The same algorithm, in optax's convention where it has several: adabelief, adadelta,
        adagrad, adam(w), adamax(w), adan, ademamix, adopt, amsgrad, lamb, lars, lion, nadam(w),
        novograd, optimistic_gradient_descent, radam, rmsprop, sgd or yogi.
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
    slots = {}
    for name, like in fresh.slots.items():
        kind, field = entry.slots[name]
        slots[name] = moved(_found(opt_state, kind, field), like, f"optax's {field}", "params")
    counts = [
        number(getattr(node, field), f"optax's {field}")
        for field in _COUNTS
        for node in _having(opt_state, field)
    ]
    if counts or count is None:
        count = agreed(counts or [0], "optax's count")
    rates = {**fresh.hyperparameters, **_injected(opt_state, fresh)}
    return State(count, rates, map_leaves(neg, slots) if entry.negative else slots)


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
    >>> print(to_optax(state, theirs, optimizer)[0].mu["w"])
    [0.1 0. ]
    """
    entry = _checked(optimizer)
    slots = map_leaves(neg, state.slots) if entry.negative else state.slots
    fields = {entry.slots[name]: tree for name, tree in slots.items()}
    for kind, field in fields:
        _found(opt_state, kind, field)  # exactly one
    return _rebuilt(opt_state, lambda node: _given(node, fields, state))


def _checked(optimizer: KernelOptimizer) -> _Entry:
    """Return an optimizer's entry.

    Raises
    ------
    StateError
        If there is none, or its slots mean something else.
    """
    entry: _Entry = entry_for(TABLE, optimizer, "optax")
    check_convention(optimizer, entry.needs, entry.never, "optax")
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
    nodes = [node for node in _records(opt_state) if type(node).__name__ in kind.split("|")]
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
        if kind in name.split("|"):
            new[field] = moved(tree, getattr(node, field), f"state.slots: {field}", "opt_state")
    for field in {*_COUNTS} & {*node._fields}:
        new[field] = moved(state.count, getattr(node, field), "state.count", "opt_state")
    if "is_initial_step" in node._fields:
        first = number(state.count, "`state.count`") == 0
        new["is_initial_step"] = moved(first, node.is_initial_step, "state.count", "opt_state")
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
