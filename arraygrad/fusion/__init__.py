"""How a kernel is executed: traced once, then run at the speed of memory.

`plain.py` runs it as it is written, on any library.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from arraygrad._typing import Array
from arraygrad.fusion import plain

__all__ = ["evaluate", "evaluate_rows"]


def evaluate(
    kernel: Callable[..., Any], arrays: Sequence[Array], scalars: Mapping[str, Any], *, add: bool
) -> tuple[Array, ...]:
    """Return a kernel's results for one leaf: update (new weights with `add`), slots."""
    return plain.evaluate(kernel, arrays, scalars, add=add)


def evaluate_rows(
    kernel: Callable[..., Any],
    columns: Sequence[Sequence[Array]],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    donate: bool,
) -> list[tuple[Array, ...]]:
    """Return the new weights and slots of every leaf."""
    return [plain.evaluate(kernel, row, scalars, add=True) for row in zip(*columns, strict=True)]
