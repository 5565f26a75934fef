"""The kernels that optimizers have on CuPy, and NVRTC, CuPy's compiler, which needs no GPU."""

import functools
import inspect
import shutil
from pathlib import Path
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
import pytest

from arraygrad import optimizers
from arraygrad.fusion.trace import trace
from arraygrad.optimizers import KernelOptimizer

__all__ = ["OPTIMIZERS", "compile_for_gpu", "program_of", "require_nvrtc"]


def _kernel_optimizers() -> dict[str, KernelOptimizer]:
    """Return every optimizer that is one kernel, and the conventions of each."""
    found = {}
    for name in optimizers.__all__:
        factory = getattr(optimizers, name)
        parameters = inspect.signature(factory).parameters if inspect.isfunction(factory) else {}
        if "learning_rate" not in parameters:
            continue
        for convention in (
            ("paper", "torch", "ivy", "keras") if "convention" in parameters else (0,)
        ):
            try:
                optimizer = factory(0.01, **({"convention": convention} if convention else {}))
            except ValueError:  # which has no such convention
                continue
            if type(optimizer) is KernelOptimizer:
                found[f"{name}-{convention}" if convention else name] = optimizer
    return found


OPTIMIZERS = _kernel_optimizers()


@functools.cache
def program_of(name: str, letter: str) -> Any:
    """Return an optimizer's kernel traced as for CuPy's arrays of a dtype; None if it cannot be."""
    optimizer = OPTIMIZERS[name]
    slots, arrays = len(optimizer._slots), len(optimizer._arrays)
    dtype = np.dtype("f" if letter == "e" else letter)
    return trace(optimizer.kernel, xp, dtype, 2 + slots + arrays, slots, True)


# --- NVRTC ----------------------------------------------------------------------------------------


def require_nvrtc() -> None:
    """Skip a module where the compiler is not installed."""
    pytest.importorskip("cupy")
    from cupy_backends.cuda.libs import nvrtc

    try:
        nvrtc.getVersion()
    except Exception as error:  # CuPy has several, for several ways not to find it
        reason = f"no NVRTC, which `pip install nvidia-cuda-nvrtc` brings: {type(error).__name__}"
        pytest.skip(reason, allow_module_level=True)


def compile_for_gpu(source: str, architecture: str) -> bytes:
    """Compile as CuPy does, and return the machine code."""
    from cupy_backends.cuda.libs import nvrtc

    program = nvrtc.createProgram(source, "arraygrad.cu", (), ())
    try:
        nvrtc.compileProgram(program, (f"--gpu-architecture={architecture}", *_includes()))
    except nvrtc.NVRTCError:
        pytest.fail(f"{nvrtc.getProgramLog(program)}\n{source}")
    return nvrtc.getCUBIN(program)


@functools.cache
def _includes() -> tuple[str, ...]:
    """Return where the header of half precision may be."""
    import cupy

    folders = list(Path(cupy.__file__).parents[1].glob("nvidia/*/include"))
    try:
        import nvidia

        folders += [f for path in nvidia.__path__ for f in Path(path).glob("*/include")]
    except ImportError:  # a toolkit that was not installed by pip
        pass
    compiler = shutil.which("nvcc")
    folders += [Path("/usr/local/cuda/include")]
    folders += [Path(compiler).resolve().parents[1] / "include"] if compiler else []
    return tuple(f"-I{folder}" for folder in folders if folder.is_dir())
