"""Python numbers under the standard's names, so that formulas of scalars are written once.

Schedules, and the parts of a kernel that no array enters, meet Python numbers when eager and 0-d
arrays in a trace. `namespace_for` returns what both understand.
"""

import math
from collections.abc import Callable, Collection
from numbers import Real
from typing import Any

from arraygrad._namespace import array_namespace, is_array
from arraygrad._typing import Namespace

__all__ = ["NUMBERS", "all_numbers", "as_number", "is_number", "namespace_for"]


def is_number(x: Any) -> bool:
    """Say whether `x` is a real Python number, and no array."""
    return isinstance(x, int | float)


_PLAIN = frozenset({bool, float, int})


def all_numbers(values: Collection[Any]) -> bool:
    """Say whether all are real Python numbers."""
    return _PLAIN.issuperset(map(type, values)) or all(map(is_number, values))


def as_number(x: Any) -> Any:
    """Return a real scalar of NumPy, which meets arrays of any library, as a Python number."""
    scalar = isinstance(x, Real) and is_array(x)
    return x.item() if scalar else x


def _total(function: Callable[[float], float]) -> Callable[[float], float]:
    """Return a function that is NaN where Python's raises for its argument."""

    def total(x: float) -> float:
        """Return the value, or NaN outside the domain."""
        try:
            return function(x)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return total


def _log(x: float) -> float:
    return -math.inf if x == 0 else math.log(x)


def _divide(x: float, y: float) -> float:
    if y != 0:
        return x / y
    return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1, y)


def _log1p(x: float) -> float:
    return -math.inf if x == -1 else math.log1p(x)


def _power(x: float, y: float) -> float:
    try:
        power = x**y
    except (OverflowError, ZeroDivisionError):
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf
    return math.nan if isinstance(power, complex) else float(power)


def _maximum(x: float, y: float) -> float:
    return x if x >= y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x <= y or x != x else y


class _Numbers:
    """The standard's elementwise functions, for Python numbers."""

    __name__ = "arraygrad_numbers"

    abs = staticmethod(abs)
    ceil = staticmethod(lambda x: float(math.ceil(x)))
    cos = staticmethod(_total(math.cos))
    divide = staticmethod(_divide)
    exp = staticmethod(_total(math.exp))
    expm1 = staticmethod(_total(math.expm1))
    floor = staticmethod(lambda x: float(math.floor(x)))
    log = staticmethod(_total(_log))
    log1p = staticmethod(_total(_log1p))
    maximum = staticmethod(_maximum)
    minimum = staticmethod(_minimum)
    pow = staticmethod(_power)
    sign = staticmethod(lambda x: x if x != x else float((x > 0) - (x < 0)))
    sin = staticmethod(_total(math.sin))
    sqrt = staticmethod(_total(math.sqrt))
    tanh = staticmethod(_total(math.tanh))

    @staticmethod
    def astype(x: Any, dtype: Any = None, /) -> float:
        """Return a truth value or a number as a float."""
        return float(x)

    @staticmethod
    def clip(x: float, /, min: float | None = None, max: float | None = None) -> float:
        """Return a number within bounds."""
        x = x if min is None or x >= min else min
        return x if max is None or x <= max else max

    @staticmethod
    def ones_like(x: Any, /) -> float:
        """Return 1."""
        return 1.0

    @staticmethod
    def where(condition: Any, x1: Any, x2: Any, /) -> Any:
        """Return one of two numbers."""
        return x1 if condition else x2

    @staticmethod
    def zeros_like(x: Any, /) -> float:
        """Return 0."""
        return 0.0


NUMBERS = _Numbers()


def namespace_for(xp: Namespace | None, *values: Any) -> Namespace:
    """Return the namespace for a formula of these scalars: `NUMBERS` unless one is an array.

    Without an `xp`, it is the array's own.
    """
    if all(map(is_number, values)):
        return NUMBERS
    if xp is not None:
        return xp
    return array_namespace(*(x for x in values if is_array(x)))
