"""JAX: immutable, brings its own autodiff."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library
from arraygrad.libraries.indexing import broadcast_mask

__all__ = ["LIBRARY"]


def is_writeable(x: Array) -> bool:
    """Say no: jax arrays never change."""
    return False


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy with the value at the key; a mask needs no values under `jax.jit`."""
    mask = broadcast_mask(xp, x, key, value)
    if mask is not None:
        return xp.where(mask, xp.asarray(value, dtype=x.dtype), x)
    return x.at[key].set(value)


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add with jax's own accumulation."""
    return x.at[key].add(values)


def share(x: Array) -> Array:
    """Return the array itself: jax says that it is read-only."""
    return x


LIBRARY = Library(
    autodiff="jax",
    executor="jax",
    moves=True,
    extra="jax",
    special="jax.scipy.special",
    is_writeable=is_writeable,
    set_at=set_at,
    scatter_add=scatter_add,
    share=share,
)
