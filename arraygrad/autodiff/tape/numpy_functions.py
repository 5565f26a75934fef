"""What serves NumPy's functions on traced arrays: the tables of `numpy_compositions`.

What is also a method of the array, with the same arguments, is found there.
"""

from collections.abc import Callable
from typing import Any

from arraygrad._typing import Namespace
from arraygrad.autodiff.tape.general import strip
from arraygrad.autodiff.tape.numpy_compositions import (
    calculus,
    choosing,
    elementwise,
    fourier,
    histograms,
    joining,
    linear_algebra,
    products,
    quantiles,
    shapes,
    statistics,
    writing,
)
from arraygrad.autodiff.tape.numpy_compositions.arguments import as_array
from arraygrad.autodiff.tape.numpy_elementwise import without_rule

__all__ = ["FUNCTIONS", "serves", "serving"]

_SUBJECTS = (
    calculus,
    choosing,
    elementwise,
    fourier,
    histograms,
    joining,
    linear_algebra,
    products,
    quantiles,
    shapes,
    statistics,
    writing,
)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function for subject in _SUBJECTS for name, function in subject.FUNCTIONS.items()
}

# What is a method of the array, by NumPy's name of the function.
_METHODS = frozenset(
    "cumprod cumsum diagonal dot max mean min prod ravel repeat round squeeze std sum swapaxes"
    " take trace var".split()
)
_ALIASES = {"amax": "max", "amin": "min", "around": "round"}

# What has no derivative, or a derivative of zero: the library computes it from the values.
_CONSTANT = frozenset(
    "all allclose any argmax argmin argpartition argsort argwhere array2string array_equal"
    " array_equiv array_repr array_str can_cast common_type count_nonzero digitize empty_like"
    " flatnonzero isclose iscomplex iscomplexobj isin isneginf isposinf isreal isrealobj lexsort"
    " linalg.matrix_rank may_share_memory min_scalar_type nanargmax nanargmin ndim nonzero"
    " ones_like result_type searchsorted shape shares_memory size zeros_like".split()
)


# --- looking up -----------------------------------------------------------------------------------


def serves(name: str) -> Callable[..., Any] | None:
    """Return what serves a function of NumPy that the standard lacks, if its gradient is known."""
    name = _ALIASES.get(name, name)
    return FUNCTIONS.get(name) or (_method(name) if name in _METHODS else None)


def serving(name: str, known: Callable[..., Any]) -> Callable[..., Any]:
    """Return what serves NumPy's function `known` of a name: `(xp, *arguments, **keywords)`."""
    served = serves(name)
    if served is not None:
        return served
    if name in _CONSTANT:
        return lambda xp, *args, **kwargs: xp.lift_all(known(*strip(args), **strip(kwargs)))
    return lambda xp, *args, **kwargs: without_rule(xp, name, known, args, kwargs)


def _method(name: str) -> Callable[..., Any]:
    def function(xp: Namespace, a: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(as_array(xp, a), name)(*args, **kwargs)

    return function
