"""The numbers that ufuncs of a stage read: in memory of each thread's own, filled for each walk."""

import threading
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from arraygrad._typing import Array, DType

__all__ = ["Numbers"]


class Numbers(threading.local):
    """Places for some numbers, side by side in the dtype of the arrays."""

    def __init__(self, names: Sequence[str], dtype: DType) -> None:
        array = np.empty(len(names), dtype)
        scalars = [array[n : n + 1].reshape(()) for n in range(len(names))]
        values = itemgetter(*names) if names else lambda known: ()
        self._held = array, scalars, values  # at once: looking here takes its time

    def scalars(self, known: Mapping[str, Any]) -> Sequence[Array]:
        """Return the numbers as 0-d arrays, which ufuncs take twice as quickly as numbers."""
        array, scalars, values = self._held
        array[:] = values(known)
        return scalars
