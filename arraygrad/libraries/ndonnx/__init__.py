"""ndonnx: arrays that write an ONNX graph; those that stand for a model's input have no values."""

from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, Namespace
from arraygrad.errors import ExportError
from arraygrad.libraries import generic, indexing
from arraygrad.libraries.generic import Library, quiet_numpy

__all__ = ["LIBRARY"]


def getitem(x: Array, key: Any) -> Array:
    """Return `x[key]`; ndonnx takes no short keys, and arrays of integers in tuples only."""
    key = _spelt(key)
    if _is_mask(key):
        x, key = places(x, key)
        return x[key]
    parts = key if isinstance(key, tuple) else (key,)
    named = sum(part is not None for part in parts)
    if indexing.is_basic(parts) and named < x.ndim and Ellipsis not in parts:
        return x[(*parts, ...)]
    return indexing.getitem(array_namespace(x), x, parts)


def places(x: Array, mask: Array) -> tuple[Array, Any]:
    """Return an array and a mask as they are, if the mask's values are known.

    Raises
    ------
    ExportError
        If they are not: the rules would need the length of `x[mask]`.
    """
    try:
        mask.unwrap_numpy()
    except ValueError:
        message = "x[mask] has a length that only values tell: write where(mask, x, 0)"
        raise ExportError(message) from None
    return x, mask


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return an array with `value` at `key`; ndonnx does not assign backwards."""
    key = _spelt(key)
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts):
        return indexing.set_by_sorting(xp, x, key, value)
    return generic.set_at(xp, x, key, value)


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates in `key` add up."""
    return generic.scatter_add(xp, x, _spelt(key), values)


def _spelt(key: Any) -> Any:
    """Return a key with arrays of ndonnx for NumPy's; integers in a tuple."""
    import ndonnx as ndx
    import numpy as np

    def array(x: Any) -> Any:
        return ndx.asarray(x) if isinstance(x, np.ndarray) else x

    key = tuple(map(array, key)) if isinstance(key, tuple) else array(key)
    return (key,) if isinstance(key, ndx.Array) and not _is_mask(key) else key


def _is_mask(key: Any) -> bool:
    import ndonnx as ndx

    return isinstance(key, ndx.Array) and key.dtype == ndx.bool


def to_numpy(x: Array) -> Any:
    """Return the value that ndonnx has computed beside the graph."""
    return x.unwrap_numpy()


LIBRARY = Library(
    namespace="arraygrad.libraries.ndonnx.functions",
    lazy=True,
    numpy_functions=True,  # on traced arrays: what is written for NumPy can be exported
    extra="onnx",
    quiet=quiet_numpy,
    places=places,
    getitem=getitem,
    set_at=set_at,
    scatter_add=scatter_add,
    to_numpy=to_numpy,
)
