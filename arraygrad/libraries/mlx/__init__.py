"""MLX: arrays without a device, whose values are computed on demand; no mask can be read."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library
from arraygrad.libraries.indexing import is_mask

__all__ = ["LIBRARY"]


def places(x: Array, mask: Array) -> tuple[Array, Any]:
    """Return an array and the integers that mean `x[mask]`, for MLX writes at masks only."""
    import mlx.core as mx
    import numpy as np

    found = np.nonzero(np.asarray(mask))
    if not found[0].size:  # at no integers, MLX divides by zero
        return mx.zeros((0, *x.shape[mask.ndim :]), x.dtype), ...
    return x, tuple(mx.array(along.astype(np.int32)) for along in found)


def getitem(x: Array, key: Any) -> Array:
    """Return `x[key]`, at a mask too."""
    import mlx.core as mx

    if isinstance(key, mx.array) and key.dtype == mx.bool_:
        x, key = places(x, key)
    return x[key]


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return an array with `value` at `key`; where nothing is written, MLX divides by zero."""
    y = xp.asarray(x, copy=True)
    if not any(0 in getattr(part, "shape", ()) for part in (key, value)):
        y[key] = value
    return y


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add with MLX's own accumulation."""
    if 0 in values.shape:
        return x
    if is_mask(xp, key):
        _, key = places(x, key)
    return x.at[key].add(values)


def to_numpy(x: Array) -> Any:
    """Compute an array's values."""
    import numpy as np

    return np.asarray(x)


LIBRARY = Library(
    namespace="arraygrad.libraries.mlx.functions",
    extra="mlx",
    places=places,
    getitem=getitem,
    set_at=set_at,
    scatter_add=scatter_add,
    to_numpy=to_numpy,
)
