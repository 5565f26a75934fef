"""Room for what one walk over the elements hands on to the next."""

import threading
from typing import Any

import numpy as np

from arraygrad._typing import Array, DType

__all__ = ["between"]

_HELD = 1 << 28
"""Bytes: more is given back after the step."""

_local = threading.local()


def between(count: int, size: int, dtype: DType) -> list[Array]:
    """Return arrays for what a later walk reads, those of the last step where they fit.

    New memory costs as much as the walk: the system clears its pages. Each thread holds on to
    at most `_HELD` bytes.
    """
    if not count:
        return []
    held: Any = getattr(_local, "held", np.empty((0, 0), dtype))
    if held.dtype != dtype or len(held) < count or held.shape[1] < size:
        held = np.empty((count, size), dtype)
        if held.nbytes <= _HELD:
            _local.held = held
    return [row[:size] for row in held[:count]]
