"""Columns: the leaves of the parameters, of the gradients, of each slot; and what runs on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from arraygrad._typing import Array

__all__ = ["Alike", "Call", "Column", "Runner"]

Column: TypeAlias = Sequence[Array]

Runner: TypeAlias = Callable[[Sequence[Column], Mapping[str, Any]], list[Column] | None]
"""Takes columns and the kernel's keyword arguments, returns the columns of results.

`None` if all of them changed in place, which they may where arrays are given away.
"""


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


class Alike(Sequence[Column]):
    """Columns whose leaves have the types, dtypes and shapes of all others with the same notes.

    Who runs kernels on them is noted there.
    """

    __slots__ = ("each", "flat", "notes")

    def __init__(self, flat: list[Array], each: int, notes: dict[Any, Runner]) -> None:
        self.flat, self.each, self.notes = flat, each, notes  # so many leaves in each column

    def __len__(self) -> int:
        return len(self.flat) // self.each

    def __getitem__(self, n: Any) -> Any:
        return list(self)[n]

    def __iter__(self) -> Iterator[Column]:
        flat, each = self.flat, self.each
        if each == 1:
            return iter([[x] for x in flat])
        return iter([flat[n : n + each] for n in range(0, len(flat), each)])
