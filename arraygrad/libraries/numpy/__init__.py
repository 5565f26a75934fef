"""NumPy: mutable, differentiated by the tape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, DType
from arraygrad.libraries.generic import Library, quiet_numpy
from arraygrad.libraries.numpy.indexing import add_at, places, scatter_add, set_at
from arraygrad.libraries.numpy.sums import quick_sums
from arraygrad.libraries.numpy.triangular import solve_adjoint

__all__ = ["LIBRARY"]


def quick_functions() -> dict[str, Callable[..., Any]]:
    """Return what skips NumPy's dispatch: it costs more than small arrays take."""
    ndarray = np.ndarray
    in_general = array_namespace(np.empty(0)).clip

    def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
        # The constructor makes such a view ten times as fast.
        if type(shape) is not tuple:
            return np.broadcast_to(x, shape)
        if x.shape == ():
            return ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        if len(x.shape) != len(shape) or not x.flags.c_contiguous:
            return np.broadcast_to(x, shape)
        for a, b in zip(x.shape, shape, strict=True):
            if a not in (1, b):
                return np.broadcast_to(x, shape)  # which refuses
        pairs = zip(x.strides, x.shape, shape, strict=True)
        return ndarray(shape, x.dtype, x, 0, tuple([s if a == b else 0 for s, a, b in pairs]))

    def astype(x: Array, dtype: DType, /, *, copy: bool = True, device: str | None = None) -> Array:
        return x.astype(dtype, copy=copy)

    def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Array:
        return np.asarray(obj, dtype, copy=copy)

    def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:
        if x.dtype.kind == "f" and {type(min), type(max)} <= {float, int}:
            return np.clip(x, min, max)
        return in_general(x, min, max)

    def from_dlpack(x: Array, /, **keywords: Any) -> Array:
        return np.from_dlpack(np.asarray(x), **keywords)  # scalars have no memory to share

    def reshape(x: Array, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Array:
        return x.reshape(shape) if copy is None else np.reshape(x, shape, copy=copy)

    def where(condition: Array, x1: Any, x2: Any, /) -> Array:
        if condition.dtype == bool:
            if type(x2) is int and x2 == 0 and _has_bits(x1):
                return _masked(x1, -condition.astype(_BITS[x1.dtype.itemsize]))
            if type(x1) is int and x1 == 0 and _has_bits(x2):
                return _masked(x2, condition.astype(_BITS[x2.dtype.itemsize]) - 1)
        return np.where(condition, x1, x2)

    return {
        "asarray": asarray,
        "astype": astype,
        "broadcast_to": broadcast_to,
        "clip": clip,
        "from_dlpack": from_dlpack,
        "matmul": np.matmul,
        "permute_dims": lambda x, /, axes: x.transpose(axes),
        "reshape": reshape,
        "where": where,
        **quick_sums(),
    }


_BITS = {2: "i2", 4: "i4", 8: "i8"}  # no integer is as long as `longdouble`


def _has_bits(x: Any) -> bool:
    """Say whether this is an array of floats that are as long as integers are."""
    return hasattr(x, "dtype") and x.dtype.kind == "f" and x.dtype.itemsize in _BITS


def _masked(x: Array, bits: Array) -> Array:
    """Return `x` where all bits are set, else 0: without a branch for each element."""
    return (x.view(bits.dtype) & bits).view(x.dtype)


def host_memory(x: Array) -> Any:
    """Return the array itself: subclasses may have their own mind about memory."""
    return x if type(x) is np.ndarray else None


def scalar(x: Array) -> Array:
    """Return a real 0-d array as a scalar, which NumPy's operators take five times as quickly."""
    scalar: Array = x[()] if x.shape == () and x.dtype.kind == "f" else x
    return scalar


def share(x: Array) -> Any:
    """Return an array with its elements apart, in order, and writeable, as torch takes it to be."""
    x = np.asarray(x)  # of a scalar, too
    pairs = zip(x.strides, x.shape, strict=True)
    if x.flags.writeable and x.dtype.isnative and all(s > 0 or n <= 1 for s, n in pairs):
        return x
    return np.array(x, x.dtype.newbyteorder("="))


def surely_finite(x: Array) -> bool:
    """Say whether the sum of squares is finite: BLAS finds it faster than NumPy looks."""
    squares: Any = np.vdot(x, x)
    return bool(squares - squares == 0)


def seed(y: Array) -> Array:
    """Return ones like an output; a scalar is made ten times as quickly."""
    one: Array = np.ones_like(y) if y.shape else y.dtype.type(1)
    return one


LIBRARY = Library(
    executor="host",
    host_memory=host_memory,
    mutable=True,
    readable=True,
    cheap_zero_d=True,
    numpy_functions=True,
    only_device="cpu",
    special="scipy.special",
    quiet=quiet_numpy,
    quick_functions=quick_functions,
    set_at=set_at,
    seed=seed,
    scatter_add=scatter_add,
    add_at=add_at,
    places=places,
    scalar=scalar,
    share=share,
    surely_finite=surely_finite,
    solve_adjoint=solve_adjoint,
)
