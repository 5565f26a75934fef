"""What a schedule is: a formula of the number of steps done, for numbers and arrays alike."""

from collections.abc import Callable
from typing import Any

from arraygrad._namespace import is_array
from arraygrad.schedules._scalars import Scalar, scalars

__all__ = ["Schedule"]


class Schedule:
    """A function of the number of steps done.

    An `int` gives a `float`; an array gives an array of its shape, which may be traced. Schedules
    can be printed and pickled.

    Parameters
    ----------
    name : str
        The name of the function that makes it.
    formula : callable
        `formula(xp, count, *values, **settings)`: `count` and the values are all numbers, or all
        arrays of one dtype.
    values : sequence of float or 0-d array
        What may be an array.
    **settings
        What is known from the start: numbers of steps, choices.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import schedules
    >>> schedule = schedules.linear(1.0, 0.0, 4)
    >>> schedule(1), schedule(np.asarray(1)), schedule(np.arange(3))
    (0.75, array(0.75), array([1.  , 0.75, 0.5 ]))
    """

    def __init__(
        self, name: str, formula: Callable[..., Any], *values: Scalar, **settings: Any
    ) -> None:
        self.name, self.formula, self.values, self.settings = name, formula, values, settings

    def __repr__(self) -> str:
        given = [*map(repr, self.values), *(f"{k}={v!r}" for k, v in self.settings.items())]
        return f"<schedule {self.name}({', '.join(given)})>"

    def __call__(self, count: Scalar) -> Any:
        """Return the value after so many steps."""
        xp, count, *values = scalars(count, *self.values)
        result = self.formula(xp, count, *values, **self.settings)
        if is_array(result) and not result.shape:
            return result[...]  # an array, where NumPy makes 0-d scalars
        return result
