"""Operands for the calls of a namespace, made alike in the library's own and in the traced one."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance_tests.backends import Backend

__all__ = ["Operands", "dtypes_of"]

DTYPES = "bool int8 int64 uint8 uint64 float32 float64 complex64 complex128".split()
FEW_DTYPES = {"jax": ["float32"]}  # it compiles every function for each


def dtypes_of(backend: Backend) -> list[str]:
    """Return the data types that are tested."""
    names = FEW_DTYPES.get(backend.library, DTYPES)
    return [name for name in names if hasattr(backend.xp, name)]


INF, NAN = math.inf, math.nan
TRICKY = {
    "b": [True, False, True],
    "i": [0, 1, -1, 2, -7, 100, -128, 127, 3, 5],
    "u": [0, 1, 2, 7, 255, 128, 3],
    "f": [1.5, -0.0, 0.0, INF, -INF, NAN, -1.0, 1.0, 0.5, -2.5, 3.0, 1e-30, -1e30, 2.0],
    "c": [1.5 - 2j, 0j, -0.0 - 0j, complex(INF, 0), complex(1, NAN), 1j, -1 + 0j, complex(0, -INF)],
}
PLAIN = {
    "b": [True, False, True],
    "i": [1, -2, 3, 5, -4],
    "u": [1, 2, 3, 5, 4],
    "f": [1.5, -0.5, 2.0, 3.0, -1.25],
    "c": [1.5 - 2j, 0.5j, -1 + 1j, 2.0, -0.5 - 1j],
}
# Symmetric and positive definite, with distinct eigenvalues, in every data type.
DEFINITE = np.asarray([[9, 1, 2], [1, 5, 1], [2, 1, 2]])


@dataclass(frozen=True)
class Operands:
    """What makes operands of one data type: raw ones, or those of a traced namespace `xp`."""

    backend: Backend
    name: str
    xp: Any = None

    @property
    def device(self) -> Any:
        """The device of all operands."""
        return self.backend.device

    @property
    def dtype(self) -> Any:
        """The data type that is tested."""
        return self.backend.dtype(self.name)

    def made(self, values: Any, dtype: str) -> Any:
        """Return an operand of given values."""
        raw = self.backend.asarray(values, dtype)
        return raw if self.xp is None else self.xp.asarray(raw)

    def _cycled(self, values: dict[str, Any], shape: tuple[int, ...], dtype: str) -> Any:
        return self.made(np.resize(values[np.dtype(dtype).kind], shape), dtype)

    def __call__(self, *shape: int, dtype: str | None = None) -> Any:
        """Return an operand of tricky values."""
        return self._cycled(TRICKY, shape, dtype or self.name)

    def plain(self, *shape: int) -> Any:
        """Return an operand of small finite values without a zero."""
        return self._cycled(PLAIN, shape, self.name)

    def sorted(self, length: int) -> Any:
        """Return an operand of ascending values."""
        return self.made(np.arange(length), self.name)

    def definite(self, size: int) -> Any:
        """Return a positive definite matrix."""
        return self.made(DEFINITE[:size, :size], self.name)

    def mask(self, *shape: int) -> Any:
        """Return truth values."""
        return self.made(np.resize([True, False, False, True, True], shape), "bool")

    def integers(self, values: Any) -> Any:
        """Return indices."""
        return self.made(np.asarray(values, dtype=np.int64), "int64")
