"""New hyperparameters for a state, between two steps."""

from copy import copy
from typing import Any

from arraygrad._namespace import is_array
from arraygrad.errors import HyperparameterError
from arraygrad.optimizers._hyperparameters import at_least_zero, in_unit, real

__all__ = ["with_hyperparameters"]

_SIGNED = frozenset({"f_min", "factor"})
_UNIT = frozenset({"beta1", "beta2", "beta3", "dampening", "gram_beta", "momentum"})


def with_hyperparameters(state: Any, **values: Any) -> Any:
    """Return a state whose next step uses other hyperparameters.

    Parameters
    ----------
    state
        The state of an optimizer, a chain, groups or a wrapper; it is not changed.
    **values : float or 0-d array
        New values by name. Every optimizer in the state that has one of that name takes it; to
        change one of several, give its part of the state.

    Returns
    -------
    state

    Raises
    ------
    HyperparameterError
        If no optimizer has a hyperparameter of that name, or a number is out of its range.

    Notes
    -----
    A hyperparameter that is a schedule stays one: its value is that of the schedule. What the
    last step used can be read in `state.hyperparameters`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import chain, clip_by_norm, with_hyperparameters
    >>> optimizer = chain(clip_by_norm(1.0), adam(0.1))
    >>> state = with_hyperparameters(optimizer.init(np.ones(2)), learning_rate=0.01)
    >>> state[1].hyperparameters["learning_rate"]
    0.01
    """
    for name, value in values.items():
        _check(name, value)
    used: set[str] = set()
    new = _replaced(state, values, used)
    for name in values:
        if name not in used:
            message = f"no optimizer of this state has the hyperparameter `{name}`"
            raise HyperparameterError(message)
    return new


def _check(name: str, value: Any) -> None:
    """Refuse a schedule, and what no optimizer has in the place of a hyperparameter."""
    if callable(value) and not is_array(value):
        message = f"`{name}` must be a number or a 0-d array here, got the schedule {value!r}"
        raise HyperparameterError(message)
    check = real if name in _SIGNED else in_unit if name in _UNIT else at_least_zero
    check(**{name: value})


def _replaced(state: Any, values: dict[str, Any], used: set[str]) -> Any:
    """Return a state with new values, and take down which were used."""
    fields = getattr(state, "_fields", ())
    if "hyperparameters" in fields:
        known = state.hyperparameters
        used.update(known.keys() & values.keys())
        state = state._replace(hyperparameters={k: values.get(k, x) for k, x in known.items()})
    if isinstance(state, dict):
        new = copy(state)
        new.update((key, _replaced(x, values, used)) for key, x in state.items())
        return new
    if fields:
        own = ("hyperparameters", "slots")  # which hold no states
        kept = {name: x for name, x in zip(fields, state, strict=True) if name not in own}
        return state._replace(**{name: _replaced(x, values, used) for name, x in kept.items()})
    if isinstance(state, tuple):
        return tuple(_replaced(x, values, used) for x in state)
    return state
