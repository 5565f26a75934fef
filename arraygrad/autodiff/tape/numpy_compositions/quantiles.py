"""Quantiles, of all elements or of what is a number."""

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

__all__ = ["FUNCTIONS"]


def _quantile(name: str, whole: float, *, skips_nan: bool) -> Function:
    """Return a function of NumPy's: all of the elements are `whole`."""

    def function(
        xp: Namespace,
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: Any = None,
    ) -> Array:
        refuse_out(out, f"numpy.{name}")
        refuse(name, method=None if method == "linear" else method, weights=weights)
        x = as_floating(xp, a)
        share = xp.asarray(q, dtype=x.dtype) if isinstance(q, int | float) else as_array(xp, q)
        share = share / whole
        if xp.any((share < 0) | (share > 1)):
            message = f"numpy.{name}: `q` must be between 0 and {whole}"
            raise ValueError(message)
        return _at_share(xp, x, share, axis, keepdims, skips_nan, _between)

    return function


def _median(skips_nan: bool) -> Function:
    """Return the function that takes the element in the middle, or the mean of the two there."""

    def function(
        xp: Namespace,
        a: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        keepdims: bool = False,
    ) -> Array:
        refuse_out(out, "numpy.nanmedian" if skips_nan else "numpy.median")
        x = as_floating(xp, a)
        half = xp.asarray(0.5, dtype=x.dtype)
        return _at_share(xp, x, half, axis, keepdims, skips_nan, _mean_of_both)

    return function


def _between(low: Array, high: Array, place: Array) -> Array:
    return low + (high - low) * place


def _mean_of_both(low: Array, high: Array, place: Array) -> Array:
    return (low + high) / 2  # of two infinite ones, too, whose difference is no number


def _at_share(xp: Namespace, x: Array, share: Array, axis: Any, keepdims: bool, skips_nan: bool,
              between: Any) -> Array:  # fmt: skip
    """Return what shares of the elements are below, along axes; shares go in front."""
    axes = axes_of(x, axis)
    kept = [n for n in range(x.ndim) if n not in axes]
    shape = tuple(x.shape[n] for n in kept)
    rows = xp.sort(xp.reshape(xp.permute_dims(x, (*kept, *axes)), (*shape, -1)), axis=-1)
    found = _interpolated(xp, rows, xp.reshape(share, (-1,)), skips_nan, between)
    found = xp.reshape(xp.moveaxis(found, -1, 0), (*share.shape, *shape))
    if keepdims:
        ones = tuple(1 if n in axes else length for n, length in enumerate(x.shape))
        found = xp.reshape(found, (*share.shape, *ones))
    return found


def _interpolated(xp: Namespace, rows: Array, shares: Array, skips_nan: bool,
                  between: Any) -> Array:  # fmt: skip
    """Return, for sorted rows, what is found at shares of their lengths."""
    if not rows.shape[-1] and (skips_nan or between is _mean_of_both):
        return xp.full((*rows.shape[:-1], shares.shape[0]), math.nan, dtype=rows.dtype)
    nan, last = xp.isnan(rows), rows.shape[-1] - 1
    numbers = xp.sum(xp.astype(~nan, shares.dtype), axis=-1, keepdims=True)
    end = xp.clip(numbers - 1, 0, None) if skips_nan else xp.full_like(numbers, last)
    place = shares * end
    below = xp.astype(xp.floor(place), xp.int64)
    above = xp.astype(xp.ceil(place), xp.int64)
    low, high = (xp.take_along_axis(rows, n, axis=-1) for n in (below, above))
    found = between(low, high, place - xp.floor(place))
    return found if skips_nan else xp.where(nan[..., -1:], rows[..., -1:], found)


FUNCTIONS: dict[str, Function] = {
    "median": _median(skips_nan=False),
    "nanmedian": _median(skips_nan=True),
    "nanpercentile": _quantile("nanpercentile", 100, skips_nan=True),
    "nanquantile": _quantile("nanquantile", 1, skips_nan=True),
    "percentile": _quantile("percentile", 100, skips_nan=False),
    "quantile": _quantile("quantile", 1, skips_nan=False),
}
