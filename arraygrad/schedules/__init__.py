"""Schedules: functions of the number of steps done, for numbers and arrays alike.

Give one as a hyperparameter: `adam(schedules.cosine(0.1, 1000))`.
"""

from arraygrad.schedules._schedule import Schedule
from arraygrad.schedules.cycles import cosine_restarts, cyclic, one_cycle
from arraygrad.schedules.decays import (
    constant,
    cosine,
    exponential,
    inverse_time,
    linear,
    polynomial,
)
from arraygrad.schedules.joined import (
    join,
    linear_warmup,
    warmup_constant,
    warmup_cosine,
    warmup_exponential,
)
from arraygrad.schedules.pieces import multistep, piecewise_constant, piecewise_interpolate, step

__all__ = [
    "Schedule",
    "constant",
    "cosine",
    "cosine_restarts",
    "cyclic",
    "exponential",
    "inverse_time",
    "join",
    "linear",
    "linear_warmup",
    "multistep",
    "one_cycle",
    "piecewise_constant",
    "piecewise_interpolate",
    "polynomial",
    "step",
    "warmup_constant",
    "warmup_cosine",
    "warmup_exponential",
]
