"""CuPy without a GPU: real `cupy.ndarray`s over the host's memory, on which NumPy computes.

    python -m pytest conformance_tests --array-backend=conformance_tests.host_cupy

Shapes, strides, views, dispatch and the namespace (array_api_compat's) are CuPy's own. What would
launch a kernel is handed to NumPy instead, with CuPy's manners: no operand may be a NumPy array,
reductions return 0-d arrays, results lie on the current device, and whoever meets an array of
another device is told so. Under `no_reads`, so is whoever asks for a value on the host.

Kernels of optimizers are compiled for the host. It says nothing about CuPy's arithmetic, its
speed or its streams. `install` changes `cupy` for the whole process.
"""

import contextlib
import ctypes
import functools
import itertools
import operator
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import cupy
import numpy as np

from conformance_tests.host_cuda import HostModule

__all__ = [
    "HostArray",
    "HostDevice",
    "HostReadError",
    "asarray",
    "install",
    "no_reads",
    "uninstall",
]


class HostReadError(RuntimeError):
    """A value was asked for on the host: a GPU would have to be waited for."""


class _Here(threading.local):
    device = 0
    reads = True


_here = _Here()
_live: dict[int, int] = {}
_numbers = itertools.count()


@contextlib.contextmanager
def no_reads() -> Iterator[None]:
    """Refuse to tell values to the host."""
    _here.reads = False
    try:
        yield
    finally:
        _here.reads = True


class HostDevice:
    """Stands in for `cupy.cuda.Device`: a number, and a context manager."""

    def __init__(self, device: Any = None) -> None:
        self.id = _here.device if device is None else int(getattr(device, "id", device))
        self._before: list[int] = []

    def __enter__(self) -> "HostDevice":
        self._before.append(_here.device)
        _here.device = self.id
        return self

    def __exit__(self, *_: object) -> None:
        _here.device = self._before.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostDevice) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __int__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


class _Stream:
    """Stands in for the current stream."""

    ptr = 0


# --- from NumPy's arrays to CuPy's, and back ------------------------------------------------------


def _device_array(x: Any) -> Any:
    """Return NumPy's results as arrays on the current device."""
    if isinstance(x, np.ndarray | np.generic):
        values = np.array(x, order="K")  # a copy; of scalars a 0-d array
        key = next(_numbers)
        _live[key] = values.nbytes
        weakref.finalize(values, _live.pop, key)
        memory = cupy.cuda.UnownedMemory(
            values.ctypes.data, max(values.nbytes, 1), values, _here.device
        )
        pointer = cupy.cuda.MemoryPointer(memory, 0)
        return HostArray(values.shape, values.dtype, pointer, values.strides)
    if isinstance(x, tuple) and type(x) is not tuple:
        return type(x)(*map(_device_array, x))
    return type(x)(map(_device_array, x)) if isinstance(x, tuple | list) else x


def on_host(x: Any) -> Any:
    """Return NumPy's view of an array's memory; of all arrays in tuples, lists and dicts."""
    if isinstance(x, cupy.ndarray):
        if x.data.device_id != _here.device:
            message = f"an array of device {x.data.device_id}, while {_here.device} is current"
            raise RuntimeError(message)
        return _memory(x)
    if isinstance(x, np.ndarray):
        message = f"Unsupported type {type(x)}"
        raise TypeError(message)  # as CuPy says
    if isinstance(x, tuple | list) and not hasattr(x, "_fields"):
        return type(x)(map(on_host, x))
    return {k: on_host(v) for k, v in x.items()} if type(x) is dict else x


def _memory(x: Any) -> Any:
    if not x.size:
        return np.empty(x.shape, x.dtype)
    first = np.frombuffer((ctypes.c_char * x.dtype.itemsize).from_address(x.data.ptr), x.dtype)
    return np.lib.stride_tricks.as_strided(first, x.shape, x.strides)


def _through(function: Any) -> Any:
    """Return a function of NumPy's for CuPy's arrays."""

    @functools.wraps(function, assigned=("__name__",))  # NumPy's doctests stay there
    def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        kwargs = {k: v for k, v in on_host(kwargs).items() if k != "stream"}
        with np.errstate(all="ignore"):
            found = function(*on_host(args), **kwargs)
        return _written(out, found) if out is not None else _device_array(found)

    return call


def _written(out: Any, found: Any) -> Any:
    on_host(out)[...] = found
    return out


def _told(name: str, value: Any) -> Any:
    """Return what tells a value to the host."""

    def tell(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _here.reads:
            message = f"{name} was called"
            raise HostReadError(message)
        return value(_memory(self), *args, **kwargs)

    return tell


_METHODS = (
    "all any argmax argmin argsort astype choose clip compress conj copy cumprod cumsum diagonal "
    "dot flatten max mean min nonzero partition prod put ravel repeat round searchsorted std sum "
    "take trace var"
)


class HostArray(cupy.ndarray):  # type: ignore[misc]
    """A `cupy.ndarray` whose memory is the host's."""

    @property
    def device(self) -> HostDevice:
        """The device on which it pretends to lie."""
        return HostDevice(self.data.device_id)

    def __cupy_override_elementwise_kernel__(self, kernel: Any, *args: Any, **kwargs: Any) -> Any:
        name = kernel.name.removeprefix("cupy_")
        if name == "fill":
            args[1][...] = args[0]
            return None
        if isinstance(kernel, cupy.ElementwiseKernel) or kwargs.keys() - {"dtype", "out"}:
            message = f"the host cannot run {kernel.name} with {kwargs}"
            raise NotImplementedError(message)
        inputs, outs = args[: kernel.nin], args[kernel.nin :]
        out = outs[0] if outs else kwargs.get("out")
        dtype = {} if kwargs.get("dtype") is None else {"dtype": kwargs["dtype"]}
        function = _NAMES.get(name) or getattr(np, name)
        if (
            out is not None
            and kernel.nout == 1
            and not np.can_cast(
                np.result_type(*(x for x in on_host(inputs))), out.dtype, "same_kind"
            )
        ):
            message = f"output (typecode '{out.dtype.char}') cannot be cast"
            raise TypeError(message)
        return _through(function)(*inputs, out=out, **dtype)

    def __cupy_override_reduction_kernel__(
        self, kernel: Any, axis: Any, dtype: Any, out: Any, keepdims: bool
    ) -> Any:
        function = getattr(np, kernel.name.removeprefix("cupy_"))
        return _through(function)(self, axis=axis, out=out, keepdims=keepdims)

    def __getitem__(self, key: Any) -> Any:
        if _is_basic(key):
            return super().__getitem__(key)
        return _through(operator.getitem)(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        on_host(self)[on_host(key)] = on_host(value)

    def scatter_add(self, key: Any, values: Any) -> None:
        """Add at indices, all of those that are equal."""
        np.add.at(on_host(self), on_host(key), on_host(values))

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """Return a view where CuPy can make one."""
        if self._c_contiguous and order == "C" and not copy:
            return super().reshape(*shape)
        if copy is False:
            message = "Unable to avoid creating a copy while reshaping."
            raise ValueError(message)
        return _through(np.ndarray.reshape)(self, *shape, order=order)

    def fill(self, value: Any) -> None:
        """Write one value everywhere."""
        on_host(self)[...] = on_host(value)

    @property
    def imag(self) -> Any:
        """The imaginary part; a view only of what is complex."""
        return super().imag if self.dtype.kind == "c" else _through(np.zeros_like)(self)

    def __matmul__(self, other: Any) -> Any:
        return (
            _through(np.matmul)(self, other) if isinstance(other, cupy.ndarray) else NotImplemented
        )

    def __dlpack__(self, **kwargs: Any) -> Any:
        return _told("__dlpack__", lambda x: x.__dlpack__())(self)

    def __dlpack_device__(self) -> Any:
        return (1, 0)

    get = _told("get", np.array)
    item = _told("item", np.ndarray.item)
    tolist = _told("tolist", np.ndarray.tolist)
    __bool__, __float__ = _told("bool", bool), _told("float", float)
    __int__, __complex__ = _told("int", int), _told("complex", complex)
    __index__ = _told("index", operator.index)
    __repr__, __str__ = _told("repr", repr), _told("str", str)


for _name in _METHODS.split():
    setattr(HostArray, _name, _through(getattr(np.ndarray, _name)))


def _is_basic(key: Any) -> bool:
    keys = key if isinstance(key, tuple) else (key,)
    return all(
        k is None or k is Ellipsis or isinstance(k, int | slice | np.integer) for k in keys
    ) and not any(isinstance(k, bool) for k in keys)


_NAMES = {
    "clip": np.clip,
    "copy": np.positive,
    "i0": np.i0,
    "nan_to_num_": np.nan_to_num,
    "real": np.real,
    "round": np.round,
    "sinc": np.sinc,
    "where": np.where,
}


# --- the functions of CuPy's modules --------------------------------------------------------------

_VIEWS = frozenset(
    "asarray atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to expand_dims flip "
    "fliplr flipud moveaxis permute_dims ravel reshape rollaxis rot90 shape size ndim squeeze "
    "swapaxes transpose array asanyarray ascontiguousarray asnumpy can_cast result_type isdtype "
    "issubdtype finfo iinfo get_array_module dtype broadcast_shapes promote_types errstate "
    "isscalar iscomplexobj isrealobj min_scalar_type common_type matrix_transpose".split()
)


def array(x: Any, dtype: Any = None, copy: Any = True, **_: Any) -> Any:
    """Make an array on the current device."""
    if isinstance(x, cupy.ndarray):
        same = dtype is None or x.dtype == dtype
        if not copy and same and x.data.device_id == _here.device:
            return x
        return _device_array(_memory(x).astype(dtype or x.dtype))
    flat = _read_nested(x)
    return _device_array(np.array(flat, dtype=dtype))


def _read_nested(x: Any) -> Any:
    return (
        [_read_nested(y) for y in x]
        if isinstance(x, list | tuple)
        else (_memory(x) if isinstance(x, cupy.ndarray) else x)
    )


def asarray(x: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """Make an array on the current device, unless it is one."""
    return array(x, dtype, copy=bool(kwargs.get("copy")))


def _like(function: Any) -> Any:
    """Return a function that makes an array like another: NumPy's, without `order` and `subok`."""

    def make(x: Any, *args: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
        return _through(function)(x, *args, dtype=dtype, shape=shape)

    return make


_undo: list[tuple[Any, str, Any]] = []


def _set(owner: Any, name: str, value: Any) -> None:
    _undo.append((owner, name, getattr(owner, name)))
    setattr(owner, name, value)


def _replace(ours: Any, theirs: Any) -> None:
    """Let NumPy's functions stand in for CuPy's of the same name."""
    for name in dir(ours):
        function, numpys = getattr(ours, name), getattr(theirs, name, None)
        fit = (
            callable(function) and callable(numpys) and not isinstance(function, type | cupy.ufunc)
        )
        if fit and not name.startswith("_") and name not in _VIEWS:
            _set(ours, name, _through(numpys))


def has_gpu() -> bool:
    """Say whether there is a GPU, and not this."""
    try:
        return not _undo and cupy.cuda.runtime.getDeviceCount() > 0
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


def live_bytes() -> int:
    """Return how much memory arrays have that nobody has let go."""
    return sum(_live.values())


def install() -> bool:
    """Let the host stand in for the GPU, in the whole process; no if it does already."""
    import array_api_compat.cupy as compat
    import cupyx.scipy.special
    import scipy.special

    from arraygrad.fusion import elementwise_kernel

    if _undo:
        return False
    _replace(cupy, np)
    _replace(cupy.linalg, np.linalg)
    _replace(cupy.fft, np.fft)
    for name in dir(cupyx.scipy.special):
        theirs = getattr(scipy.special, name, None)
        if isinstance(theirs, np.ufunc) or name == "multigammaln":
            _set(cupyx.scipy.special, name, _through(theirs))
    for name in ("empty_like", "zeros_like", "ones_like", "full_like"):
        _set(cupy, name, _like(getattr(np, name)))
    for name in ("array", "asarray", "asanyarray"):
        _set(cupy, name, array if name == "array" else asarray)
    _set(cupy, "ascontiguousarray", _through(np.ascontiguousarray))
    _set(cupy, "asnumpy", _told("asnumpy", np.array))
    _set(cupy, "RawModule", HostModule)
    _set(cupy.cuda, "Device", HostDevice)
    _set(cupy.cuda, "get_current_stream", _Stream)
    _set(cupy.cuda.runtime, "getDevice", lambda: _here.device)
    _set(cupy.cuda.runtime, "getDeviceCount", lambda: 2)
    _set(elementwise_kernel, "_kind", lambda: HostArray)
    # What array_api_compat took over from CuPy by name.
    new = {id(before): getattr(owner, name) for owner, name, before in _undo}
    for module in (compat, compat._aliases, compat.linalg, compat.fft):
        for name, value in list(vars(module).items()):
            if id(value) in new:
                _set(module, name, new[id(value)])
    return True


def uninstall() -> None:
    """Give everything back."""
    from arraygrad.fusion import cuda_launch, pointer_tables

    pointer_tables._sent.cache_clear()
    cuda_launch._compiled.cache_clear()
    while _undo:
        owner, name, before = _undo.pop()
        setattr(owner, name, before)
