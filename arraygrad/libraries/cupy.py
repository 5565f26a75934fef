"""CuPy: mutable, differentiated by the tape on its own device."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library, assign

__all__ = ["LIBRARY"]


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add with CuPy's atomic accumulation."""
    import cupyx

    y = x.copy()
    cupyx.scatter_add(y, key, values)
    return y


LIBRARY = Library(
    executor="cupy",
    mutable=True,
    numpy_functions=True,
    extra="cupy",
    special="cupyx.scipy.special",
    set_at=assign,
    scatter_add=scatter_add,
    to_numpy=lambda x: x.get(),
)
