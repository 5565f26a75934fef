"""Columns: the leaves of the parameters, of the gradients, of each slot; and what runs on them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from arraygrad._typing import Array

__all__ = ["Alike", "Call", "Column", "Runner"]

Column: TypeAlias = Sequence[Array]

Runner: TypeAlias = Callable[[Sequence[Column], Mapping[str, Any]], list[Column]]
"""Takes columns and the kernel's keyword arguments, returns the columns of results."""


class Call(NamedTuple):
    """What is to be run, on whatever columns: see `arraygrad.fusion.evaluate`."""

    kernel: Callable[..., Any]
    slots: int
    add: bool
    donate: bool

    @property
    def places(self) -> tuple[int, ...]:
        """Which columns are replaced: parameters and slots."""
        return (0, *range(2, 2 + self.slots))


class Alike(list[list[Array]]):
    """Lists of leaves that have the types, dtypes and shapes of all others with the same notes.

    Who runs kernels on them is noted there.
    """

    __slots__ = ("notes",)

    notes: dict[Any, Runner]
