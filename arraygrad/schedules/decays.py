"""Schedules that go from one value to another, or stay."""

import math

from arraygrad._typing import Namespace
from arraygrad.schedules._scalars import Scalar, at_least, positive, real
from arraygrad.schedules._schedule import Schedule

__all__ = ["constant", "cosine", "exponential", "inverse_time", "linear", "polynomial"]


def constant(value: Scalar) -> Schedule:
    """Stay at one value.

    Parameters
    ----------
    value : float or 0-d array
        The value.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedules.constant(0.1)(100)
    0.1
    """
    real(value=value)
    return Schedule("constant", _constant, value)


def _constant(xp: Namespace, count: Scalar, value: Scalar) -> Scalar:
    return value + xp.zeros_like(count)


def linear(
    init_value: Scalar, end_value: Scalar, transition_steps: float, *, transition_begin: float = 0
) -> Schedule:
    """Go from one value to another along a line, and stay there.

    Parameters
    ----------
    init_value, end_value : float or 0-d array
        The first and the last value.
    transition_steps : int
        How many steps that takes.
    transition_begin : int
        After how many steps it begins.

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
    `polynomial` with the power 1; optax's `linear_schedule`, torch's `LinearLR`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.linear(1.0, 0.0, 4)
    >>> [schedule(count) for count in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    return polynomial(init_value, end_value, 1, transition_steps, transition_begin=transition_begin)


def polynomial(
    init_value: Scalar,
    end_value: Scalar,
    power: Scalar,
    transition_steps: float,
    *,
    transition_begin: float = 0,
) -> Schedule:
    """Go from one value to another along a power of what is left, and stay there.

    Parameters
    ----------
    init_value, end_value : float or 0-d array
        The first and the last value.
    power : float or 0-d array
        The exponent.
    transition_steps : int
        How many steps that takes.
    transition_begin : int
        After how many steps it begins.

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
    With t steps done since the beginning, of T::

        end + (init - end) · (1 - t / T)^power

    optax's `polynomial_schedule`, torch's `PolynomialLR` (where `end_value` is 0).

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.polynomial(1.0, 0.0, 2, 4)
    >>> [schedule(count) for count in (0, 2, 4)]
    [1.0, 0.25, 0.0]
    """
    at_least(1, transition_steps=transition_steps)
    at_least(0, transition_begin=transition_begin)
    real(init_value=init_value, end_value=end_value, power=power)
    return Schedule(
        "polynomial",
        _polynomial,
        init_value,
        end_value,
        power,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )


def _polynomial(
    xp: Namespace,
    count: Scalar,
    init: Scalar,
    end: Scalar,
    power: Scalar,
    *,
    transition_steps: float,
    transition_begin: float,
) -> Scalar:
    left = 1 - xp.clip((count - transition_begin) / transition_steps, min=0.0, max=1.0)
    return end + (init - end) * left**power


def exponential(
    init_value: Scalar,
    transition_steps: float,
    decay_rate: Scalar,
    *,
    transition_begin: float = 0,
    staircase: bool = False,
    end_value: Scalar | None = None,
) -> Schedule:
    """Multiply by the same factor again and again.

    Parameters
    ----------
    init_value : float or 0-d array
        The first value.
    transition_steps : int
        How many steps it takes to multiply by the factor once.
    decay_rate : float or 0-d array
        The factor, greater than 0.
    transition_begin : int
        After how many steps it begins.
    staircase : bool
        Whether the value changes every `transition_steps` only.
    end_value : float or 0-d array, optional
        Where it stops: a lower bound if the factor is less than 1, else an upper one.

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
    With t steps done since the beginning, of T::

        init · rate^(t / T)

    optax's `exponential_decay`; torch's `ExponentialLR` is `exponential(lr, 1, gamma)`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.exponential(1.0, 2, 0.25)
    >>> [schedule(count) for count in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    at_least(1, transition_steps=transition_steps)
    at_least(0, transition_begin=transition_begin)
    positive(decay_rate=decay_rate)
    real(init_value=init_value, end_value=0.0 if end_value is None else end_value)
    return Schedule(
        "exponential",
        _exponential,
        init_value,
        decay_rate,
        *(() if end_value is None else (end_value,)),
        transition_steps=transition_steps,
        transition_begin=transition_begin,
        staircase=staircase,
    )


def _exponential(
    xp: Namespace,
    count: Scalar,
    init: Scalar,
    rate: Scalar,
    end: Scalar | None = None,
    *,
    transition_steps: float,
    transition_begin: float,
    staircase: bool,
) -> Scalar:
    times = xp.clip(count - transition_begin, min=0.0) / transition_steps
    value = init * xp.pow(rate, xp.floor(times) if staircase else times)
    if end is None:
        return value
    return xp.where(rate < 1, xp.maximum(value, end), xp.minimum(value, end))


def inverse_time(
    init_value: Scalar,
    transition_steps: float,
    decay_rate: Scalar,
    *,
    staircase: bool = False,
) -> Schedule:
    """Divide by a number that grows along a line.

    Parameters
    ----------
    init_value : float or 0-d array
        The first value.
    transition_steps : int
        How many steps it takes for the divisor to grow by `decay_rate`.
    decay_rate : float or 0-d array
        By how much.
    staircase : bool
        Whether the value changes every `transition_steps` only.

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
    With t steps done, of T: `init / (1 + rate · t / T)`, Keras's `InverseTimeDecay`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.inverse_time(1.0, 1, 1.0)
    >>> [schedule(count) for count in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """
    at_least(1, transition_steps=transition_steps)
    at_least(0, decay_rate=decay_rate)
    real(init_value=init_value)
    return Schedule(
        "inverse_time",
        _inverse_time,
        init_value,
        decay_rate,
        transition_steps=transition_steps,
        staircase=staircase,
    )


def _inverse_time(
    xp: Namespace,
    count: Scalar,
    init: Scalar,
    rate: Scalar,
    *,
    transition_steps: float,
    staircase: bool,
) -> Scalar:
    times = count / transition_steps
    return init / (1 + rate * (xp.floor(times) if staircase else times))


def cosine(
    init_value: Scalar, decay_steps: float, *, end_value: Scalar = 0.0, exponent: Scalar = 1.0
) -> Schedule:
    """Go from one value to another along half a cosine, and stay there.

    Parameters
    ----------
    init_value, end_value : float or 0-d array
        The first and the last value.
    decay_steps : int
        How many steps that takes.
    exponent : float or 0-d array
        The power to which the cosine, raised to [0, 1], is taken.

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
    With t steps done, of T::

        end + (init - end) · (½ (1 + cos(π t / T)))^exponent

    optax's `cosine_decay_schedule` with `alpha = end / init`; the first T steps of torch's
    `CosineAnnealingLR`, which then goes up again.

    References
    ----------
    Loshchilov & Hutter 2016, arXiv:1608.03983, equation 5, without restarts.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.cosine(1.0, 4)
    >>> [round(schedule(count), 3) for count in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    at_least(1, decay_steps=decay_steps)
    real(init_value=init_value, end_value=end_value, exponent=exponent)
    return Schedule("cosine", _cosine, init_value, end_value, exponent, decay_steps=decay_steps)


def _cosine(
    xp: Namespace, count: Scalar, init: Scalar, end: Scalar, exponent: Scalar, *, decay_steps: float
) -> Scalar:
    done = xp.clip(count / decay_steps, min=0.0, max=1.0)
    return end + (init - end) * (0.5 * (1 + xp.cos(math.pi * done))) ** exponent
