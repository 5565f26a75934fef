"""Schedules of pieces: constant ones, and ones that are interpolated."""

import itertools
import math
import operator
from collections.abc import Mapping, Sequence

from arraygrad._typing import Namespace
from arraygrad.errors import HyperparameterError
from arraygrad.schedules._scalars import Scalar, at_least, increasing, one_of, positive, real
from arraygrad.schedules._schedule import Schedule
from arraygrad.schedules.decays import exponential

__all__ = [
    "interpolated",
    "multistep",
    "piecewise_constant",
    "piecewise_interpolate",
    "step",
]


def piecewise_constant(init_value: Scalar, boundaries_and_scales: Mapping[int, Scalar]) -> Schedule:
    """Multiply by a factor at each boundary.

    Parameters
    ----------
    init_value : float or 0-d array
        The first value.
    boundaries_and_scales : mapping of int to float or 0-d array
        After how many steps the value is multiplied by what, from then on.

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
    optax's `piecewise_constant_schedule`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.piecewise_constant(1.0, {2: 0.5, 4: 0.5})
    >>> [schedule(count) for count in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    boundaries, scales = _pieces(boundaries_and_scales)
    real(init_value=init_value)
    return Schedule(
        "piecewise_constant", _piecewise_constant, init_value, *scales, boundaries=boundaries
    )


def _pieces(
    boundaries_and_scales: Mapping[int, Scalar],
) -> tuple[tuple[int, ...], tuple[Scalar, ...]]:
    """Return boundaries, in order, and their scales.

    Raises
    ------
    HyperparameterError
        If they are no mapping of numbers, or one is negative.
    """
    if not isinstance(boundaries_and_scales, Mapping):
        message = f"`boundaries_and_scales` must be a mapping, got {boundaries_and_scales!r}"
        raise HyperparameterError(message)
    for boundary in boundaries_and_scales:
        at_least(0, boundaries_and_scales=boundary)
    boundaries = tuple(sorted(boundaries_and_scales))
    scales = tuple(boundaries_and_scales[boundary] for boundary in boundaries)
    for boundary, scale in zip(boundaries, scales, strict=True):
        at_least(0, **{f"boundaries_and_scales[{boundary}]": scale})
    return boundaries, scales


def _piecewise_constant(
    xp: Namespace, count: Scalar, value: Scalar, *scales: Scalar, boundaries: Sequence[int]
) -> Scalar:
    value = value + xp.zeros_like(count)
    for boundary, scale in zip(boundaries, scales, strict=True):
        value = xp.where(count < boundary, value, value * scale)
    return value


def step(init_value: Scalar, step_size: int, *, gamma: Scalar = 0.1) -> Schedule:
    """Multiply by a factor every so many steps.

    Parameters
    ----------
    init_value : float or 0-d array
        The first value.
    step_size : int
        After how many steps it is multiplied, each time.
    gamma : float or 0-d array
        The factor, greater than 0.

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
    torch's `StepLR`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.step(1.0, 2, gamma=0.5)
    >>> [schedule(count) for count in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    at_least(1, step_size=step_size)
    positive(gamma=gamma)
    return exponential(init_value, step_size, gamma, staircase=True)


def multistep(init_value: Scalar, milestones: Sequence[int], *, gamma: Scalar = 0.1) -> Schedule:
    """Multiply by a factor at each of some milestones.

    Parameters
    ----------
    init_value : float or 0-d array
        The first value.
    milestones : sequence of int
        After how many steps it is multiplied; they grow.
    gamma : float or 0-d array
        The factor.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the milestones do not grow.

    Notes
    -----
    torch's `MultiStepLR`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.multistep(1.0, [1, 3], gamma=0.5)
    >>> [schedule(count) for count in range(4)]
    [1.0, 0.5, 0.5, 0.25]
    """
    scales: dict[int, Scalar] = dict.fromkeys(increasing("milestones", milestones), gamma)
    return piecewise_constant(init_value, scales)


def piecewise_interpolate(
    init_value: Scalar,
    boundaries_and_scales: Mapping[int, Scalar],
    *,
    interpolation: str = "linear",
) -> Schedule:
    """Go from value to value, each the one before times a factor.

    Parameters
    ----------
    init_value : float or 0-d array
        The first value.
    boundaries_and_scales : mapping of int to float or 0-d array
        After how many steps which factor is reached.
    interpolation : {"linear", "cosine"}
        Along what, between boundaries.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the interpolation unknown.

    Notes
    -----
    optax's `piecewise_interpolate_schedule`.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.piecewise_interpolate(1.0, {2: 0.5, 4: 0.5})
    >>> [schedule(count) for count in range(6)]
    [1.0, 0.75, 0.5, 0.375, 0.25, 0.25]
    """
    one_of(("linear", "cosine"), interpolation=interpolation)
    boundaries, scales = _pieces(boundaries_and_scales)
    real(init_value=init_value)
    return Schedule(
        "piecewise_interpolate",
        _piecewise_interpolate,
        init_value,
        *scales,
        boundaries=boundaries,
        interpolation=interpolation,
    )


def _piecewise_interpolate(
    xp: Namespace,
    count: Scalar,
    value: Scalar,
    *scales: Scalar,
    boundaries: Sequence[int],
    interpolation: str,
) -> Scalar:
    values = list(itertools.accumulate(scales, operator.mul, initial=value))
    return interpolated(xp, count, values, boundaries, interpolation)


def interpolated(
    xp: Namespace,
    count: Scalar,
    values: Sequence[Scalar],
    boundaries: Sequence[float],
    interpolation: str,
) -> Scalar:
    """Return what lies between the values, of which the first is at 0, the others at boundaries."""
    result, begin = values[0] + xp.zeros_like(count), 0.0
    for end, start, stop in zip(boundaries, values, values[1:], strict=False):
        done = xp.clip((count - begin) / (end - begin or 1.0), min=0.0, max=1.0)
        if interpolation == "cosine":
            done = 0.5 * (1 - xp.cos(math.pi * done))
        result = xp.where(count < begin, result, start + (stop - start) * done)
        begin = end
    return result
