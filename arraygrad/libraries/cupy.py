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


def share(x: Array) -> Array:
    """Return an array with its elements apart and in order."""
    pairs = zip(x.strides, x.shape, strict=True)
    return x if all(s > 0 or n <= 1 for s, n in pairs) else x.copy(order="C")


LIBRARY = Library(
    executor="cupy",
    mutable=True,
    numpy_functions=True,
    extra="cupy",
    special="cupyx.scipy.special",
    set_at=assign,
    scatter_add=scatter_add,
    share=share,
    to_numpy=lambda x: x.get(),
)
