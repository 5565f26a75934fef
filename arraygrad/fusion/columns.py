"""Columns of leaves that are alike, step after step: what was found out of some holds for all."""

from collections.abc import Sequence
from typing import Any

from arraygrad._typing import Array

__all__ = ["Alike"]


class Alike(list[list[Array]]):
    """Lists of leaves that have the types, dtypes and shapes of all others with the same notes.

    Who runs a kernel may note there what follows from these alone.
    """

    __slots__ = ("notes",)

    def __init__(self, columns: Sequence[list[Array]], notes: dict[Any, Any]) -> None:
        super().__init__(columns)
        self.notes = notes
