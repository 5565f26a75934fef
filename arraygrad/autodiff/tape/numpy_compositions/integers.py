"""Integers among arguments: Python's, NumPy's, and arrays of them."""

import operator
from numbers import Integral
from typing import Any

__all__ = ["integers", "is_integer", "places_of"]


def is_integer(given: Any) -> bool:
    """Say whether an argument is one integer, not a sequence of them."""
    kind = type(given)
    if kind is int or kind is tuple or kind is list:  # quicker to ask
        return kind is int
    return isinstance(given, Integral) or getattr(given, "ndim", None) == 0


def integers(given: Any) -> tuple[int, ...]:
    """Return one integer, or a sequence of them, as a tuple of Python's."""
    each = (given,) if is_integer(given) else given
    return tuple([operator.index(n) for n in each])


def places_of(axes: Any, ndim: int) -> tuple[int, ...]:
    """Return axes, counted from the front, of an array with so many."""
    found = integers(axes)
    for axis in found:
        if not -ndim <= axis < ndim:
            from numpy.exceptions import AxisError

            raise AxisError(axis, ndim)
    return tuple([axis % ndim for axis in found])
