"""Gradients of several mini-batches, for one step."""

from collections.abc import Callable
from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace
from arraygrad._tree import flatten, unflatten
from arraygrad._typing import Tree
from arraygrad.kernels.gradients import add_to_mean, add_to_sum
from arraygrad.optimizers._hyperparameters import at_least_one
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer
from arraygrad.optimizers._protocol import State
from arraygrad.transformations._choice import chosen, widened, zeros_of
from arraygrad.transformations._members import step_of, update_of
from arraygrad.transformations.wrapper import Wrapper

__all__ = ["AccumulationState", "Accumulator", "accumulate_gradients"]

_MEAN = KernelOptimizer("mean", add_to_mean, hyperparameters={}, values=("done",))
_SUM = KernelOptimizer("sum", add_to_sum, hyperparameters={})


class AccumulationState(NamedTuple):
    """What `accumulate_gradients` remembers.

    Attributes
    ----------
    mini_step : int or 0-d array
        The number of gradients since the last step: 0 just after one.
    gradient_step : int or 0-d array
        The number of steps.
    accumulated : tree of arrays
        Their mean or sum.
    inner
        The optimizer's state.
    """

    mini_step: Any
    gradient_step: Any
    accumulated: Tree
    inner: Any


class Accumulator(Wrapper):
    """An optimizer that takes a step every so many gradients: see `accumulate_gradients`."""

    _state = AccumulationState

    def __init__(self, inner: Any, every: int | Callable[[Any], Any], *, mean: bool) -> None:
        super().__init__(inner, every=every, mean=mean)
        self.every, self.mean = every, mean

    def init(self, params: Tree, /) -> AccumulationState:
        """Return the state before the first gradient."""
        return AccumulationState(0, 0, zeros_of(widened(params)), self.inner.init(params))

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, most times zeros, and the next state."""
        self._check(state, extra)
        mean, full = self._add(grads, state, donate=False)
        zeros = zeros_of(grads)
        if full is False:
            return zeros, state._replace(mini_step=state.mini_step + 1, accumulated=mean)
        updates, inner = update_of(self.inner, mean, state.inner, params, extra)
        updates = chosen(full, _cast_like(updates, grads), zeros)
        return updates, self._next(full, mean, inner, state)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters, most times as they are, and the next state."""
        self._check(state, extra)
        mean, full = self._add(grads, state, donate=donate)
        if full is False:
            return params, state._replace(mini_step=state.mini_step + 1, accumulated=mean)
        donate = donate and full is True  # else the old parameters may be needed
        moved, inner = step_of(self.inner, params, mean, state.inner, extra, donate=donate)
        return chosen(full, moved, params), self._next(full, mean, inner, state)

    def _add(self, grads: Tree, state: AccumulationState, *, donate: bool) -> tuple[Tree, Any]:
        """Return what is accumulated with these gradients, and whether that is enough."""
        adder = _MEAN if self.mean else _SUM
        extra = {"done": state.mini_step} if self.mean else {}
        mean, _ = adder.step(state.accumulated, grads, State(0, {}, {}), donate=donate, **extra)
        every = self.every(state.gradient_step) if callable(self.every) else self.every
        return mean, state.mini_step + 1 >= every

    @staticmethod
    def _next(full: Any, mean: Tree, inner: Any, state: AccumulationState) -> AccumulationState:
        """Return the state after a step that was taken if `full`."""
        fresh = AccumulationState(0, state.gradient_step + 1, zeros_of(mean), inner)
        same = state._replace(mini_step=state.mini_step + 1, accumulated=mean)
        return chosen(full, fresh, same)  # type: ignore[no-any-return]


def _cast_like(tree: Tree, model: Tree) -> Tree:
    """Return a tree in the dtypes of another."""
    leaves, treedef = flatten(tree)
    pairs = zip(leaves, flatten(model)[0], strict=True)
    return unflatten(treedef, [array_namespace(x).astype(x, y.dtype, copy=False) for x, y in pairs])


def accumulate_gradients(
    inner: Any, every: int | Callable[[Any], Any], *, mean: bool = True
) -> Accumulator:
    """Take a step every so many gradients, with their mean: large batches in little memory.

    Parameters
    ----------
    inner
        An optimizer, ours or optax's.
    every : int or schedule
        How many gradients make a step; a schedule is given the number of steps done.
    mean : bool
        Whether the mean is taken, else the sum.

    Returns
    -------
    Accumulator
        An optimizer. Between steps its updates are zeros; `state.mini_step` is 0 after a step.

    Raises
    ------
    HyperparameterError
        If `every` is less than 1, or `inner` no optimizer.

    Notes
    -----
    The mean is kept in single precision at least. Where the count is a Python number, the inner
    optimizer runs only when its step is due; where it is traced, always. optax's `MultiSteps`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import accumulate_gradients
    >>> optimizer, w = accumulate_gradients(adam(0.1), 2), np.asarray([1.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(3):
    ...     w, state = optimizer.step(w, np.asarray([1.0]), state)
    >>> w.round(3), state.mini_step, state.gradient_step
    (array([0.9]), 1, 1)
    """
    at_least_one(every=every)
    return Accumulator(inner, every, mean=mean)
