"""CuPy: mutable, differentiated by the tape on its own device."""

from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, Namespace
from arraygrad.libraries.generic import Library, assign

__all__ = ["LIBRARY"]


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return a copy of `x` with `values` added at `key`; duplicates add up."""
    return add_at(x.copy(), key, values)


def add_at(y: Array, key: Any, values: Array) -> Array:
    """Add atomically, in no certain order; complex numbers part by part, as CUDA's atomics are."""
    import cupyx

    if y.dtype.kind == "c":
        cupyx.scatter_add(y.real, key, values.real)
        cupyx.scatter_add(y.imag, key, values.imag)
    else:
        cupyx.scatter_add(y, key, values)
    return y


def enter(device: Any) -> Any:
    """Make a device the current one, with a context of its own: one cannot be entered twice."""
    import cupy

    return cupy.cuda.Device(device.id)


def seed(y: Array) -> Array:
    """Return ones like an output, on its device."""
    with enter(y.device):
        return array_namespace(y).ones_like(y)


LIBRARY = Library(
    executor="cupy",
    mutable=True,
    numpy_functions=True,
    extra="cupy",
    special="cupyx.scipy.special",
    set_at=assign,
    scatter_add=scatter_add,
    add_at=add_at,
    enter=enter,
    seed=seed,
    to_numpy=lambda x: x.get(),
)
