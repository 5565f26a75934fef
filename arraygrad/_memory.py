"""Which arrays share the host's memory."""

from collections.abc import Sequence
from typing import Any

__all__ = ["first_shared"]

_EFFORT = 100_000  # candidates: enough for all but contrived strides, which count as shared


def first_shared(arrays: Sequence[Any]) -> tuple[int, int] | None:
    """Return the numbers of two of NumPy's arrays that share an element; None if all are apart."""
    import numpy as np

    spans = sorted((*np.lib.array_utils.byte_bounds(x), n) for n, x in enumerate(arrays) if x.size)
    open_: list[tuple[int, int]] = []
    for low, high, n in spans:
        open_ = [(end, m) for end, m in open_ if end > low]
        for _, m in open_:
            one, two = sorted((m, n))
            if np.may_share_memory(arrays[one], arrays[two], max_work=_EFFORT):  # type: ignore[arg-type]
                return one, two
        open_.append((high, n))
    return None
