"""Schedules one after the other, and the usual ones that warm up first."""

from collections.abc import Callable, Sequence
from typing import Any

from arraygrad._typing import Namespace
from arraygrad.errors import HyperparameterError
from arraygrad.schedules._scalars import Scalar, at_least, increasing, scalars
from arraygrad.schedules._schedule import Schedule
from arraygrad.schedules.decays import constant, cosine, exponential, linear

__all__ = ["join", "linear_warmup", "warmup_constant", "warmup_cosine", "warmup_exponential"]


def join(schedules: Sequence[Callable[[Any], Any]], boundaries: Sequence[int]) -> Schedule:
    """Follow schedules one after the other; each counts from its own beginning.

    Parameters
    ----------
    schedules : sequence of callable
        Functions of the number of steps done: ours, optax's or your own.
    boundaries : sequence of int
        After how many steps the next one takes over; one fewer than schedules.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If the boundaries do not grow, or are too few or too many.

    Notes
    -----
    optax's `join_schedules`, torch's `SequentialLR`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.join([schedules.linear(0.0, 1.0, 2), schedules.constant(0.5)], [3])
    >>> [schedule(count) for count in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.5]
    """
    if not (isinstance(schedules, list | tuple) and all(map(callable, schedules))):
        message = f"`schedules` must be a sequence of schedules, got {schedules!r}"
        raise HyperparameterError(message)
    boundaries = increasing("boundaries", boundaries)
    if len(schedules) != len(boundaries) + 1:
        message = f"`boundaries` must be {len(schedules) - 1}, between schedules, got {boundaries}"
        raise HyperparameterError(message)
    return Schedule("join", _join, schedules=tuple(schedules), boundaries=boundaries)


def _join(
    xp: Namespace,
    count: Scalar,
    *,
    schedules: Sequence[Callable[[Any], Any]],
    boundaries: Sequence[float],
) -> Scalar:
    begins = (0.0, *boundaries)
    counts = [xp.clip(count - begin, min=0.0) for begin in begins]
    values = [schedule(count) for schedule, count in zip(schedules, counts, strict=True)]
    xp, count, value, *rest = scalars(count, *values)
    for begin, later in zip(boundaries, rest, strict=True):
        value = xp.where(count < begin, value, later)
    return value


def linear_warmup(
    schedule: Callable[[Any], Any], warmup_steps: int, *, init_value: Scalar = 0.0
) -> Schedule:
    """Go up to where a schedule begins along a line, and then follow it.

    Parameters
    ----------
    schedule : callable
        What follows; it counts from the end of the warm-up.
    warmup_steps : int
        How many steps the warm-up takes; with 0 there is none.
    init_value : float or 0-d array
        The first value.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If the number of steps is out of its range.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.linear_warmup(schedules.step(1.0, 2, gamma=0.5), 2)
    >>> [schedule(count) for count in range(5)]
    [0.0, 0.5, 1.0, 1.0, 0.5]
    """
    at_least(0, warmup_steps=warmup_steps)
    if not callable(schedule):
        message = f"`schedule` must be a schedule, got {schedule!r}"
        raise HyperparameterError(message)
    if warmup_steps == 0:
        return join([schedule], [])
    return join([linear(init_value, schedule(0), warmup_steps), schedule], [warmup_steps])


def warmup_constant(init_value: Scalar, peak_value: Scalar, warmup_steps: int) -> Schedule:
    """Go up along a line, and stay there.

    Parameters
    ----------
    init_value, peak_value : float or 0-d array
        The first and the last value.
    warmup_steps : int
        How many steps the warm-up takes; with 0 there is none.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If the number of steps is out of its range.

    Notes
    -----
    optax's `warmup_constant_schedule`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.warmup_constant(0.0, 1.0, 2)
    >>> [schedule(count) for count in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return linear_warmup(constant(peak_value), warmup_steps, init_value=init_value)


def warmup_cosine(
    init_value: Scalar,
    peak_value: Scalar,
    warmup_steps: int,
    decay_steps: int,
    *,
    end_value: Scalar = 0.0,
    exponent: Scalar = 1.0,
) -> Schedule:
    """Go up along a line, and down along half a cosine.

    Parameters
    ----------
    init_value, peak_value, end_value : float or 0-d array
        The first, the greatest and the last value.
    warmup_steps : int
        How many steps the warm-up takes; with 0 there is none.
    decay_steps : int
        How many steps everything takes, the warm-up included.
    exponent : float or 0-d array
        The power of the cosine.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If a number of steps is out of its range.

    Notes
    -----
    optax's `warmup_cosine_decay_schedule`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.warmup_cosine(0.0, 1.0, 2, 6)
    >>> [round(schedule(count), 3) for count in range(7)]
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    at_least(0, warmup_steps=warmup_steps)
    at_least(warmup_steps + 1, decay_steps=decay_steps)
    decay = cosine(peak_value, decay_steps - warmup_steps, end_value=end_value, exponent=exponent)
    return linear_warmup(decay, warmup_steps, init_value=init_value)


def warmup_exponential(
    init_value: Scalar,
    peak_value: Scalar,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: Scalar,
    *,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: Scalar | None = None,
) -> Schedule:
    """Go up along a line, and decay exponentially.

    Parameters
    ----------
    init_value, peak_value : float or 0-d array
        The first and the greatest value.
    warmup_steps : int
        How many steps the warm-up takes; with 0 there is none.
    transition_steps, decay_rate, transition_begin, staircase, end_value
        As for `exponential`, whose steps are counted from the end of the warm-up.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    optax's `warmup_exponential_decay_schedule`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.warmup_exponential(0.0, 1.0, 2, 1, 0.5)
    >>> [schedule(count) for count in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    decay = exponential(
        peak_value,
        transition_steps,
        decay_rate,
        transition_begin=transition_begin,
        staircase=staircase,
        end_value=end_value,
    )
    return linear_warmup(decay, warmup_steps, init_value=init_value)
