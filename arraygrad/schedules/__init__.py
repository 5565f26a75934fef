"""Schedules: functions of the number of steps done, written for numbers and arrays alike."""

__all__: list[str] = []
