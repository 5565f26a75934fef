"""Call the rules of the tables as the tape does, on raw arrays of any library."""

import importlib
from types import SimpleNamespace
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
import pytest

from arraygrad.rules import elementwise_functions, table
from conformance_tests.case_values import Case, complexes, function_named, in_library
from conformance_tests.case_values import reals as real_values
from conformance_tests.extension_cases import HERMITIAN

__all__ = [
    "LIBRARIES",
    "NUMPY",
    "as_numpy",
    "assert_close",
    "calls",
    "cotangents",
    "library_named",
    "like",
    "operands_of",
    "run",
]

KINDS = ("LINEAR", "MULTILINEAR", "PULLBACKS")
ELSEWHERE = set(elementwise_functions.LINEAR) | set(elementwise_functions.PULLBACKS) | HERMITIAN
RULED = sorted({name for kind in KINDS for name in table.names_of(kind)} - ELSEWHERE)
LIBRARIES = {
    "array_api_strict": "array_api_strict",
    "array_api_strict:device1": "array_api_strict",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
}


def calls(cases: dict[str, list[Case]]) -> list[Any]:
    """Return the ruled calls as parameters of a test."""
    return [
        pytest.param(name, case, id=f"{name}({case})")
        for name in RULED
        for case in cases.get(name, ())
        if is_floating(function_named(xp, name)(*case.args, **in_library(xp, case.kwargs)))
    ]


def is_floating(x: Any) -> bool:
    """Say whether something can have a cotangent."""
    return getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c")


def operands_of(name: str, case: Case) -> list[int]:
    """Return the positions of the operands that have a cotangent."""
    rules = table.entry_of(name).rules
    values = zip(rules, case.args, strict=False)
    first = [v[0] if isinstance(v, list | tuple) and v else v for _, v in values]
    return [n for n, v in enumerate(first) if rules[n] is not None and is_floating(v)]


def like(x: Any, seed: int) -> Any:
    """Return other values of the same shape, dtype and nesting."""
    if isinstance(x, list | tuple):
        return type(x)(like(each, seed + n) for n, each in enumerate(x))
    values = complexes if x.dtype.kind == "c" else real_values
    return np.asarray(values(*x.shape, seed=seed), dtype=x.dtype)


def shape_only(x: Any) -> Any:
    """Return what a linear rule sees of an operand."""
    if isinstance(x, list | tuple):
        return type(x)(shape_only(each) for each in x)
    if not hasattr(x, "shape"):
        return x
    device = getattr(x, "device", None)
    return SimpleNamespace(shape=tuple(x.shape), ndim=x.ndim, dtype=x.dtype, device=device)


def cotangents(space: Any, name: str, g: Any, y: Any, args: Any, kwargs: Any, at: Any) -> list[Any]:
    """Call the rules as the tape does, and cast as it does."""
    entry = table.entry_of(name)
    seen = list(args)
    if entry.kind == "LINEAR":
        y = shape_only(y)
        seen = [shape_only(a) if n in at else a for n, a in enumerate(args)]
    found = [entry.rules[n](space, g, y, *seen, **kwargs) for n in at]
    return [cast(space, c, args[n]) for n, c in zip(at, found, strict=True)]


def cast(space: Any, c: Any, x: Any) -> Any:
    """Bring a cotangent to its operand's dtype, and hold its shape against it."""
    if isinstance(x, list | tuple):
        return [cast(space, each, of) for each, of in zip(c, x, strict=True)]
    assert tuple(c.shape) == tuple(x.shape)
    real = space.isdtype(x.dtype, "real floating") and space.isdtype(c.dtype, "complex floating")
    return space.astype(space.real(c) if real else c, x.dtype)


def as_numpy(x: Any) -> Any:
    """Return a result of any library as NumPy's."""
    if isinstance(x, list | tuple):
        return [as_numpy(each) for each in x]
    if hasattr(x, "resolve_conj"):  # PyTorch conjugates lazily
        x = x.resolve_conj()
    return np.asarray(getattr(x, "_array", x))


def library_named(name: str) -> Any:
    """Return a namespace, and a device of it."""
    module = LIBRARIES.get(name, f"array_api_compat.{name}")
    pytest.importorskip(module.removeprefix("array_api_compat.").split(".")[0])
    space = importlib.import_module(module)
    if name == "jax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    device = space.Device("device1") if name.endswith("device1") else None
    return SimpleNamespace(xp=space, device=device)


NUMPY = SimpleNamespace(xp=xp, device=None)


def run(library: Any, name: str, case: Case) -> list[Any]:
    """Call a function and its rules in a library."""
    args = [in_library(library.xp, a, library.device) for a in case.args]
    kwargs = in_library(library.xp, case.kwargs, library.device)
    y = function_named(library.xp, name)(*args, **kwargs)
    g = in_library(library.xp, like(as_numpy(y), 7), library.device)
    return cotangents(library.xp, name, g, y, args, kwargs, operands_of(name, case))


def assert_close(ours: Any, theirs: Any) -> None:
    """Compare arrays, or lists of them, to nearly the last digit."""
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, list):
            assert_close(a, b)
        else:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
