"""The array libraries that the examples run on: how to import each, and how to set it up."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["LIBRARIES", "Library", "load", "to_numpy"]


@dataclass(frozen=True, kw_only=True)
class Library:
    """One array library: its namespace, the extra that installs it, and its peculiarities."""

    namespace: str
    extra: str
    writeable: bool = True
    prepare: Callable[[], None] = lambda: None
    compile: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function


def _enable_float64() -> None:
    """Let jax keep float64; without it, it rounds to float32."""
    import jax

    jax.config.update("jax_enable_x64", True)


def _promote_to_float64() -> None:
    """Let torch promote integers to float64, as the others do."""
    import torch

    torch.set_default_dtype(torch.float64)


def _jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with jax.jit, as any user of jax would."""
    import jax

    return jax.jit(function)


def _find_gpu() -> None:
    """Stop with a plain sentence where CuPy has no GPU to work on."""
    import cupy

    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        message = (
            f"cupy is installed, but found no GPU ({error}).\n"
            "It needs an NVIDIA GPU with its driver; pip install 'arraygrad[cupy]' brings the rest."
        )
        raise SystemExit(message) from None


LIBRARIES = {
    "numpy": Library(namespace="array_api_compat.numpy", extra="examples"),
    "array_api_strict": Library(namespace="array_api_strict", extra="test"),
    "torch": Library(
        namespace="array_api_compat.torch", extra="torch", prepare=_promote_to_float64
    ),
    "jax": Library(
        namespace="jax.numpy",
        extra="jax",
        writeable=False,
        prepare=_enable_float64,
        compile=_jit,
    ),
    "cupy": Library(namespace="array_api_compat.cupy", extra="cupy", prepare=_find_gpu),
}


def load(name: str) -> tuple[Any, Library]:
    """Return a library's namespace and its entry, or stop and say what to install."""
    library = LIBRARIES[name]
    try:
        library.prepare()
        return importlib.import_module(library.namespace), library
    except ImportError as error:
        message = f"{name} cannot be imported ({error}): pip install 'arraygrad[{library.extra}]'"
        raise SystemExit(message) from None


def to_numpy(x: Any) -> np.ndarray:
    """Bring an array of any library to NumPy, from a GPU too."""
    return x.get() if hasattr(x, "get") else np.asarray(x)
