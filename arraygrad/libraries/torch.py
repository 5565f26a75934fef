"""PyTorch: mutable, brings its own autodiff."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library
from arraygrad.libraries.indexing import is_basic, is_mask, positions

__all__ = ["LIBRARY"]


def is_writeable(x: Array) -> bool:
    """Say whether a tensor can be written to: expanded tensors share one element many times."""
    return not any(
        stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)
    )


def write(out: Array, value: Array) -> None:
    """Copy into the tensor's memory, outside anybody's graph."""
    out.detach().copy_(value.detach())


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a clone with the value at the key."""
    y = x.clone()
    y[key] = value
    return y


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Add with torch's accumulating index_put; basic keys and masks have no duplicates."""
    if is_basic(key) or is_mask(xp, key):
        return set_at(xp, x, key, x[key] + values)
    where = positions(xp, x, key)
    values = values.broadcast_to(where.shape)
    y = x.reshape(-1).clone()
    y.index_put_((where.reshape(-1),), values.reshape(-1), accumulate=True)
    return y.reshape(x.shape)


LIBRARY = Library(
    autodiff="torch",
    mutable=True,
    extra="torch",
    special="torch.special",
    is_writeable=is_writeable,
    write=write,
    set_at=set_at,
    scatter_add=scatter_add,
)
