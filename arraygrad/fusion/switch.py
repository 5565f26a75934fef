"""Which executor runs kernels on the host: the quickest that is installed, or one by name."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from arraygrad.errors import HyperparameterError, MissingExtraError
from arraygrad.libraries import Library

__all__ = ["EXECUTORS", "chosen", "executor_of", "use_executor", "wanted"]

EXECUTORS = ("plain", "blocked", "numba", "compiled")

_wanted: ContextVar[str | None] = ContextVar("arraygrad_executor", default=None)

wanted = _wanted.get
"""Returns the executor that was asked for here, by `use_executor`."""


def chosen() -> str | None:
    """Return the executor that was asked for: here, or by `ARRAYGRAD_EXECUTOR`."""
    return wanted() or _of_the_process()


@lru_cache(maxsize=1)
def _of_the_process() -> str | None:
    """Return what the environment says: asked once."""
    name = os.environ.get("ARRAYGRAD_EXECUTOR") or None
    _check(name, "ARRAYGRAD_EXECUTOR")
    return name


def executor_of(library: Library) -> str:
    """Return who runs kernels on a library's arrays, by the name of a registry."""
    asked = chosen()
    if asked == "plain":
        return "plain"
    return (library.compiler if asked == "compiled" else None) or library.executor


def _check(name: str | None, argument: str) -> None:
    """Refuse executors that nobody knows, or that are not installed."""
    if name is not None and name not in EXECUTORS:
        message = f"`{argument}` must be one of {list(EXECUTORS)} or None, got {name!r}"
        raise HyperparameterError(message)
    if name == "numba" and importlib.util.find_spec("numba") is None:
        message = "numba is not installed: pip install 'arraygrad[fast]'"
        raise MissingExtraError(message)


@contextmanager
def use_executor(name: str | None) -> Iterator[None]:
    """Run kernels with a certain executor inside a `with` block.

    Parameters
    ----------
    name : {"plain", "blocked", "numba", "compiled"} or None
        The expression as it is written; cache-blocked NumPy; a loop compiled by numba; for
        PyTorch's arrays, on any device, `torch.compile`, which takes seconds before the first
        step. `None` lets arraygrad choose: numba where it is installed and the arrays are large,
        else NumPy. The environment variable `ARRAYGRAD_EXECUTOR` does the same for a whole process.

    Raises
    ------
    HyperparameterError
        If nobody calls an executor that.
    MissingExtraError
        If numba is asked for and not installed.

    Notes
    -----
    Results agree to rounding, whoever runs. Only arrays in the host's memory are meant: those of
    NumPy, and of PyTorch on the CPU; "plain" is for all, "compiled" for PyTorch on every device.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.fusion import use_executor
    >>> from arraygrad.optimizers import adam
    >>> optimizer, w = adam(0.1), np.ones(3)
    >>> with use_executor("blocked"):
    ...     w, state = optimizer.step(w, np.ones(3), optimizer.init(w))
    >>> w.round(3)
    array([0.9, 0.9, 0.9])
    """
    _check(name, "name")
    token = _wanted.set(name)
    try:
        yield
    finally:
        _wanted.reset(token)
