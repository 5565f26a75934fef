"""ndonnx: arrays that write an ONNX graph; those that stand for a model's input have no values."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries import generic, indexing
from arraygrad.libraries.generic import Library, quiet_numpy

__all__ = ["LIBRARY"]


def getitem(x: Array, key: Any) -> Array:
    """Return `x[key]`."""
    return x[_spelt(key)]


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
    """Return a key as ndonnx takes it: arrays of its own, one of integers in a tuple."""
    import ndonnx as ndx
    import numpy as np

    if isinstance(key, np.ndarray):
        key = ndx.asarray(key)
    if isinstance(key, tuple):
        return tuple(ndx.asarray(x) if isinstance(x, np.ndarray) else x for x in key)
    return (key,) if isinstance(key, ndx.Array) and key.dtype != ndx.bool else key


def to_numpy(x: Array) -> Any:
    """Return the value that ndonnx has computed beside the graph."""
    return x.unwrap_numpy()


LIBRARY = Library(
    namespace="arraygrad.libraries.ndonnx_functions",
    lazy=True,
    numpy_functions=True,  # on traced arrays: what is written for NumPy can be exported
    extra="onnx",
    quiet=quiet_numpy,
    getitem=getitem,
    set_at=set_at,
    scatter_add=scatter_add,
    to_numpy=to_numpy,
)
