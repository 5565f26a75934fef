"""Traced namespaces whose every floating array is a live leaf, for suites that test namespaces.

Such a suite makes arrays and compares what functions return, by `float()` if need be. Here every
floating array that a function makes from none is a leaf of a tape, so that what is tested is the
recording of operations, not the passing on of raw arrays. The tape permits reads, which no other
does, and keeps the latest records only.
"""

import importlib
from collections import deque
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.namespace import TracedNamespace
from arraygrad.autodiff.tape.record import ReadableTape, Record
from arraygrad.errors import MissingExtraError

__all__ = ["LiveNamespace", "live_namespace"]

KEPT_RECORDS = 1000


class LiveNamespace(TracedNamespace):
    """A traced namespace that makes leaves where others make constants."""

    def __init__(self, base: Namespace) -> None:
        super().__init__(base)
        self.__name__ = self.__name__.replace("_traced_", "_live_")
        self.tape = ReadableTape(0)
        records: deque[Record] = deque(maxlen=KEPT_RECORDS)
        self.tape.append = records.append

    def lift(self, x: Array) -> TracedArray:
        """Return a floating array as a leaf, any other as a constant."""
        if isinstance(x, TracedArray) or not self.is_floating(x.dtype):
            return super().lift(x)
        return self.wrap(x, self.tape.next(), self.tape)


def live_namespace(module: str, needs: str = "arraygrad") -> Any:
    """Return the live namespace of a library's module, which pip installs with `needs`.

    Raises
    ------
    MissingExtraError
        If the library is not installed.
    """
    try:
        return LiveNamespace(importlib.import_module(module))
    except ModuleNotFoundError as error:
        message = f"this namespace needs {error.name}: pip install '{needs}'"
        raise MissingExtraError(message) from error
