"""The array libraries that the suite runs on: named on the command line, loaded on demand.

A name is the dotted path of an array namespace (`numpy`, `torch`, `mylib.xp`), with the device in
brackets where it is not the library's default: `torch[cuda]`, `array_api_strict[device1]`.
"""

import functools
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from arraygrad._namespace import array_namespace
from arraygrad.libraries import library_of

__all__ = ["USUAL", "Backend", "installed", "load"]

USUAL = ("numpy", "array_api_strict", "array_api_strict[device1]", "torch", "jax")
"""What the suite runs on by default, as far as it is installed."""

MODULES = {"jax": "jax.numpy"}  # where a library's namespace has another name than the library


@dataclass(frozen=True)
class Backend:
    """An array library on one device, as a test meets it."""

    name: str
    xp: Any
    device: Any = field(default=None, compare=False)
    read: Callable[[Any], Any] = field(default=np.from_dlpack, compare=False, repr=False)

    @property
    def library(self) -> str:
        """The name without the device."""
        return self.name.partition("[")[0]

    @property
    def mutable(self) -> bool:
        """Whether arrays can be written to."""
        return library_of(self.xp).is_writeable(self.asarray([0.0]))

    @property
    def lazy(self) -> bool:
        """Whether values are computed only when they are read."""
        return library_of(self.xp).lazy

    @property
    def autodiff(self) -> str:
        """Who differentiates its arrays, unless the caller says otherwise."""
        return library_of(self.xp).autodiff

    def asarray(self, values: Any, dtype: str | None = "float64") -> Any:
        """Make an array, with nothing but the standard; `None` keeps NumPy's dtype."""
        values = np.asarray(values)
        dtype = getattr(self.xp, dtype or str(values.dtype))
        flat = self.xp.asarray(values.reshape(-1).tolist(), dtype=dtype, device=self.device)
        return self.xp.reshape(flat, values.shape)

    def to_numpy(self, x: Any) -> Any:
        """Copy an array's values into a NumPy array."""
        return np.array(self.read(x))

    def dtype(self, name: str) -> Any:
        """Return a dtype by its standard name."""
        return getattr(self.xp, name)


def installed() -> list[str]:
    """Return the usual backends whose library is installed."""
    return [name for name in USUAL if importlib.util.find_spec(name.partition("[")[0])]


def load(name: str) -> Backend:
    """Import a namespace and return it as a backend."""
    library, _, device = name.rstrip("]").partition("[")
    prepare, read, device_of = PECULIAR.get(library, (None, None, str))
    if prepare is not None:
        prepare()
    module = pkgutil.resolve_name(MODULES.get(library, library))  # some make theirs on demand
    xp = array_namespace(module.asarray(0.0))
    read = read or library_of(xp).to_numpy
    return Backend(name, xp, device_of(device) if device else None, read)


# --- what is peculiar to the usual libraries ------------------------------------------------------


def _prepare_dask() -> None:
    import dask

    dask.config.set(scheduler=_refuse_to_us)  # what is lazy stays lazy


def _prepare_host_cupy() -> None:
    from conformance_tests import host_cupy

    host_cupy.install()


def _cupy_device(name: str) -> Any:
    import cupy

    return cupy.cuda.Device(int(name))


def _prepare_jax() -> None:
    import jax

    jax.config.update("jax_enable_x64", True)


def _prepare_mlx() -> None:
    import mlx.core as mx

    mx.set_default_device(mx.cpu)  # the one that has float64


def _prepare_ndonnx() -> None:
    import onnxruntime

    own = onnxruntime.InferenceSession

    @functools.lru_cache(maxsize=10_000)
    def loaded(model: bytes) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return own(model, options)

    def session(model: Any, options: Any = None, **keywords: Any) -> Any:
        # Each eager operation is a model of one node: most are met again.
        return own(model, options, **keywords) if keywords else loaded(model)

    onnxruntime.InferenceSession = session


def _prepare_torch() -> None:
    import torch

    torch.set_num_threads(1)  # small tensors: more threads only wait for each other


def _refuse_to_us(tasks: Any, keys: Any, **_: Any) -> Any:
    """Compute for the suite, and for those of ours who say that they read values."""
    import dask

    asking = next(name for name in _modules_outwards() if not name.startswith(_HANDING_ON))
    if asking.startswith("arraygrad.") and not asking.startswith(_READING):
        message = f"{asking} asked for a value of a lazy array"
        raise AssertionError(message)
    return dask.get(tasks, keys)


_HANDING_ON = (__name__, "dask", "numpy", "arraygrad.autodiff.tape.array", "arraygrad.libraries")
_READING = ("arraygrad.audit", "arraygrad._audit", "arraygrad.state", "arraygrad.testing")


def _modules_outwards() -> Iterator[str]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back


def _jax_device(name: str) -> Any:
    import jax

    return jax.devices(name)[0]


def _strict_device(name: str) -> Any:
    import array_api_strict

    return array_api_strict.Device(name)


def _read_dask(x: Any) -> Any:
    # Small chunks: threads only wait for each other.
    return np.asarray(x.compute(scheduler="synchronous"))


def _read_strict(x: Any) -> Any:
    import array_api_strict

    return np.from_dlpack(x.to_device(array_api_strict.Device("CPU_DEVICE")))


def _read_torch(x: Any) -> Any:
    return x.numpy(force=True)


# library: (prepare it, read an array if its `Library` does not, find a device by its name)
PECULIAR: dict[str, tuple[Any, Callable[[Any], Any] | None, Callable[[str], Any]]] = {
    "array_api_strict": (None, _read_strict, _strict_device),
    "conformance_tests.host_cupy": (_prepare_host_cupy, lambda x: x.get(), _cupy_device),
    "cupy": (None, lambda x: x.get(), _cupy_device),
    "dask.array": (_prepare_dask, _read_dask, str),
    "jax": (_prepare_jax, np.asarray, _jax_device),
    "mlx.core": (_prepare_mlx, np.asarray, str),
    "ndonnx": (_prepare_ndonnx, lambda x: x.unwrap_numpy(), str),
    "numpy": (None, np.asarray, str),
    "torch": (_prepare_torch, _read_torch, str),
}
