"""States of optax, taken over and given back: looked at, never imported."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.optimizers import Optimizer
from arraygrad.state._exchange import (
    agreed,
    check_convention,
    check_state,
    entry_for,
    moved,
    nested,
    number,
    slots_of,
    with_slots,
)
from arraygrad.state._forms import Form, gathered, scattered
from arraygrad.state._optax_table import COUNTS, OPTIONS, TABLE, Entry

__all__ = ["from_optax", "to_optax"]

Options = Mapping[str, str]


def from_optax(
    opt_state: Any, params: Tree, optimizer: Optimizer, *, count: int | None = None
) -> Any:
    """Return the state with which an optimizer of ours goes on where one of optax stopped.

    Parameters
    ----------
    opt_state
        The state of an optax transformation: of `optax.adam` and its like, alone, in a chain or in
        `optax.inject_hyperparams`.
    params : tree of arrays
        The parameters, on any library: the state becomes arrays like them.
    optimizer : Optimizer
        The same algorithm, in optax's convention where it has several: adabelief, adadelta,
        adafactor, adagrad, adam(w), adamax(w), adan, ademamix, adopt, amsgrad, dadapt_adamw, lamb,
        lars, lion, muon, nadam(w), novograd, optimistic_adam (`optimistic_adam_v2` in optax),
        optimistic_gradient_descent, prodigy, radam, rmsprop, schedule_free (around one of these),
        sgd, sm3, sophia or yogi.
    count : int, optional
        The number of steps done, for algorithms that do not count in optax (SGD, SM3); 0 by
        default.

    Returns
    -------
    state
        Like what `init` returns, with the optimizer's own hyperparameters, or those of
        `optax.inject_hyperparams`: no other state of optax has any.

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
    _checked(optimizer)
    fresh = optimizer.init(params)
    list(_levels(fresh, optimizer))  # refuses what cannot be exchanged before it looks further
    counts = [
        number(getattr(node, field), f"optax's {field}") - start
        for field, start in COUNTS.items()
        for node in _having(opt_state, field)
    ]
    if counts or count is None:
        count = agreed(counts or [0], "optax's count")
    return _taken(opt_state, optimizer, fresh, count)


def _taken(
    opt_state: Any, optimizer: Optimizer, fresh: Any, count: Any, options: Options = OPTIONS
) -> Any:
    """Return a fresh state of ours with what optax's has of it."""
    entry = _checked(optimizer)
    slots = {
        name: _slot(opt_state, entry.slots[name], entry.forms.get(name), like)
        for name, like in slots_of(fresh, optimizer).items()
    }
    inside = {
        field: _taken(opt_state, part, below, count, {**OPTIONS, **entry.inside})
        for field, part, below in nested(fresh, optimizer)
    }
    rates = {**fresh.hyperparameters, **_injected(opt_state, fresh, options)}
    return with_slots(fresh, slots)._replace(count=count, hyperparameters=rates, **inside)


def _slot(opt_state: Any, place: tuple[str, str], form: Form | None, like: Tree) -> Tree:
    """Return one slot, shaped and typed like a fresh one."""
    kind, fields = place
    what = f"optax's {fields}"
    trees = [_found(opt_state, kind, field) for field in fields.split("|")]
    tree = gathered(trees, like, form, what) if form else trees[0]
    return moved(tree, like, what, "params")


def to_optax(state: Any, opt_state: Any, optimizer: Optimizer) -> Any:
    """Return the state with which an optimizer of optax goes on where one of ours stopped.

    Parameters
    ----------
    state
        The state of `optimizer`, on any library.
    opt_state
        What the `init` of optax's transformation returns: it says the structure, the dtypes and the
        devices. It is not changed.
    optimizer : Optimizer
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
    levels = list(_levels(state, optimizer))
    fields: dict[tuple[str, str], Tree] = {}
    for entry, part, below, _ in levels:
        for name, tree in slots_of(below, part).items():
            fields |= _spread(opt_state, entry.slots[name], entry.forms.get(name), tree)
    return _rebuilt(opt_state, lambda node: _given(node, fields, levels))


Level = tuple[Entry, Optimizer, Any, Options]


def _levels(state: Any, optimizer: Optimizer, options: Options = OPTIONS) -> Iterator[Level]:
    """Yield each optimizer, those inside first, with its entry, state and names of options."""
    entry = _checked(optimizer)
    check_state(state, optimizer, entry.slots)
    for _, part, below in nested(state, optimizer):
        yield from _levels(below, part, {**OPTIONS, **entry.inside})
    yield entry, optimizer, state, options


def _spread(
    opt_state: Any, place: tuple[str, str], form: Form | None, tree: Tree
) -> dict[tuple[str, str], Tree]:
    """Return optax's fields that are made of one slot, by class and name."""
    kind, names = place
    fields = names.split("|")
    models = [_found(opt_state, kind, field) for field in fields]
    trees = scattered(tree, models, form, "state.slots") if form else [tree]
    return {
        (kind, field): moved(x, model, f"state.slots: {field}", "opt_state")
        for field, x, model in zip(fields, trees, models, strict=True)
    }


def _checked(optimizer: Optimizer) -> Entry:
    """Return an optimizer's entry.

    Raises
    ------
    StateError
        If there is none, or its slots mean something else.
    """
    entry: Entry = entry_for(TABLE, optimizer, "optax")
    check_convention(optimizer, entry.needs, entry.never, "optax")
    return entry


def _is_record(node: Any) -> bool:
    """Say whether a node is a named tuple."""
    return isinstance(node, tuple) and hasattr(node, "_fields")


def _records(node: Any) -> Iterator[Any]:
    """Yield every named tuple in a state."""
    if _is_record(node):
        yield node
    if isinstance(node, Mapping):
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
    if field not in nodes[0]._fields:
        message = f"`opt_state` has no {field!r} in its {kind}, but {nodes[0]._fields}"
        raise StateError(message)
    return getattr(nodes[0], field)


def _option(name: str, hyperparams: Mapping[str, Any], options: Options) -> str | None:
    """Return what a hyperparameter of ours is called there, if it is there."""
    names = options.get(name, name).split("|")
    return next((x for x in names if x in hyperparams), None)


def _injected(opt_state: Any, fresh: Any, options: Options) -> dict[str, Any]:
    """Return the hyperparameters that `optax.inject_hyperparams` keeps."""
    found: dict[str, Any] = {}
    for node in _having(opt_state, "hyperparams"):
        for name in fresh.hyperparameters:
            option = _option(name, node.hyperparams, options)
            if option is not None:
                found[name] = number(node.hyperparams[option], f"optax's {option}")
    return found


def _rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """Return a state with its named tuples changed, those inside first."""
    if _is_record(node):
        return change(type(node)(*(_rebuilt(below, change) for below in node)))
    if type(node) in (tuple, list):
        return type(node)(_rebuilt(below, change) for below in node)
    if type(node) is dict:
        return {key: _rebuilt(below, change) for key, below in node.items()}
    return node


def _given(node: Any, fields: Mapping[tuple[str, str], Tree], levels: list[Level]) -> Any:
    """Return one of optax's states with what ours has of it."""
    kind, (*_, (_, _, state, _)) = type(node).__name__, levels
    new = {field: tree for (name, field), tree in fields.items() if kind in name.split("|")}
    for field in COUNTS.keys() & {*node._fields}:
        count = state.count + COUNTS[field]
        new[field] = moved(count, getattr(node, field), "state.count", "opt_state")
    if "is_initial_step" in node._fields:
        first = number(state.count, "`state.count`") == 0
        new["is_initial_step"] = moved(first, node.is_initial_step, "state.count", "opt_state")
    if "hyperparams" in node._fields:
        new["hyperparams"] = dict(node.hyperparams)
        for _, _, below, options in levels:
            new["hyperparams"] |= _with_ours(node.hyperparams, below.hyperparameters, options)
    return node._replace(**new)


def _with_ours(
    hyperparams: Mapping[str, Any], ours: Mapping[str, Any], options: Options
) -> dict[str, Any]:
    """Return the injected hyperparameters that ours has."""
    given = {}
    for name, value in ours.items():
        option = _option(name, hyperparams, options)
        if option is not None:
            where = f"state.hyperparameters: {name}"
            given[option] = moved(value, hyperparams[option], where, option)
    return given
