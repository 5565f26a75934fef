"""sparse: arrays of the elements that differ from a fill value; they take no assignment."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library

__all__ = ["LIBRARY"]


def is_writeable(x: Array) -> bool:
    """Say no: their elements are not in one piece of memory."""
    return False


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy with `value` at a basic key, by way of a dictionary of keys."""
    y = xp.DOK.from_coo(xp.as_coo(x))
    y[key] = to_numpy(value)
    return y.to_coo()


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add coordinates that may have duplicates, which sparse adds up."""
    import numpy as np

    parts = key if isinstance(key, tuple) else (key,)
    everywhere = np.arange(x.size).reshape(x.shape)
    where = everywhere[tuple(to_numpy(part) for part in parts)]
    added = np.broadcast_to(to_numpy(values), where.shape)
    flat = xp.COO(where.reshape(1, -1), added.reshape(-1), shape=(x.size,))
    return x + flat.reshape(x.shape)


def to_numpy(x: Any) -> Any:
    """Return a dense array; anything else as it is."""
    return x.todense() if hasattr(x, "todense") else x


LIBRARY = Library(
    is_writeable=is_writeable, set_at=set_at, scatter_add=scatter_add, to_numpy=to_numpy
)
