"""Schedules that go up and down: restarted cosines, one cycle, triangles."""

import math

from arraygrad._typing import Namespace
from arraygrad.errors import HyperparameterError
from arraygrad.schedules._scalars import Scalar, at_least, one_of, positive, real
from arraygrad.schedules._schedule import Schedule
from arraygrad.schedules.pieces import interpolated

__all__ = ["cosine_restarts", "cyclic", "one_cycle"]


def cosine_restarts(
    init_value: Scalar,
    first_steps: float,
    *,
    multiplier: float = 1,
    end_value: Scalar = 0.0,
    decay: Scalar = 1.0,
) -> Schedule:
    """Go down along half a cosine, again and again (SGDR).

    Parameters
    ----------
    init_value, end_value : float or 0-d array
        The first and the last value of a cycle.
    first_steps : int
        How many steps the first cycle takes.
    multiplier : float
        By what each cycle is longer than the one before, at least 1.
    decay : float or 0-d array
        By what the first value of a cycle is multiplied at each restart.

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
    In cycle n, from 0, with t of its T·multiplierⁿ steps done::

        end + (init · decayⁿ - end) · ½ (1 + cos(π t / (T · multiplierⁿ)))

    torch's `CosineAnnealingWarmRestarts`; Keras's `CosineDecayRestarts`, where `end_value` is 0.
    For cycles of any lengths, `join` some of `cosine`, as optax's `sgdr_schedule` does.

    References
    ----------
    Loshchilov & Hutter 2016, arXiv:1608.03983, equation 5.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.cosine_restarts(1.0, 2, multiplier=2)
    >>> [round(schedule(count), 3) for count in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    at_least(1, first_steps=first_steps, multiplier=multiplier)
    at_least(0, decay=decay)
    real(init_value=init_value, end_value=end_value)
    return Schedule(
        "cosine_restarts",
        _cosine_restarts,
        init_value,
        end_value,
        decay,
        first_steps=first_steps,
        multiplier=multiplier,
    )


def _cosine_restarts(
    xp: Namespace,
    count: Scalar,
    init: Scalar,
    end: Scalar,
    decay: Scalar,
    *,
    first_steps: float,
    multiplier: float,
) -> Scalar:
    time = xp.clip(count / first_steps, min=0.0)  # before the beginning there is no cycle
    cycle, done = _cycle(xp, time, multiplier)
    height = init * xp.pow(decay, cycle) - end
    return end + height * (0.5 * (1 + xp.cos(math.pi * done)))


def _cycle(xp: Namespace, time: Scalar, multiplier: float) -> tuple[Scalar, Scalar]:
    """Return the number of the cycle, from 0, and what part of it is done.

    `time` is in lengths of the first cycle.
    """
    if multiplier == 1:
        cycle = xp.floor(time)
        return cycle, time - cycle

    def begin(cycle: Scalar) -> Scalar:
        """Return when a cycle begins."""
        return (multiplier**cycle - 1) / (multiplier - 1)

    cycle = xp.floor(xp.log1p(time * (multiplier - 1)) / math.log(multiplier))
    # The logarithm may be rounded across the border of two cycles.
    cycle = xp.where(time < begin(cycle), cycle - 1, cycle)
    cycle = xp.where(time < begin(cycle + 1), cycle, cycle + 1)
    return cycle, (time - begin(cycle)) / multiplier**cycle


def one_cycle(
    peak_value: Scalar,
    transition_steps: int,
    *,
    interpolation: str = "cosine",
    three_phases: bool = False,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    convention: str = "optax",
) -> Schedule:
    """Go up to a peak once, and down to almost nothing.

    Parameters
    ----------
    peak_value : float or 0-d array
        The greatest value.
    transition_steps : int
        How many steps the cycle takes.
    interpolation : {"cosine", "linear"}
        Along what.
    three_phases : bool
        Whether it goes down to the first value before it goes down to the last.
    pct_start, pct_final : float
        The part of the steps after which the peak is reached, and the first value again
        (`pct_final` only in the convention "optax", and with three phases).
    div_factor : float
        The peak divided by the first value.
    final_div_factor : float
        The first value divided by the last.
    convention : {"optax", "torch"}
        In torch's, the last value is that of the last step, number `transition_steps - 1`, and
        the second phase is as long as the first.

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or a name unknown.

    Notes
    -----
    optax's `cosine_onecycle_schedule`, and with three phases its `linear_onecycle_schedule`;
    torch's `OneCycleLR`. Smith's cycle has three phases and is linear.

    References
    ----------
    Smith & Topin 2017, arXiv:1708.07120, section 3.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.one_cycle(1.0, 10)
    >>> [round(schedule(count), 3) for count in (0, 3, 10)]
    [0.04, 1.0, 0.0]
    """
    at_least(1, transition_steps=transition_steps)
    if math.isinf(transition_steps):
        message = f"`transition_steps` must be finite, got {transition_steps}"
        raise HyperparameterError(message)
    at_least(0, pct_start=pct_start)
    at_least(pct_start, pct_final=pct_final)
    positive(div_factor=div_factor, final_div_factor=final_div_factor)
    real(peak_value=peak_value)
    one_of(("cosine", "linear"), interpolation=interpolation)
    one_of(("optax", "torch"), convention=convention)
    if convention == "torch":
        first = pct_start * transition_steps - 1
        middle = [2 * pct_start * transition_steps - 2] if three_phases else []
        boundaries = [first, *middle, transition_steps - 1.0]
    else:
        parts = (pct_start, pct_final, 1.0) if three_phases else (pct_start, 1.0)
        boundaries = [float(int(part * transition_steps)) for part in parts]
    lowest = 1 / (div_factor * final_div_factor)
    middle = [1 / div_factor] if three_phases else []
    return Schedule(
        "one_cycle",
        _one_cycle,
        peak_value,
        boundaries=boundaries,
        factors=[1 / div_factor, 1.0, *middle, lowest],
        interpolation=interpolation,
    )


def _one_cycle(
    xp: Namespace,
    count: Scalar,
    peak: Scalar,
    *,
    boundaries: list[float],
    factors: list[float],
    interpolation: str,
) -> Scalar:
    values = [peak * factor for factor in factors]
    return interpolated(xp, count, values, boundaries, interpolation)


def cyclic(
    base_value: Scalar,
    max_value: Scalar,
    *,
    steps_up: float = 2000,
    steps_down: float | None = None,
    mode: str = "triangular",
    gamma: Scalar = 1.0,
) -> Schedule:
    """Go up and down along lines, again and again.

    Parameters
    ----------
    base_value, max_value : float or 0-d array
        The first value of a cycle, and its greatest.
    steps_up, steps_down : int
        How many steps a cycle goes up and down; as many down as up by default.
    mode : {"triangular", "triangular2", "exp_range"}
        The height of the triangles: always the same, half that of the cycle before, or
        `gamma` to the power of the number of steps done.
    gamma : float or 0-d array
        For "exp_range".

    Returns
    -------
    Schedule
        A function of the number of steps done.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the mode unknown.

    Notes
    -----
    torch's `CyclicLR`.

    References
    ----------
    Smith 2015, arXiv:1506.01186, section 3.2.

    Examples
    --------
    >>> from arraygrad import schedules
    >>> schedule = schedules.cyclic(0.0, 1.0, steps_up=2)
    >>> [schedule(count) for count in range(6)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    """
    steps_down = steps_up if steps_down is None else steps_down
    at_least(1, steps_up=steps_up, steps_down=steps_down)
    one_of(("triangular", "triangular2", "exp_range"), mode=mode)
    real(base_value=base_value, max_value=max_value, gamma=gamma)
    return Schedule(
        "cyclic",
        _cyclic,
        base_value,
        max_value,
        gamma,
        steps_up=steps_up,
        steps_down=steps_down,
        mode=mode,
    )


def _cyclic(
    xp: Namespace,
    count: Scalar,
    base: Scalar,
    peak: Scalar,
    gamma: Scalar,
    *,
    steps_up: float,
    steps_down: float,
    mode: str,
) -> Scalar:
    length = steps_up + steps_down
    cycle = xp.floor(count / length)
    done = count - cycle * length
    height = (peak - base) * xp.minimum(done / steps_up, (length - done) / steps_down)
    if mode == "triangular2":
        height = height * 0.5**cycle
    elif mode == "exp_range":
        height = height * xp.pow(gamma, count)
    return base + height
