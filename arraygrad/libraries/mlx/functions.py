"""The standard's functions that `mlx.core` lacks, or spells otherwise.

An array of MLX has no device; functions run on one. `device` is therefore MLX's `stream`, which
may be a device, and `None` is the default one. Where values decide (`nonzero`, `unique_values`),
NumPy finds them.
"""

import functools
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from arraygrad._typing import Array, DType
from arraygrad.libraries.mlx import fft, linalg

__all__ = [
    "__array_api_version__", "all", "any", "arange", "argmax", "argmin", "argsort", "asarray",
    "astype", "bool", "clip", "copysign", "cos", "cumulative_prod", "cumulative_sum", "diff",
    "empty", "empty_like", "exp", "expm1", "eye", "fft", "full", "full_like", "hypot", "isin",
    "linalg", "linspace", "logaddexp", "matrix_transpose", "mean", "moveaxis", "nextafter",
    "nonzero", "ones", "ones_like", "prod", "repeat", "reshape", "result_type", "roll",
    "searchsorted", "signbit", "sin", "sort", "std", "sum", "unique_all", "unique_counts",
    "unique_inverse", "unique_values", "var", "vecdot", "zeros", "zeros_like",
]  # fmt: skip

bool = mx.bool_

__array_api_version__ = "2024.12"

# --- creation -------------------------------------------------------------------------------------


def _on_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of MLX that takes its stream as the standard's `device`."""

    @functools.wraps(function)
    def made(*arguments: Any, device: Any = None, **keywords: Any) -> Array:
        return function(*arguments, stream=device, **keywords)

    return made


empty, empty_like = _on_device(mx.empty), _on_device(mx.empty_like)
full, full_like = _on_device(mx.full), _on_device(mx.full_like)
ones, ones_like = _on_device(mx.ones), _on_device(mx.ones_like)
zeros, zeros_like = _on_device(mx.zeros), _on_device(mx.zeros_like)
eye, linspace = _on_device(mx.eye), _on_device(mx.linspace)


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> Array:
    """Return evenly spaced numbers."""
    if stop is None:
        start, stop = 0, start
    return mx.arange(start, stop, step, dtype, stream=device)


def asarray(
    obj: Any,
    /,
    *,
    dtype: DType | None = None,
    device: Any = None,
    copy: Any = None,
) -> Array:
    """Return an array; MLX takes NumPy's in single precision, if not told."""
    if dtype is None and isinstance(obj, np.ndarray | np.generic):
        dtype = getattr(mx, obj.dtype.name, None)
    same = isinstance(obj, mx.array) and (dtype is None or dtype == obj.dtype)
    if same and copy is not None:
        return mx.array(obj) if copy else obj
    return mx.asarray(obj, dtype, copy=copy)


# --- dtypes ---------------------------------------------------------------------------------------


def astype(x: Array, dtype: DType, /, *, copy: Any = True, device: Any = None) -> Array:
    """Return an array in another dtype."""
    return mx.astype(x, dtype, stream=device)


def result_type(*arrays_and_dtypes: Any) -> DType:
    """Return the dtype that an operation gives; Python numbers are weak."""
    numbers = tuple(x for x in arrays_and_dtypes if isinstance(x, int | float | complex))
    if not numbers:
        return mx.result_type(*arrays_and_dtypes)
    dtype = mx.result_type(*(x for x in arrays_and_dtypes if x not in numbers))
    return sum(numbers, mx.zeros((), dtype)).dtype


# --- elements -------------------------------------------------------------------------------------


def exp(x: Array, /) -> Array:
    """Return exponentials; those of float64, MLX computes with float32's accuracy."""
    if x.dtype != mx.float64:
        return mx.exp(x)
    size = mx.expm1(mx.abs(x)) + 1
    return mx.where(x < 0, 1 / size, size)


def expm1(x: Array, /) -> Array:
    """Return exponentials less one; those of complex numbers, which MLX lacks, as it says."""
    return mx.exp(x) - 1 if mx.isdtype(x.dtype, "complex floating") else mx.expm1(x)


def sin(x: Array, /) -> Array:
    """Return sines; those of float64, MLX computes with float32's accuracy."""
    if x.dtype != mx.float64:
        return mx.sin(x)
    t = mx.tan(x / 2)
    return 2 * t / (1 + t * t)


def cos(x: Array, /) -> Array:
    """Return cosines; those of float64, MLX computes with float32's accuracy."""
    if x.dtype != mx.float64:
        return mx.cos(x)
    t = mx.tan(x / 2)
    return (1 - t) * (1 + t) / (1 + t * t)


def logaddexp(x1: Any, x2: Any, /) -> Array:
    """Return logarithms of sums of exponentials; those of float64 with its accuracy."""
    if result_type(x1, x2) != mx.float64:
        return mx.logaddexp(x1, x2)
    large = mx.maximum(x1, x2)
    apart = mx.where(x1 == x2, 0, mx.abs(x1 - x2))  # infinities of one sign too
    return large + mx.log1p(exp(-apart))


_BITS = {2: mx.int16, 4: mx.int32, 8: mx.int64}


def signbit(x: Array, /) -> Array:
    """Say where the sign is negative, of zeros and NaNs too."""
    return mx.view(x, _BITS[x.itemsize]) < 0


def copysign(x1: Any, x2: Any, /) -> Array:
    """Return magnitudes with other signs."""
    dtype = result_type(x1, x2)
    size, sign = (mx.asarray(x, dtype) for x in (x1, x2))
    size = mx.abs(size)
    return mx.where(signbit(sign), -size, size)


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:
    """Limit elements to an interval."""
    return x if min is None and max is None else mx.clip(x, min, max)


def hypot(x1: Any, x2: Any, /) -> Array:
    """Return the hypotenuse, without overflow on the way."""
    x1, x2 = mx.abs(x1), mx.abs(x2)
    large, small = mx.maximum(x1, x2), mx.minimum(x1, x2)
    ratio = mx.where((large == 0) | mx.isinf(large), 0, small / large)
    found = large * mx.sqrt(1 + ratio * ratio)
    return mx.where(mx.isinf(x1) | mx.isinf(x2), mx.inf, found)


# --- shapes ---------------------------------------------------------------------------------------


def moveaxis(x: Array, source: Any, destination: Any, /) -> Array:
    """Move axes to other places."""
    if isinstance(source, int):
        return mx.moveaxis(x, source, destination)
    places = {to % x.ndim: at % x.ndim for at, to in zip(source, destination, strict=True)}
    others = iter([axis for axis in range(x.ndim) if axis not in places.values()])
    order = [places[n] if n in places else next(others) for n in range(x.ndim)]
    return mx.permute_dims(x, order)


def repeat(x: Array, repeats: Any, /, *, axis: int | None = None) -> Array:
    """Repeat elements, each its own number of times."""
    if isinstance(repeats, int):
        return mx.repeat(x, repeats, axis)
    x = mx.flatten(x) if axis is None else x
    axis = axis or 0
    places = np.repeat(np.arange(x.shape[axis], dtype=np.int32), np.asarray(repeats))
    return mx.take(x, mx.array(places), axis)


def reshape(x: Array, /, shape: tuple[int, ...], *, copy: Any = None) -> Array:
    """Return the elements in another shape."""
    return mx.reshape(x, shape)


def roll(x: Array, /, shift: Any, *, axis: Any = None) -> Array:
    """Return the elements, shifted along axes."""
    return mx.roll(x, shift, axis)


# --- sums -----------------------------------------------------------------------------------------


def _solid(x: Array) -> Array:
    """Return an array; of an empty one that is a view, MLX's reductions may not come to an end."""
    return x if x.size else mx.zeros(x.shape, x.dtype)


def _with_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reduction of MLX that casts first."""

    @functools.wraps(function)
    def reduced(
        x: Array, /, *, axis: Any = None, dtype: DType | None = None, keepdims: Any = False
    ) -> Array:
        return function(_solid(x) if dtype is None else mx.astype(_solid(x), dtype), axis, keepdims)

    return reduced


sum, prod = _with_dtype(mx.sum), _with_dtype(mx.prod)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def reduced(x: Array, /, *, axis: Any = None, keepdims: Any = False) -> Array:
        return function(_solid(x), axis, keepdims)

    return reduced


all, any, mean = _reduction(mx.all), _reduction(mx.any), _reduction(mx.mean)


def _variance(
    x: Array, /, *, axis: Any = None, correction: float = 0, keepdims: Any = False
) -> Array:
    """Return the variance; MLX corrects by integers only."""
    if correction == int(correction):
        return mx.var(_solid(x), axis, keepdims, correction=int(correction))
    found = mx.var(_solid(x), axis, keepdims)
    count = x.size / found.size
    return found * (count / (count - correction))


def std(x: Array, /, *, axis: Any = None, correction: float = 0, keepdims: Any = False) -> Array:
    """Return the standard deviation."""
    return mx.sqrt(_variance(x, axis=axis, correction=correction, keepdims=keepdims))


var = _variance


def _running(function: Callable[..., Any], initial: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def accumulated(
        x: Array,
        /,
        *,
        axis: int | None = None,
        dtype: DType | None = None,
        include_initial: Any = False,
    ) -> Array:
        axis = (0 if axis is None else axis) % x.ndim
        found = function(_solid(x), axis, dtype=dtype)
        if not include_initial:
            return found
        shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        return mx.concat([mx.full(shape, initial, found.dtype), found], axis)

    return accumulated


cumulative_sum, cumulative_prod = _running(mx.cumsum, 0), _running(mx.cumprod, 1)


def diff(
    x: Array,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """Return differences along an axis."""
    parts = [part for part in (prepend, x, append) if part is not None]
    return mx.diff(mx.concat(parts, axis), n, axis)


# --- order, search --------------------------------------------------------------------------------


def argsort(x: Array, /, *, axis: int = -1, descending: Any = False, stable: Any = True) -> Array:
    """Return the indices that sort, equals in their order."""
    if not descending:
        return mx.astype(mx.argsort(x, axis), mx.int32)
    back = mx.argsort(mx.flip(x, axis), axis)
    return mx.flip(x.shape[axis] - 1 - mx.astype(back, mx.int32), axis)


def sort(x: Array, /, *, axis: int = -1, descending: Any = False, stable: Any = True) -> Array:
    """Return the elements in order."""
    found = mx.sort(x, axis)
    return mx.flip(found, axis) if descending else found


def searchsorted(
    x1: Array, x2: Any, /, *, side: str = "left", sorter: Array | None = None
) -> Array:
    """Return where values would be inserted."""
    x1 = x1 if sorter is None else mx.take(x1, sorter)
    return mx.astype(mx.searchsorted(x1, mx.asarray(x2, x1.dtype), side), mx.int32)


def argmax(x: Array, /, *, axis: int | None = None, keepdims: Any = False) -> Array:
    """Return the index of the first maximum."""
    return mx.astype(mx.argmax(x, axis, keepdims), mx.int32)


def argmin(x: Array, /, *, axis: int | None = None, keepdims: Any = False) -> Array:
    """Return the index of the first minimum."""
    return mx.astype(mx.argmin(x, axis, keepdims), mx.int32)


def _by_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of NumPy for arrays of MLX."""

    @functools.wraps(function)
    def found(*arguments: Any, **keywords: Any) -> Any:
        results = function(*map(np.asarray, arguments), **keywords)
        if not isinstance(results, tuple):
            return _mlx(results)
        made = getattr(type(results), "_make", tuple)
        return made(map(_mlx, results))

    return found


def _mlx(x: Any) -> Array:
    # NumPy's indices are of 64 bits, MLX's own of 32.
    return asarray(x.astype(np.int32) if x.dtype == np.intp else x)


isin, nextafter = _by_numpy(np.isin), _by_numpy(np.nextafter)
nonzero = _by_numpy(np.nonzero)
unique_all, unique_counts = _by_numpy(np.unique_all), _by_numpy(np.unique_counts)
unique_inverse, unique_values = _by_numpy(np.unique_inverse), _by_numpy(np.unique)

matrix_transpose, vecdot = linalg.matrix_transpose, linalg.vecdot
