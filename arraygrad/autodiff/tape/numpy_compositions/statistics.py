"""Sums and statistics, of all elements or of what is a number."""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.methods import refuse_out
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    as_floating,
    axes_of,
    refuse,
)
from arraygrad.autodiff.tape.numpy_compositions.some_elements import (
    degrees_lost,
    root,
    variance_where,
)

__all__ = ["FUNCTIONS"]


def ptp(xp: Namespace, a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Array:
    """Return the maximum less the minimum."""
    refuse_out(out, "numpy.ptp")
    x = as_array(xp, a)
    return x.max(axis, None, keepdims) - x.min(axis, None, keepdims)


def average(xp: Namespace, a: Any, axis: Any = None, weights: Any = None,
             returned: bool = False, *, keepdims: bool = False) -> Any:  # fmt: skip
    """Return a weighted mean, and the sum of the weights if asked."""
    x = as_array(xp, a)
    w = xp.ones_like(x) if weights is None else as_array(xp, weights)
    if w.shape != x.shape:
        axes = axes_of(x, axis)
        if axis is None or w.shape != tuple(x.shape[n] for n in axes):
            message = f"numpy.average: weights of shape {w.shape} do not fit axes of {x.shape}"
            raise ValueError(message)
        w = xp.permute_dims(w, tuple(axes.index(n) for n in sorted(axes)))
        kept = (length if n in axes else 1 for n, length in enumerate(x.shape))
        w = xp.broadcast_to(xp.reshape(w, tuple(kept)), x.shape)
    axis = axes_of(x, axis)
    total = xp.sum(w, axis=axis, keepdims=keepdims)
    if weights is not None and xp.any(total == 0):
        message = "numpy.average: the weights sum to zero"
        raise ZeroDivisionError(message)
    mean = xp.sum(x * w, axis=axis, keepdims=keepdims) / total
    return (mean, xp.broadcast_to(total, mean.shape)) if returned else mean


# --- of what is a number --------------------------------------------------------------------------


def _without_nan(name: str, instead: float) -> Function:
    """Return a method of the array that takes a number instead of what is none."""

    def function(xp: Namespace, a: Any, *args: Any, **kwargs: Any) -> Array:
        x = as_array(xp, a)
        return getattr(xp.where(xp.isnan(x), instead, x), name)(*args, **kwargs)

    return function


def _nan_extremum(name: str) -> Function:
    """Return the extremum of what is a number: nothing has none."""
    extremum = _without_nan(name, -math.inf if name == "max" else math.inf)

    def function(xp: Namespace, a: Any, axis: Any = None, out: Any = None, keepdims: bool = False,
                 initial: Any = None, where: Any = True) -> Array:  # fmt: skip
        refuse_out(out, f"numpy.nan{name}")
        x = as_array(xp, a)
        y = extremum(xp, x, axis, None, keepdims, initial, where)
        if initial is not None:
            return y
        return xp.where(xp.isnan(x).all(axis, None, keepdims), math.nan, y)

    return function


def nanmean(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: Any = None,
             keepdims: bool = False, *, where: Any = True) -> Array:  # fmt: skip
    """Return the mean of what is a number."""
    x = as_array(xp, a)
    return x.mean(axis, dtype, out, keepdims, where=_numbers(xp, x, where))


def nanvar(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: Any = None,
           ddof: float = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
           correction: float | None = None) -> Array:  # fmt: skip
    """Return the variance of what is a number."""
    refuse("nanvar", mean=mean)
    refuse_out(out, "numpy.nanvar")
    x = as_array(xp, a) if dtype is None else xp.astype(as_array(xp, a), dtype)
    lost = degrees_lost(ddof, correction)
    return variance_where(x, axis, lost, keepdims, _numbers(xp, x, where), empty=math.nan)


def nanstd(xp: Namespace, a: Any, *args: Any, **kwargs: Any) -> Array:
    """Return the standard deviation of what is a number."""
    return root(nanvar(xp, a, *args, **kwargs))


def _numbers(xp: Namespace, x: Array, where: Any) -> Array:
    """Return where a mask holds and there is a number."""
    number = ~xp.isnan(x)
    return number if where is True else number & (as_array(xp, where) != 0)


# --- together -------------------------------------------------------------------------------------


def cov(xp: Namespace, m: Any, y: Any = None, rowvar: bool = True, bias: bool = False,
        ddof: int | None = None, fweights: Any = None, aweights: Any = None, *,
        dtype: Any = None) -> Array:  # fmt: skip
    """Return covariances of variables, one in each row."""
    x = _variables(xp, m, rowvar)
    x = x if y is None else xp.concat([x, _variables(xp, y, rowvar)], axis=0)
    x = xp.astype(x, xp.result_type(x, xp.float64) if dtype is None else dtype)
    given = [as_floating(xp, w) for w in (fweights, aweights) if w is not None]
    weights = math.prod(given[1:], start=given[0]) if given else xp.ones_like(x[0]).real
    total, ddof = xp.sum(weights), (0 if bias else 1) if ddof is None else ddof
    lost = xp.sum(weights * as_array(xp, aweights)) / total if aweights is not None else 1
    apart = x - (xp.sum(x * weights, axis=1) / total)[:, None]
    products = xp.matmul(apart, xp.matrix_transpose(apart * weights).conj())
    return (products / (total - ddof * lost)).squeeze()


def _variables(xp: Namespace, m: Any, rowvar: bool) -> Array:
    """Return a matrix with a variable in each row."""
    x = as_floating(xp, m)
    if x.ndim < 2:
        return xp.reshape(x, (1, -1))
    return x if rowvar else x.mT


def corrcoef(xp: Namespace, x: Any, y: Any = None, rowvar: bool = True, *,
             dtype: Any = None) -> Array:  # fmt: skip
    """Return correlations of variables, one in each row."""
    c = cov(xp, x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    spread = xp.sqrt(c.diagonal().real)
    c = c / spread[:, None] / spread[None, :]
    if not xp.is_complex(c.dtype):
        return xp.clip(c, -1, 1)
    return xp.clip(c.real, -1, 1) + 1j * xp.clip(c.imag, -1, 1)


FUNCTIONS: dict[str, Function] = {
    "average": average,
    "corrcoef": corrcoef,
    "cov": cov,
    "nancumprod": _without_nan("cumprod", 1),
    "nancumsum": _without_nan("cumsum", 0),
    "nanmax": _nan_extremum("max"),
    "nanmean": nanmean,
    "nanmin": _nan_extremum("min"),
    "nanprod": _without_nan("prod", 1),
    "nanstd": nanstd,
    "nansum": _without_nan("sum", 0),
    "nanvar": nanvar,
    "ptp": ptp,
}
