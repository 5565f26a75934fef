"""A library that nobody knows, by the way that `docs/how-to/add-a-library.md` shows."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Arrays around NumPy's, which are none of NumPy's: without a device, and without `hypot`.
LIBRARY = """
import operator
import sys

import numpy as np

bool, int64, float32, float64, complex64, complex128 = map(
    np.dtype, ["bool", "int64", "float32", "float64", "complex64", "complex128"])


class Array:
    def __init__(self, data):
        self.data = np.asarray(data)

    def __array_namespace__(self, *, api_version=None):
        return sys.modules[__name__]

    def __getattr__(self, name):
        if name not in ("dtype", "shape", "ndim", "size", "T"):
            raise AttributeError(name)
        return wrapped(getattr(self.data, name))

    def __getitem__(self, key):
        return wrapped(self.data[raw(key)])

    def __setitem__(self, key, value):
        self.data[raw(key)] = raw(value)

    def __bool__(self):
        return bool_of(self.data)


bool_of = __builtins__["bool"]


def raw(x):
    if isinstance(x, (tuple, list)):
        return type(x)(map(raw, x))
    return x.data if isinstance(x, Array) else x


def wrapped(x):
    if type(x) in (tuple, list):
        return x if all(isinstance(part, int) for part in x) else type(x)(map(wrapped, x))
    return Array(x) if isinstance(x, np.ndarray | np.generic) else x


def lifted(function):
    def call(*arguments, device=None, **keywords):
        return wrapped(function(*map(raw, arguments), **{k: raw(v) for k, v in keywords.items()}))
    return call


for name in "add sub mul truediv pow matmul lt le gt ge eq ne and or".split():
    setattr(Array, f"__{name}__", lifted(getattr(operator, f"__{name}__")))
for name in "add sub mul truediv pow".split():
    forward = getattr(operator, f"__{name}__")
    setattr(Array, f"__r{name}__", lifted(lambda a, b, forward=forward: forward(b, a)))
for name in "neg pos abs invert".split():
    setattr(Array, f"__{name}__", lifted(getattr(operator, f"__{name}__")))


def __getattr__(name):
    if name.startswith("_") or name == "hypot":
        raise AttributeError(name)
    return lifted(getattr(np, name))
"""
OURS = """
import arraygrad as ag

ag.register_library("mylib", ag.Library(
    mutable=True, namespace="mylib_standard", to_numpy=lambda x: x.data))
"""
STANDARD = """
import mylib

__all__ = ["hypot", "isdtype"]


def hypot(x1, x2, /):
    return (mylib.square(x1) + mylib.square(x2)) ** 0.5


isdtype = mylib.np.isdtype
"""
RULES = "conformance_tests/test_rules.py::test_tape_agrees_with_numpy_to_second_order"
TESTS = [
    f"{RULES}[mylib-hypot(f64[3,4], f64[3,4])]",
    f"{RULES}[mylib-multiply(f64[3,1], f64[4])]",
    "conformance_tests/test_gradients.py::test_value_and_gradient_of_an_array",
    "conformance_tests/test_gradients.py::test_the_gradient_lies_on_the_device_of_its_argument",
]
FAILING = f"{RULES}[mylib-linalg.det(f64[3,3])]"


def test_the_suite_runs_on_a_library_of_ones_own(tmp_path):
    files = {"mylib": LIBRARY, "mylib_standard": STANDARD, "arraygrad_mylib": OURS}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    xfails = tmp_path / "xfails.txt"
    xfails.write_text(f"{FAILING}  # it has no linalg\n")
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "arraygrad_mylib",
        "--array-backend=mylib", f"--xfails-file={xfails}", *TESTS, FAILING,
    ]  # fmt: skip
    found = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed, 1 xfailed" in found.stdout, found.stdout + found.stderr
