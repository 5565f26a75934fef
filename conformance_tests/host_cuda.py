"""CUDA sources on the host: compiled by g++, one thread after the other or all of a block at once.

Few threads make a block here, so that the sources must not rely on how many there are.
"""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["HostModule", "launches"]

launches: list[str] = []
"""The names of the kernels that were launched."""

_SHIM = """
#include <cmath>
#include <pthread.h>
using namespace std;
struct Index { unsigned x, y; };
static Index blockIdx;
static thread_local Index threadIdx;
static pthread_barrier_t everybody;
#define __global__
#define __device__
#define __shared__ static
#define __syncthreads() pthread_barrier_wait(&everybody)
#define __half _Float16
template <class F> struct Thread { const F* f; unsigned n; pthread_t id; };
template <class F> static void* enter(void* given) {
  Thread<F>* own = (Thread<F>*)given;
  threadIdx = {own->n, 0};
  (*own->f)();
  return 0;
}
template <class F> static void run_block(const F& f, bool waits, unsigned count) {
  Thread<F> threads[64];
  pthread_barrier_init(&everybody, 0, count);
  for (unsigned n = 0; n < count; n++) {
    threads[n] = {&f, n};
    if (waits) pthread_create(&threads[n].id, 0, enter<F>, &threads[n]);
    else enter<F>(&threads[n]);
  }
  if (waits) for (unsigned n = 0; n < count; n++) pthread_join(threads[n].id, 0);
  pthread_barrier_destroy(&everybody);
}
"""

_RUN = """
extern "C" void run_{name}(unsigned x, unsigned y, {parameters}) {{
  for (unsigned j = 0; j < y; j++) for (unsigned i = 0; i < x; i++) {{
    blockIdx = {{i, j}};
    run_block([=] {{ {name}({arguments}); }}, {waits}, THREADS);
  }}
}}
"""


class HostModule:
    """Stands in for `cupy.RawModule`."""

    def __init__(self, *, code: str) -> None:
        source = _SHIM + _few_threads(code).replace("#include <cuda_fp16.h>", "")
        source += "".join(map(_runner, code.split('extern "C" __global__ void ')[1:]))
        self._library = _compiled(source)

    def get_function(self, name: str) -> Any:
        """Return what launches a kernel, with CuPy's arguments."""

        def launch(grid: Any, block: Any, arguments: Any) -> None:
            x, y = (*grid, 1)[:2]
            launches.append(name)
            run = getattr(self._library, f"run_{name}")
            run(ctypes.c_uint(x), ctypes.c_uint(y), *map(_passed, arguments))

        return launch


def _few_threads(code: str) -> str:
    assert "#define THREADS 256" in code
    return code.replace("#define THREADS 256", "#define THREADS 8")


def _passed(x: Any) -> Any:
    if isinstance(x, float):
        return ctypes.c_double(x)
    return ctypes.c_longlong(x) if isinstance(x, int) else ctypes.c_void_p(x.data.ptr)


def _runner(kernel: str) -> str:
    """Return what runs all blocks of a kernel; its threads at once if they wait for each other."""
    head, _, body = kernel.partition(") {")
    name, _, parameters = " ".join(head.split()).partition("(")
    names = ", ".join(p.split()[-1].lstrip("*") for p in parameters.split(", "))
    waits = "true" if "block_sum(" in body else "false"
    return _RUN.format(name=name, parameters=parameters, arguments=names, waits=waits)


@functools.cache
def _folder() -> Path:
    """Return where compiled sources are kept: with those of other runs, where the suite says."""
    folder = Path(os.environ.get("ARRAYGRAD_CACHE_DIR") or tempfile.mkdtemp()) / "host_cuda"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@functools.cache
def _compiled(source: str) -> ctypes.CDLL:
    path = _folder() / hashlib.sha256(source.encode()).hexdigest()
    if path.with_suffix(".so").exists():
        return ctypes.CDLL(f"{path}.so")
    path.with_suffix(".cc").write_text(source)
    flags = ["-std=c++17", "-O0", "-ffp-contract=off", "-shared", "-fPIC", "-pthread"]
    command = [shutil.which("g++") or "c++", *flags, f"{path}.cc", "-o", f"{path}.{os.getpid()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{source}"
    Path(f"{path}.{os.getpid()}").rename(f"{path}.so")  # at once: other processes may look for it
    return ctypes.CDLL(f"{path}.so")
