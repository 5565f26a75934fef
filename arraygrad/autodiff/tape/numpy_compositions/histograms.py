"""Histograms: counts are constants, weights and edges are not."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    as_floating,
    refuse,
)
from arraygrad.autodiff.tape.numpy_compositions.integers import integers, is_integer

__all__ = ["FUNCTIONS"]


def histogram_bin_edges(xp: Namespace, a: Any, bins: Any = 10, range: Any = None,
                        weights: Any = None) -> Array:  # fmt: skip
    """Return the edges of bins: given, or even between the extremes."""
    x = as_floating(xp, a)
    if isinstance(bins, str):
        refuse("histogram", bins=bins)
    if not is_integer(bins):
        return as_array(xp, bins)
    (bins,) = integers(bins)
    if bins < 1:
        message = f"numpy.histogram: {bins} bins"
        raise ValueError(message)
    low, high = (x.min(), x.max()) if range is None else map(xp.asarray, range)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return xp.linspace(low, high, bins + 1)


def histogram(xp: Namespace, a: Any, bins: Any = 10, range: Any = None, density: bool | None = None,
              weights: Any = None) -> tuple[Array, Array]:  # fmt: skip
    """Count elements in bins, or sum their weights."""
    x, edges = as_array(xp, a), histogram_bin_edges(xp, a, bins, range)
    count = edges.shape[0] - 1
    bin = xp.searchsorted(edges, x.ravel(), side="right") - 1
    bin = xp.where(x.ravel() == edges[-1], count - 1, bin)
    inside = ((bin >= 0) & (bin < count)).nonzero()
    ones = xp.ones_like(bin) if weights is None else as_array(xp, weights).ravel()
    zeros = xp.zeros(count, dtype=ones.dtype)
    found = xp.call("scatter_add", zeros, bin[inside], ones[inside])
    if density:
        found = found / xp.diff(edges) / xp.sum(found)
    return found, edges


def bincount(xp: Namespace, x: Any, /, weights: Any = None, minlength: int = 0) -> Array:
    """Count each integer, or sum its weights."""
    x = as_array(xp, x)
    counts = xp.constant("bincount", x, minlength=minlength)
    if weights is None:
        return counts
    zeros = xp.zeros(counts.shape, dtype=xp.float64)
    return xp.call("scatter_add", zeros, x, xp.astype(as_array(xp, weights), xp.float64))


FUNCTIONS: dict[str, Function] = {
    "bincount": bincount,
    "histogram": histogram,
    "histogram_bin_edges": histogram_bin_edges,
}
