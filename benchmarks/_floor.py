"""The floor: each optimizer's step as a C loop over the elements, compiled on the spot.

Without -ffast-math, which would change how the whole process treats small numbers.
"""

import ctypes
import itertools
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._updates import RATE, Arrays, Step, zeros_like

__all__ = ["compiler", "floor"]

SOURCE = """
#include <math.h>
#include <stddef.h>
#define EACH for (ptrdiff_t i = 0; i < n; i++)

void sgd(ptrdiff_t n, T *w, const T *g, T *m, T *v, T rate, T t) {
    #pragma omp parallel for simd
    EACH w[i] -= rate * g[i];
}

#define MOMENTS \\
    T a = m[i] = b1 * m[i] + (1 - b1) * g[i]; \\
    T b = v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];

void adam(ptrdiff_t n, T *w, const T *g, T *m, T *v, T rate, T t) {
    const T b1 = 0.9, b2 = 0.999, e = 1e-8;
    const T r = rate / (1 - pow(b1, t)), s = 1 / sqrt(1 - pow(b2, t));
    #pragma omp parallel for simd
    EACH { MOMENTS w[i] -= r * a / (s * SQRT(b) + e); }
}

void lamb(ptrdiff_t n, T *w, const T *g, T *m, T *v, T rate, T t, T *u) {
    const T b1 = 0.9, b2 = 0.999, e = 1e-8;
    const T r = 1 / (1 - pow(b1, t)), s = 1 / sqrt(1 - pow(b2, t));
    T ww = 0, uu = 0;
    #pragma omp parallel for simd reduction(+ : ww, uu)
    EACH { MOMENTS T x = u[i] = r * a / (s * SQRT(b) + e); ww += w[i] * w[i]; uu += x * x; }
    const T ratio = rate * sqrt(ww / uu);
    #pragma omp parallel for simd
    EACH w[i] -= ratio * u[i];
}

void lars(ptrdiff_t n, T *w, const T *g, T *m, T *v, T rate, T t) {
    T ww = 0, gg = 0;
    #pragma omp parallel for simd reduction(+ : ww, gg)
    EACH { ww += w[i] * w[i]; gg += g[i] * g[i]; }
    const T ratio = rate * sqrt(ww / gg);
    #pragma omp parallel for simd
    EACH w[i] -= ratio * g[i];
}
"""
KINDS = {
    "float32": ("float", "sqrtf", ctypes.c_float),
    "float64": ("double", "sqrt", ctypes.c_double),
}


def compiler() -> str | None:
    """Return a C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@cache
def _library(dtype: str) -> Any:
    kind, root, _ = KINDS[dtype]
    folder = Path(tempfile.mkdtemp(prefix="floor"))
    (folder / "floor.c").write_text(SOURCE)
    flags = ["-O3", "-march=native", "-fno-math-errno", "-fopenmp", "-shared", "-fPIC"]
    names = [f"-DT={kind}", f"-DSQRT={root}"]
    command = [compiler(), *flags, *names, "floor.c", "-o", "floor.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "floor.so"))


def floor(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """The C loop, in place, leaf by leaf."""
    if compiler() is None:
        return None
    dtype = str(w[0].dtype)
    number = KINDS[dtype][2]
    loop = getattr(_library(dtype), name)
    w = [x.copy() for x in w]
    moments = zeros_like(w)
    scratch = np.empty_like(w[0])
    turn, count = itertools.cycle(gradients), itertools.count(1)
    address = {
        id(x): x.ctypes.data_as(ctypes.c_void_p) for x in itertools.chain(w, *moments, *gradients)
    }
    extra = [scratch.ctypes.data_as(ctypes.c_void_p)] if name == "lamb" else []

    def step() -> Arrays:
        t = number(next(count))
        for row in zip(w, next(turn), *moments, strict=True):
            pointers = [address[id(x)] for x in row]
            loop(ctypes.c_ssize_t(row[0].size), *pointers, number(RATE), t, *extra)
        return w

    return step
