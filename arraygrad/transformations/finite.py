"""Steps that are left out where gradients are infinite or not a number."""

from typing import Any, NamedTuple

from arraygrad._typing import Tree
from arraygrad.optimizers._hyperparameters import at_least_zero
from arraygrad.transformations._choice import all_finite, chosen, zeros_of
from arraygrad.transformations._members import step_of, update_of
from arraygrad.transformations.wrapper import Wrapper

__all__ = ["FiniteState", "apply_if_finite", "step_if", "update_if"]


def update_if(
    accept: Any, inner: Any, grads: Tree, state: Any, params: Tree | None, extra: dict[str, Any]
) -> tuple[Tree, Any]:
    """Return an optimizer's updates and state if accepted, else zeros and the old state."""
    safe = chosen(accept, grads, zeros_of(grads))
    updates, new = update_of(inner, safe, state, params, extra)
    return chosen(accept, updates, zeros_of(updates)), chosen(accept, new, state)


def step_if(
    accept: Any, inner: Any, params: Tree, grads: Tree, state: Any, extra: dict[str, Any]
) -> tuple[Tree, Any]:
    """Return an optimizer's parameters and state if accepted, else the old ones."""
    safe = chosen(accept, grads, zeros_of(grads))
    moved, new = step_of(inner, params, safe, state, extra, donate=False)
    return chosen(accept, moved, params), chosen(accept, new, state)


class FiniteState(NamedTuple):
    """What `apply_if_finite` remembers.

    Attributes
    ----------
    consecutive : int or 0-d array
        How many gradients in a row, up to the last, were not finite.
    total : int or 0-d array
        How many were not finite.
    last_finite : bool or 0-d array
        Whether the last were.
    inner
        The optimizer's state.
    """

    consecutive: Any
    total: Any
    last_finite: Any
    inner: Any


class _IfFinite(Wrapper):
    """See `apply_if_finite`."""

    _state = FiniteState

    def __init__(self, inner: Any, max_consecutive: int) -> None:
        super().__init__(inner, max_consecutive=max_consecutive)
        self.max_consecutive = max_consecutive

    def init(self, params: Tree, /) -> FiniteState:
        """Return the state before the first step."""
        return FiniteState(0, 0, True, self.inner.init(params))

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, or zeros, and the next state."""
        self._check(state, extra)
        accept, new = self._judged(grads, state)
        updates, inner = update_if(accept, self.inner, grads, state.inner, params, extra)
        return updates, new._replace(inner=inner)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after one step, or the same, and the next state."""
        self._check(state, extra)
        accept, new = self._judged(grads, state)
        params, inner = step_if(accept, self.inner, params, grads, state.inner, extra)
        return params, new._replace(inner=inner)

    def _judged(self, grads: Tree, state: FiniteState) -> tuple[Any, FiniteState]:
        """Say whether gradients are accepted, and count."""
        finite = all_finite(grads)
        consecutive = chosen(finite, 0, state.consecutive + 1)
        total = chosen(finite, state.total, state.total + 1)
        accept = finite | (consecutive > self.max_consecutive)
        return accept, FiniteState(consecutive, total, finite, state.inner)


def apply_if_finite(inner: Any, max_consecutive: int = 5) -> Wrapper:
    """Leave out steps whose gradients are infinite or not a number.

    Parameters
    ----------
    inner
        An optimizer, ours or optax's.
    max_consecutive : int
        How many steps are left out in a row at most: the next is taken all the same, so that the
        trouble shows.

    Returns
    -------
    Wrapper
        An optimizer. A step left out changes neither the parameters nor the state of `inner`.

    Raises
    ------
    HyperparameterError
        If `max_consecutive` is negative, or `inner` no optimizer.

    Notes
    -----
    No value is read: it works inside `jax.jit`, and without waiting for a device. Counts become
    0-d arrays. Nothing is donated. optax's `apply_if_finite`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import apply_if_finite
    >>> optimizer, w = apply_if_finite(adam(0.1)), np.asarray([1.0])
    >>> w, state = optimizer.step(w, np.asarray([np.nan]), optimizer.init(w))
    >>> w, int(state.total), int(state.inner.count)
    (array([1.]), 1, 0)
    """
    at_least_zero(max_consecutive=max_consecutive)
    return _IfFinite(inner, max_consecutive)
