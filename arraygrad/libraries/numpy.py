"""NumPy: mutable, differentiated by the tape."""

from collections.abc import Callable
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


def quick_functions() -> dict[str, Callable[..., Any]]:
    """Return what skips NumPy's dispatch: it costs more than small arrays take."""
    import numpy as np

    add, ndarray = np.add.reduce, np.ndarray

    def sum(x: Array, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Array:
        return add(x, axis, dtype, None, keepdims)

    def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
        if x.shape == ():  # the constructor makes such a view ten times as fast
            return ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        return np.broadcast_to(x, shape)

    return {
        "broadcast_to": broadcast_to,
        "permute_dims": lambda x, /, axes: x.transpose(axes),
        "sum": sum,
    }


LIBRARY = Library(
    mutable=True,
    readable=True,
    cheap_zero_d=True,
    quick_functions=quick_functions,
    set_at=assign,
    scatter_add=scatter_add,
)
