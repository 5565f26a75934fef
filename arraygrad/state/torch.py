"""States of `torch.optim`, taken over and given back."""

from collections.abc import Mapping, Sequence
from typing import Any

from arraygrad._tree import children, is_leaf, unflatten
from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.optimizers import Optimizer
from arraygrad.state._arrays import saved
from arraygrad.state._exchange import (
    agreed,
    check_convention,
    check_state,
    entry_for,
    moved,
    nested,
    number,
)
from arraygrad.state._paths import named_leaves
from arraygrad.state._torch_options import check_options, hyperparameters, options_of
from arraygrad.state._torch_table import NEVER, TABLE, ByAxes, Entry

__all__ = ["from_torch", "to_torch"]


def from_torch(
    state_dict: Mapping[str, Any],
    params: Tree,
    optimizer: Optimizer,
    *,
    names: Sequence[str] | None = None,
    count: int | None = None,
) -> Any:
    """Return the state with which an optimizer of ours goes on where one of torch stopped.

    Parameters
    ----------
    state_dict : dict
        What `torch.optim.Optimizer.state_dict()` returns.
    params : tree of arrays
        The parameters, on any library: the state becomes arrays like them.
    optimizer : Optimizer
        The same algorithm, in torch's convention where it has several: adadelta, adafactor,
        adagrad, adam, adamax, adamw, amsgrad, asgd, muon (of matrices alone), nadam(w), radam,
        rmsprop, rprop or sgd.
    names : sequence of str, optional
        Where torch's parameters, in its order, are in `params`: paths with `.` or `/` between the
        keys, as in `layers.0.weight`. By default the names that torch keeps where its optimizer was
        made with `model.named_parameters()`; else the leaves' order.
    count : int, optional
        The number of steps done, for algorithms that do not count in torch (SGD, Muon).

    Returns
    -------
    state
        Like what `init` returns, with torch's hyperparameters, which the next step uses unless
        the optimizer has a schedule.

    Raises
    ------
    StateError
        If torch does not have the algorithm, uses an option that ours does not, or has other
        parameters; if the order of the parameters is not clear, or groups differ.

    Notes
    -----
    Parameters of several groups are taken as one group; it must have the same options everywhere.
    torch's Muon rounds to bfloat16 inside its steps: ours goes on from the same state, but not to
    the same digits.

    References
    ----------
    `torch.optim.Optimizer.state_dict`, in the documentation of PyTorch.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.state import from_torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> theirs = torch.optim.Adam([w], lr=0.1)
    >>> w.sum().backward()
    >>> theirs.step()
    >>> optimizer, params = adam(0.5), {"w": np.asarray([0.9, 1.9])}
    >>> state = from_torch(theirs.state_dict(), params, optimizer)
    >>> state.count, state.hyperparameters["learning_rate"], state.slots["mu"]
    (1, 0.1, {'w': array([0.1, 0.1])})
    """
    entry, fresh = _checked(optimizer), optimizer.init(params)
    _check_alone(fresh, optimizer)
    groups, order = _groups(state_dict), list(named_leaves(params, "params")[0])
    places = _places(groups, order, params, names)
    rows = _rows(state_dict, places)
    steps = {number(row["step"], "torch's `step`") for row in rows if "step" in row}
    begun = any(rows)
    slots = {
        name: _slot(entry.slots[name], rows, order, like) if begun else like
        for name, like in fresh.slots.items()
    }
    done = agreed(steps, "torch's `step`") if steps else int(begun) if count is None else count
    rates = hyperparameters(entry, groups, fresh, optimizer)
    return fresh._replace(count=int(done), hyperparameters=rates, slots=slots)


def to_torch(
    state: Any,
    state_dict: Mapping[str, Any],
    optimizer: Optimizer,
    *,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the state with which an optimizer of torch goes on where one of ours stopped.

    Parameters
    ----------
    state
        The state of `optimizer`, on any library.
    state_dict : dict
        What the `state_dict()` of torch's optimizer returns, fresh or not: it says the parameters,
        and the options that we do not have. It is not changed.
    optimizer : Optimizer
        The same algorithm.
    names : sequence of str, optional
        As for `from_torch`.

    Returns
    -------
    dict
        For `torch.optim.Optimizer.load_state_dict`, which brings the arrays to the dtype and device
        of each parameter.

    Raises
    ------
    StateError
        As `from_torch` does.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from arraygrad.optimizers import sgd
    >>> from arraygrad.state import to_torch
    >>> optimizer = sgd(0.1, momentum=0.9, convention="torch")
    >>> params, grads = {"w": np.asarray([1.0, 2.0])}, {"w": np.asarray([1.0, 0.0])}
    >>> params, state = optimizer.step(params, grads, optimizer.init(params))
    >>> theirs = torch.optim.SGD([torch.nn.Parameter(torch.tensor([0.9, 2.0]))], momentum=0.5)
    >>> theirs.load_state_dict(to_torch(state, theirs.state_dict(), optimizer))
    >>> theirs.param_groups[0]["momentum"], list(theirs.state.values())
    (0.9, [{'momentum_buffer': tensor([1., 0.])}])
    """
    entry, groups = _checked(optimizer), _groups(state_dict)
    check_state(state, optimizer, entry.slots)
    _check_alone(state, optimizer)
    rows: dict[int, dict[str, Any]] = {}
    columns = {name: named_leaves(tree, name)[0] for name, tree in state.slots.items()}
    if columns and number(state.count, "`state.count`"):
        tree = next(iter(state.slots.values()))
        order = list(next(iter(columns.values())))
        places = _places(groups, order, tree, names)
        rows = {
            place: _row(entry, {ours: column[leaf] for ours, column in columns.items()}, state)
            for place, leaf in zip(places, order, strict=True)
        }
    check_options(entry, groups, state.hyperparameters, optimizer)
    return {"state": rows, "param_groups": [options_of(entry, group, state) for group in groups]}


def _checked(optimizer: Optimizer) -> Entry:
    """Return an optimizer's entry.

    Raises
    ------
    StateError
        If there is none, or its slots mean something else.
    """
    entry: Entry = entry_for(TABLE, optimizer, "torch")
    check_convention(optimizer, entry.needs, NEVER, "torch")
    return entry


def _check_alone(state: Any, optimizer: Optimizer) -> None:
    """Make sure that there is no state of another optimizer inside.

    Raises
    ------
    StateError
        If there is one.
    """
    for field, part, _ in nested(state, optimizer):
        message = f"torch has nothing like {part!r}, which is `{field}` of {optimizer!r}"
        raise StateError(message)


def _groups(state_dict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of parameters.

    Raises
    ------
    StateError
        If it is not the state of one of torch's optimizers.
    """
    sound = isinstance(state_dict, Mapping) and isinstance(state_dict.get("state"), Mapping)
    groups = state_dict.get("param_groups") if sound else None
    if not (isinstance(groups, list | tuple) and groups and all(map(_is_group, groups))):
        raise StateError(_FOREIGN)
    return list(groups)


_FOREIGN = "`state_dict` must be what a torch optimizer's state_dict() returns"


def _is_group(group: Any) -> bool:
    """Say whether something lists parameters, and names if it has any, as torch's groups do."""
    if not (isinstance(group, Mapping) and isinstance(group.get("params"), list | tuple)):
        return False
    names = group.get("param_names", ())
    sound = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return sound and all(isinstance(place, int | str) for place in group["params"])


def _rows(state_dict: Mapping[str, Any], places: list[Any]) -> list[Mapping[str, Any]]:
    """Return torch's state of each parameter.

    Raises
    ------
    StateError
        If one is no dict.
    """
    rows = [state_dict["state"].get(place, {}) for place in places]
    if not all(isinstance(row, Mapping) for row in rows):
        raise StateError(_FOREIGN)
    return rows


# --- which parameter is which -----------------------------------------------------------------


def _places(
    groups: list[dict[str, Any]], order: list[str], tree: Tree, names: Sequence[str] | None
) -> list[int]:
    """Return torch's numbers of the parameters, in the order of our leaves.

    Raises
    ------
    StateError
        If they cannot be matched.
    """
    places = [place for group in groups for place in group["params"]]
    if names is None and all("param_names" in group for group in groups):
        names = [name for group in groups for name in group["param_names"]]
    if names is None and _sorted_otherwise(tree):
        message = (
            "pass `names`, torch's order of the parameters: a dict here has its keys in another "
            "order than the alphabet's, so the order of its leaves is not clear"
        )
        raise StateError(message)
    called = [name.replace("/", ".") for name in (order if names is None else names)]
    ours = [name.replace("/", ".") for name in order]
    if sorted(called) != sorted(ours) or len(places) != len(ours):
        message = f"torch has {len(places)} parameters, called {called}; ours are {ours}"
        raise StateError(message)
    found = dict(zip(called, places, strict=True))
    return [found[name] for name in ours]


def _sorted_otherwise(tree: Tree) -> bool:
    """Say whether a dict somewhere is not in the order in which its leaves are taken."""
    if tree is None or is_leaf(tree):
        return False
    below = children(tree)
    if isinstance(tree, dict) and list(tree) != list(below):
        return True
    return any(map(_sorted_otherwise, below.values()))


# --- slots --------------------------------------------------------------------------------------


def _slot(slot: str | ByAxes, rows: list[Mapping[str, Any]], order: list[str], like: Tree) -> Tree:
    """Return one slot, shaped and typed like a fresh one."""
    fresh, treedef = named_leaves(like, "params")
    found = []
    for leaf, row, x in zip(order, rows, fresh.values(), strict=True):
        name = _name(slot, x)
        if name is not None and row.get(name) is None:
            message = f"torch has no {name!r} for the parameter {leaf}: it never had a gradient"
            raise StateError(message)
        found.append(x if name is None else row[name])
    called = slot.matrix if isinstance(slot, ByAxes) else slot
    return moved(unflatten(treedef, found), like, f"torch's {called}", "params")


def _name(slot: str | ByAxes, leaf: Any) -> str | None:
    """Return what torch calls a leaf of a slot of ours, if it has it."""
    if isinstance(slot, ByAxes):
        return slot.matrix if leaf.ndim > 1 else slot.other
    return slot


def _row(entry: Entry, leaves: dict[str, Any], state: Any) -> dict[str, Any]:
    """Return torch's state of one parameter."""
    import torch

    names = {ours: _name(entry.slots[ours], leaf) for ours, leaf in leaves.items()}
    row = {name: _tensor(leaves[ours], ours) for ours, name in names.items() if name}
    if entry.counts:
        ours = {name: number(value, f"`{name}`") for name, value in state.hyperparameters.items()}
        count = number(state.count, "`state.count`")
        row["step"] = torch.tensor(float(count))
        for name, formula in entry.derived.items():
            row[name] = torch.tensor(formula(ours, count), dtype=torch.float64)
    return row


def _tensor(leaf: Any, name: str) -> Any:
    import torch

    dtype, values = saved(leaf, f"`state.slots[{name!r}]`")
    return torch.asarray(values, dtype=getattr(torch, dtype), copy=True)
