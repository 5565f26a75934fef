"""Smaller steps once the cost no longer goes down."""

import math
from typing import Any, NamedTuple

from arraygrad._typing import Tree
from arraygrad.errors import HyperparameterError
from arraygrad.kernels.gradients import scale as scale_kernel
from arraygrad.optimizers._hyperparameters import at_least_one, at_least_zero, within
from arraygrad.optimizers._protocol import Optimizer, State
from arraygrad.schedules._scalars import scalars
from arraygrad.transformations._choice import chosen
from arraygrad.transformations._kernel_transformation import KernelTransformation

__all__ = ["PlateauState", "reduce_on_plateau"]

_SCALE = KernelTransformation("scale", scale_kernel, hyperparameters={}, values=("factor",))


class PlateauState(NamedTuple):
    """What `reduce_on_plateau` remembers.

    Attributes
    ----------
    scale : float or 0-d array
        By what updates are multiplied.
    best : float or 0-d array
        The best value so far.
    bad_count : int or 0-d array
        How many values in a row were no better.
    cooldown : int or 0-d array
        How many values will still be ignored.
    mean : float or 0-d array
        The mean of the values that were accumulated so far.
    count : int or 0-d array
        How many these are.
    """

    scale: Any
    best: Any
    bad_count: Any
    cooldown: Any
    mean: Any
    count: Any


class _PlateauReducer(Optimizer):
    """See `reduce_on_plateau`."""

    takes, _state = frozenset({"value"}), PlateauState

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self._settings.items())
        return f"<transformation reduce_on_plateau({settings})>"

    def init(self, params: Tree, /) -> PlateauState:
        """Return the state before the first step."""
        worst = math.inf if self._settings["mode"] == "min" else -math.inf
        return PlateauState(1.0, worst, 0, 0, 0.0, 0)

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the scaled updates, and the next state."""
        if "value" not in extra:
            message = "reduce_on_plateau needs `value`: pass it to the step as value=..."
            raise HyperparameterError(message)
        self._check(state, extra)
        new = self._judged(state, extra["value"])
        updates, _ = _SCALE.update(grads, State(0, {}, {}), factor=new.scale)
        return updates, new

    def _judged(self, state: PlateauState, value: Any) -> PlateauState:
        """Return the state after a value has been seen."""
        _, count, mean, value = scalars(state.count, state.mean, value)
        mean = (count * mean + value) / (count + 1)
        waiting = state._replace(mean=mean, count=state.count + 1)
        full = state.count + 1 >= self._settings["accumulation"]
        return chosen(full, self._compared(waiting), waiting)  # type: ignore[no-any-return]

    def _compared(self, state: PlateauState) -> PlateauState:
        """Return the state after the mean has been compared with the best."""
        given = self._settings
        _, mean, best, scale = scalars(state.mean, state.best, state.scale)
        better = _better(mean, best, given["mode"], given["rtol"], given["atol"])
        bad = chosen(better, 0, state.bad_count + 1)
        cooling = state.cooldown > 0
        reduce = chosen(cooling, False, bad >= given["patience"])
        smaller = scale * given["factor"]
        least = chosen(smaller < given["min_scale"], smaller * 0 + given["min_scale"], smaller)
        return PlateauState(
            scale=chosen(reduce, least, scale),
            best=chosen(better, mean, best),
            bad_count=chosen(reduce | cooling, 0, bad),
            cooldown=chosen(reduce, given["cooldown"], chosen(cooling, state.cooldown - 1, 0)),
            mean=mean * 0,
            count=0,
        )


def _better(value: Any, best: Any, mode: str, rtol: float, atol: float) -> Any:
    """Say whether a value is better than the best by more than the tolerances."""
    if mode == "min":
        return value < (1 - rtol) * best - atol
    return value > (1 + rtol) * best + atol


def reduce_on_plateau(
    *,
    factor: float = 0.1,
    patience: int = 10,
    rtol: float = 1e-4,
    atol: float = 0.0,
    cooldown: int = 0,
    accumulation: int = 1,
    min_scale: float = 0.0,
    mode: str = "min",
) -> Optimizer:
    """Multiply updates by a scale that is reduced when a value no longer gets better.

    Parameters
    ----------
    factor : float
        By what the scale, 1 at first, is multiplied, in (0, 1).
    patience : int
        After how many values in a row that are no better.
    rtol, atol : float
        A value is better than the best if less than `(1 - rtol) * best - atol`.
    cooldown : int
        How many values are ignored after a reduction.
    accumulation : int
        Of how many values the mean counts as one: more than 1 for costs of mini-batches.
    min_scale : float
        The least scale.
    mode : {"min", "max"}
        Whether less is better, or more, as of an accuracy.

    Returns
    -------
    Optimizer
        A transformation for the end of a chain, after an optimizer. Each step needs
        `value=...`, a number or a 0-d array.

    Raises
    ------
    HyperparameterError
        If a number is out of its range; in use, if there is no `value`.

    Notes
    -----
    optax's `contrib.reduce_on_plateau`. torch's `ReduceLROnPlateau` waits for one more: its
    `patience=p` is `p + 1` here. No value is read, so it works inside `jax.jit`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import chain, reduce_on_plateau, scale
    >>> optimizer, w = chain(scale(-1.0), reduce_on_plateau(factor=0.5, patience=2)), np.ones(1)
    >>> state = optimizer.init(w)
    >>> for value in (3.0, 3.0, 3.0):
    ...     w, state = optimizer.step(w, np.ones(1), state, value=value)
    >>> state[1].scale
    0.5
    """
    within("in (0, 1)", lambda x: 0 < x < 1, factor=factor)
    within("in [0, 1]", lambda x: 0 <= x <= 1, rtol=rtol)
    at_least_zero(atol=atol, cooldown=cooldown, min_scale=min_scale)
    at_least_one(patience=patience, accumulation=accumulation)
    if mode not in ("min", "max"):
        message = f'`mode` must be "min" or "max", got {mode!r}'
        raise HyperparameterError(message)
    return _PlateauReducer(
        factor=factor,
        patience=patience,
        rtol=rtol,
        atol=atol,
        cooldown=cooldown,
        accumulation=accumulation,
        min_scale=min_scale,
        mode=mode,
    )
