"""Sums and statistics, of all elements or of what is a number."""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    as_floating,
    axes_of,
    refuse,
)

__all__ = ["FUNCTIONS"]

_IDENTITY = {"max": -math.inf, "min": math.inf, "prod": 1, "sum": 0}
_JOIN = {"max": "maximum", "min": "minimum", "prod": "multiply", "sum": "add"}


def reduction(name: str) -> Function:
    """Return a reduction: the array's method, of some elements only, with a first operand."""

    def function(
        xp: Namespace, a: Any, *args: Any, where: Any = None, initial: Any = None, **kwargs: Any
    ) -> Array:
        x = as_array(xp, a)
        if where is not None:
            if name != "sum" and name != "prod" and initial is None:
                message = f"numpy.{name} with `where` needs `initial`"
                raise ValueError(message)
            x = xp.where(as_array(xp, where), x, _IDENTITY[name])
        y = getattr(x, name)(*args, **kwargs)
        return y if initial is None else getattr(xp, _JOIN[name])(y, initial)

    return function


def mean(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: None = None,
         keepdims: bool = False, *, where: Any = None) -> Array:  # fmt: skip
    """Return the mean, of some elements only."""
    x = as_array(xp, a)
    if where is None:
        return x.mean(axis, dtype, None, keepdims)
    chosen = xp.broadcast_to(as_array(xp, where), x.shape)
    total = xp.where(chosen, x, 0).sum(axis, dtype, None, keepdims)
    return total / xp.astype(chosen, total.dtype).sum(axis, None, None, keepdims)


def ptp(xp: Namespace, a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Array:
    """Return the maximum less the minimum."""
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
    total = xp.sum(w, axis=axis, keepdims=keepdims)
    mean = xp.sum(x * w, axis=axis, keepdims=keepdims) / total
    return (mean, xp.broadcast_to(total, mean.shape)) if returned else mean


# --- of what is a number --------------------------------------------------------------------------


def _without_nan(name: str, instead: float) -> Function:
    """Return a reduction that takes a number instead of what is none."""
    reduce = reduction(name)

    def function(xp: Namespace, a: Any, *args: Any, **kwargs: Any) -> Array:
        x = as_array(xp, a)
        clean = xp.where(xp.isnan(x), instead, x)
        return reduce(xp, clean, *args, **kwargs)

    return function


def _nan_extremum(name: str) -> Function:
    """Return the extremum of what is a number: nothing has none."""
    extremum = _without_nan(name, _IDENTITY[name])

    def function(
        xp: Namespace, a: Any, axis: Any = None, out: None = None, keepdims: bool = False
    ) -> Array:
        x = as_array(xp, a)
        y = extremum(xp, x, axis, None, keepdims)
        return xp.where(xp.all(xp.isnan(x), axis=axis, keepdims=keepdims), math.nan, y)

    return function


def nanmean(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: None = None,
             keepdims: bool = False) -> Array:  # fmt: skip
    """Return the mean of what is a number."""
    x = as_array(xp, a)
    count = xp.astype(~xp.isnan(x), x.dtype).sum(axis, dtype, None, keepdims)
    return FUNCTIONS["nansum"](xp, x, axis, dtype, None, keepdims) / count


def nanvar(xp: Namespace, a: Any, axis: Any = None, dtype: Any = None, out: None = None,
           ddof: float = 0, keepdims: bool = False, *, mean: Any = None,
           correction: float | None = None) -> Array:  # fmt: skip
    """Return the variance of what is a number."""
    refuse("nanvar", mean=mean)
    x = as_array(xp, a) if dtype is None else xp.astype(as_array(xp, a), dtype)
    number = ~xp.isnan(x)
    apart = xp.where(number, x - nanmean(xp, x, axis, keepdims=True), 0)
    squares = xp.real(apart * apart.conj()) if xp.is_complex(x.dtype) else apart * apart
    count = xp.astype(number, squares.dtype).sum(axis, None, None, keepdims)
    freedom = count - (ddof if correction is None else correction)
    return squares.sum(axis, None, None, keepdims) / xp.where(freedom > 0, freedom, math.nan)


def nanstd(xp: Namespace, a: Any, *args: Any, **kwargs: Any) -> Array:
    """Return the standard deviation of what is a number: of equal ones, with derivative 0."""
    variance = nanvar(xp, a, *args, **kwargs)
    zero = variance == 0
    return xp.where(zero, 0, xp.sqrt(xp.where(zero, 1, variance)))


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
    "max": reduction("max"),
    "mean": mean,
    "min": reduction("min"),
    "nancumprod": _without_nan("cumprod", 1),
    "nancumsum": _without_nan("cumsum", 0),
    "nanmax": _nan_extremum("max"),
    "nanmean": nanmean,
    "nanmin": _nan_extremum("min"),
    "nanprod": _without_nan("prod", 1),
    "nanstd": nanstd,
    "nansum": _without_nan("sum", 0),
    "nanvar": nanvar,
    "prod": reduction("prod"),
    "ptp": ptp,
    "sum": reduction("sum"),
}
