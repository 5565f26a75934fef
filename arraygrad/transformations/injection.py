"""New hyperparameters for a state, between two steps."""

from typing import Any

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers._protocol import State

__all__ = ["with_hyperparameters"]


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
        If no optimizer has a hyperparameter of that name.

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
    used: set[str] = set()
    new = _replaced(state, values, used)
    for name in values:
        if name not in used:
            message = f"no optimizer of this state has the hyperparameter `{name}`"
            raise HyperparameterError(message)
    return new


def _replaced(state: Any, values: dict[str, Any], used: set[str]) -> Any:
    """Return a state with new values, and take down which were used."""
    if isinstance(state, State):
        known = state.hyperparameters
        used.update(known.keys() & values.keys())
        new = {name: values.get(name, value) for name, value in known.items()}
        return state._replace(hyperparameters=new)
    if isinstance(state, dict):
        return type(state)((key, _replaced(x, values, used)) for key, x in state.items())
    if isinstance(state, tuple):
        parts = [_replaced(x, values, used) for x in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state
