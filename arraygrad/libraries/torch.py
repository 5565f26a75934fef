"""PyTorch: mutable, brings its own autodiff."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library

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
    """Add with torch's accumulating index_put; basic keys have no duplicates."""
    raise NotImplementedError


LIBRARY = Library(
    autodiff="torch",
    mutable=True,
    extra="torch",
    is_writeable=is_writeable,
    write=write,
    set_at=set_at,
    scatter_add=scatter_add,
)
