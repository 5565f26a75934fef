"""Averages of the parameters over steps: they often do better than the last ones."""

from typing import Any, NamedTuple

from arraygrad._typing import Array, Namespace, Tree
from arraygrad.errors import HyperparameterError
from arraygrad.kernels.gradients import move_part
from arraygrad.optimizers._hyperparameters import at_least_one, at_least_zero, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer
from arraygrad.optimizers._protocol import State, apply_updates
from arraygrad.schedules._scalars import scalars
from arraygrad.transformations._choice import widened
from arraygrad.transformations._members import step_of, update_of
from arraygrad.transformations.wrapper import Wrapper

__all__ = ["AverageState", "Averager", "average_params", "ema_params"]

_MOVE = KernelOptimizer("average", move_part, hyperparameters={}, values=("part",))


class AverageState(NamedTuple):
    """What `ema_params` and `average_params` remember.

    Attributes
    ----------
    count : int or 0-d array
        The number of steps done.
    average : tree of arrays
        The average, shaped like the parameters, in single precision at least.
    inner
        The optimizer's state.
    """

    count: Any
    average: Tree
    inner: Any


class Averager(Wrapper):
    """An optimizer that keeps an average of the parameters."""

    _state = AverageState

    def __init__(
        self, inner: Any, decay: float | Array | None, *, debias: bool, start: int, every: int
    ) -> None:
        super().__init__(inner, decay=decay, debias=debias, start=start, every=every)
        self.decay, self.debias, self.start, self.every = decay, debias, start, every

    def init(self, params: Tree, /) -> AverageState:
        """Return the state before the first step: the average is a copy."""
        return AverageState(0, widened(params, copy=True), self.inner.init(params))

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, and the next state."""
        if params is None:
            message = "an average of the parameters needs them: pass `params`"
            raise HyperparameterError(message)
        self._check(state, extra)
        updates, inner = update_of(self.inner, grads, state.inner, params, extra)
        moved = apply_updates(params, updates)
        return updates, self._next(moved, inner, state, donate=False)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after the optimizer's step, and the next state."""
        self._check(state, extra)
        moved, inner = step_of(self.inner, params, grads, state.inner, extra, donate=donate)
        return moved, self._next(moved, inner, state, donate=donate)

    def _next(self, params: Tree, inner: Any, state: Any, *, donate: bool) -> AverageState:
        """Return the state with these parameters averaged in."""
        part, average = self._part(state.count), state.average
        if not (isinstance(part, float) and part == 0):
            nothing = State(0, {}, {})
            average, _ = _MOVE.step(average, params, nothing, donate=donate, part=part)
        return AverageState(state.count + 1, average, inner)

    def _part(self, count: Any) -> Any:
        """Return which part of the way to the new parameters the average moves."""
        if self.decay is None:
            xp, count = scalars(count)
        else:
            xp, count, decay = scalars(count, self.decay)
        since = count + 1 - self.start
        number = xp.clip(xp.floor(since / self.every), min=1.0)
        part = 1 / number if self.decay is None else self._new(xp, decay, number)
        due = since - xp.floor(since / self.every) * self.every == 0
        part = xp.where(due, part, 0.0 * part)
        return xp.where(since <= 0, part * 0.0 + 1.0, part)

    def _new(self, xp: Namespace, decay: Any, number: Any) -> Any:
        """Return the part of the newest in an exponential average of so many."""
        bias = 1 - xp.pow(decay, number) if self.debias else 1.0
        return (1 - decay) / bias + 0.0 * number


def ema_params(
    inner: Any,
    decay: float | Array = 0.999,
    *,
    debias: bool = False,
    start: int = 0,
    every: int = 1,
) -> Averager:
    """Keep an exponential moving average of the parameters.

    Parameters
    ----------
    inner
        An optimizer, ours or optax's.
    decay : float or 0-d array
        What the average keeps of itself each time, in [0, 1).
    debias : bool
        Whether the first parameters that were given count for nothing.
    start : int
        Until after so many steps, the average is the parameters themselves.
    every : int
        From then on, after how many steps the parameters join the average each time.

    Returns
    -------
    Averager
        An optimizer that steps as `inner` does; the average is `state.average`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or `inner` no optimizer.

    Notes
    -----
    `average ← decay · average + (1 - decay) · w`. With `debias`, the average after t steps is
    divided by 1 - decayᵗ, as if it had begun with zeros: optax's `ema`. torch's `AveragedModel`
    with `get_ema_multi_avg_fn` begins with the first average: `start=1`.

    References
    ----------
    Polyak & Juditsky 1992, doi:10.1137/0330046; Kingma & Ba 2014, arXiv:1412.6980, section 7.2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import ema_params, scale
    >>> optimizer, w = ema_params(scale(-1.0), 0.75), np.asarray([8.0])
    >>> w, state = optimizer.step(w, np.asarray([4.0]), optimizer.init(w))
    >>> w, state.average
    (array([4.]), array([7.]))
    """
    in_unit(decay=decay)
    _check(start, every)
    return Averager(inner, decay, debias=debias, start=start, every=every)


def average_params(inner: Any, *, start: int = 0, every: int = 1) -> Averager:
    """Keep the mean of the parameters along the way (SWA).

    Parameters
    ----------
    inner
        An optimizer, ours or optax's; the paper's has a high or a cyclic learning rate.
    start : int
        After how many steps the average begins; until then it is the parameters themselves.
    every : int
        After how many steps the parameters join the average each time.

    Returns
    -------
    Averager
        An optimizer that steps as `inner` does; the average is `state.average`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or `inner` no optimizer.

    Notes
    -----
    `average ← average + (w - average) / n` for the n-th: torch's `AveragedModel`. The first that
    counts are those `every` steps after `start`; the paper's algorithm counts those at `start`
    too.

    References
    ----------
    Izmailov et al. 2018, arXiv:1803.05407, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import average_params, scale
    >>> optimizer, w = average_params(scale(-1.0)), np.asarray([8.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(2):
    ...     w, state = optimizer.step(w, np.asarray([2.0]), state)
    >>> w, state.average
    (array([4.]), array([5.]))
    """
    _check(start, every)
    return Averager(inner, None, debias=False, start=start, every=every)


def _check(start: int, every: int) -> None:
    """Refuse numbers of steps out of their range."""
    at_least_zero(start=start)
    at_least_one(every=every)
