"""NumPy: mutable, differentiated by the tape."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library

__all__ = ["LIBRARY"]


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add with NumPy's own unbuffered accumulation."""
    import numpy as np

    y = np.array(x)
    np.add.at(y, key, values)
    return y


LIBRARY = Library(mutable=True, scatter_add=scatter_add)
