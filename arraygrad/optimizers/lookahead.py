"""Lookahead: slow weights that follow the fast ones of another optimizer, which it wraps."""

from typing import Any, NamedTuple

from arraygrad import fusion
from arraygrad._namespace import array_namespace, is_array
from arraygrad._numbers import is_number
from arraygrad._tree import flatten, unflatten
from arraygrad._typing import Array, Tree
from arraygrad.kernels import averaging as kernels
from arraygrad.optimizers._checked import (
    TreeOptimizer,
    checked_optimizer,
    keywords_of,
    leaves_beside,
)
from arraygrad.optimizers._hyperparameters import at_least_zero, first_values, whole
from arraygrad.optimizers._kernel_optimizer import copies
from arraygrad.optimizers._protocol import (
    Hyperparameter,
    Optimizer,
    apply_updates,
    checked_leaves,
)
from arraygrad.optimizers._trees import leaves_like

__all__ = ["Lookahead", "LookaheadState", "lookahead"]


class LookaheadState(NamedTuple):
    """What `lookahead` remembers.

    Attributes
    ----------
    count : int or 0-d array
        The number of steps done.
    hyperparameters : dict
        Those that the last step used.
    slow : tree
        The slow weights: the parameters for evaluation.
    inner
        The state of the fast weights' optimizer.
    """

    count: Any
    hyperparameters: dict[str, Any]
    slow: Tree
    inner: Any


def lookahead(
    optimizer: Optimizer,
    *,
    sync_period: int = 5,
    slow_step_size: Hyperparameter = 0.5,
    reset_state: bool = False,
) -> "Lookahead":
    """Make lookahead: every k steps of another optimizer, go back part of the way.

    A wrapper of another optimizer. The parameters are the fast weights, where gradients are
    taken; evaluate the model at `state.slow`.

    Parameters
    ----------
    optimizer : Optimizer
        Moves the fast weights.
    sync_period : int
        k: every how many steps slow and fast weights meet.
    slow_step_size : float, 0-d array or schedule
        α: how far towards the fast weights they meet, 1 being there.
    reset_state : bool
        Whether the optimizer then starts with a fresh state.

    Returns
    -------
    Optimizer
        With the state `LookaheadState`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or `optimizer` is none.

    Notes
    -----
    With θ the fast and φ the slow weights, in each k-th step, after that of the optimizer::

        φ ← φ + α(θ - φ)
        θ ← φ

    References
    ----------
    Zhang et al. 2019, arXiv:1907.08610, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import lookahead, sgd
    >>> optimizer, w = lookahead(sgd(1.0), sync_period=2), np.asarray([4.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(2):
    ...     w, state = optimizer.step(w, np.asarray([1.0]), state)
    ...     print(w, state.slow)
    [3.] [4.]
    [3.] [3.]
    """
    checked_optimizer(optimizer, "optimizer", "init", "update", "step")
    at_least_zero(slow_step_size=slow_step_size)
    whole(sync_period=sync_period)
    return Lookahead(optimizer, sync_period, slow_step_size, reset_state=reset_state)


class Lookahead(TreeOptimizer):
    """Another optimizer, with slow weights: see `lookahead`."""

    name = "lookahead"

    def __init__(
        self,
        optimizer: Optimizer,
        sync_period: int,
        slow_step_size: Hyperparameter,
        *,
        reset_state: bool,
    ) -> None:
        self._inner, self._period, self._resets = optimizer, sync_period, reset_state
        self._hyperparameters = {"slow_step_size": slow_step_size}
        self.takes = keywords_of(optimizer)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} around {self._inner!r}>"

    def init(self, params: Tree, /) -> LookaheadState:
        """Return the state before the first step."""
        leaves, treedef = checked_leaves(params, "params")
        slow = unflatten(treedef, [copies(array_namespace(w), w) for w in leaves])
        first = first_values(self._hyperparameters)
        return LookaheadState(0, first, slow, self._inner.init(params))

    def _run(
        self, grads: Tree, state: LookaheadState, params: Tree | None, *, add: bool, **extra: Any
    ) -> tuple[Tree, LookaheadState]:
        """Return updates, or with `add` new parameters, and the next state."""
        weights, _, treedef = self._checked(params, grads)
        kept = self._current(state)
        left = (state.count + 1) % self._period
        if add and is_number(left) and left > 0:  # known, and not yet due
            ahead, inner = self._inner.step(params, grads, state.inner, **extra)
            return ahead, LookaheadState(state.count + 1, kept, state.slow, inner)
        moved, inner = self._inner.update(grads, state.inner, params, **extra)
        found, slow = fusion.evaluate(
            kernels.lookahead,
            [
                weights,
                leaves_beside(params, moved, "updates"),
                leaves_beside(params, state.slow, "state.slow"),
            ],
            {"left": left, **kept},
            slots=1,
            add=add,
        )
        result = unflatten(treedef, found)
        if self._resets:
            ahead = result if add else apply_updates(params, result)
            inner = _either(left == 0, self._inner.init(ahead), inner)
        return result, LookaheadState(state.count + 1, kept, unflatten(treedef, slow), inner)


def _either(condition: Any, one: Tree, other: Tree) -> Tree:
    """Return one of two trees, where the condition is known, or else a tree of choices."""
    if isinstance(condition, bool):
        return one if condition else other
    leaves, treedef = flatten(other)
    ones = leaves_like(treedef, one, argument="the first state", other="state")
    pairs = zip(ones, leaves, strict=True)
    return unflatten(treedef, [_either_leaf(condition, x, y) for x, y in pairs])


def _either_leaf(condition: Array, x: Any, y: Any) -> Any:
    """Return a choice of two arrays or numbers."""
    if not (is_array(x) or is_array(y)) and x == y:
        return x
    xp = array_namespace(condition)
    dtype = next((z.dtype for z in (y, x) if is_array(z)), None)
    x, y = (z if is_array(z) else xp.asarray(z, dtype=dtype) for z in (x, y))
    return xp.where(condition, x, y)
