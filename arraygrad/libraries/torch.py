"""PyTorch: mutable, brings its own autodiff."""

from operator import attrgetter
from typing import Any

from torch.autograd.forward_ad import unpack_dual

from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library
from arraygrad.libraries.generic import solve_adjoint as solve_any
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


def share(x: Array) -> Array:
    """Return a tensor outside of graphs, with its own elements in its memory."""
    x = x.detach().resolve_conj().resolve_neg()
    return x if is_writeable(x) else x.contiguous()


def to_numpy(x: Array) -> Any:
    """Return a tensor's values, from any device and out of any graph."""
    return x.numpy(force=True)


def solve_adjoint(xp: Namespace, a: Array, b: Array, triangle: str | None = None) -> Array:
    """Return a⁻ᴴ b by substitution, where `a` is known to be triangular."""
    if triangle is None:
        return solve_any(xp, a, b)
    return xp.linalg.solve_triangular(a.mH, b, upper=triangle == "lower")


def host_memory(x: Array) -> Any:
    """Return a NumPy view of a tensor on the CPU that is in no graph and no transform."""
    if x.requires_grad or x.device.type != "cpu" or has_tangent(x):
        return None
    try:
        return x.numpy()
    except (RuntimeError, TypeError):  # in a transform of torch.func, or of a dtype NumPy lacks
        return None


def has_tangent(x: Array) -> bool:
    """Say whether torch's forward mode follows a tensor."""
    return unpack_dual(x).tangent is not None  # type: ignore[no-untyped-call]


def layout(x: Array) -> Any:
    """Return where a tensor lies: `x.data = y` moves it, `x.t_()` turns it."""
    return x.data_ptr(), x.shape, x.stride()


LIBRARY = Library(
    autodiff="torch",
    executor="host",
    compiler="torch",
    host_memory=host_memory,
    in_graph=attrgetter("requires_grad"),
    layout=layout,
    mutable=True,
    extra="torch",
    special="torch.special",
    is_writeable=is_writeable,
    write=write,
    set_at=set_at,
    scatter_add=scatter_add,
    solve_adjoint=solve_adjoint,
    share=share,
    to_numpy=to_numpy,
)
