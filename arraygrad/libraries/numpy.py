"""NumPy: mutable, differentiated by the tape."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library, assign
from arraygrad.libraries.indexing import is_basic, is_mask, positions

__all__ = ["LIBRARY"]


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add with NumPy's unbuffered accumulation, which is quick in one dimension only."""
    import numpy as np

    y = np.array(x, order="C")
    if is_basic(key) or is_mask(xp, key):
        y[key] += values
    elif y.ndim == 1:
        np.add.at(y, key, values)
    else:
        where = positions(xp, y, key)
        np.add.at(
            y.reshape(-1), where.reshape(-1), np.broadcast_to(values, where.shape).reshape(-1)
        )
    return y


LIBRARY = Library(mutable=True, readable=True, set_at=assign, scatter_add=scatter_add)
