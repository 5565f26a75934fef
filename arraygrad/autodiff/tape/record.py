"""Tapes: what is written while a function runs, and read by the sweep.

A record is a tuple `(rule, k, …)`: the rule knows what follows. `k` numbers the record's result;
an operand is always numbered lower than what is made of it, so records are in topological order.
Numbers come from a counter and each record carries its own, so that threads may share a tape.
"""

from collections import deque
from collections.abc import Callable
from itertools import count, repeat
from typing import Any, NoReturn

from arraygrad.errors import SpentTapeError

__all__ = ["CONSTANTS", "Record", "Tape"]

Record = tuple[Any, ...]

_levels = count(1)


class Tape:
    """The records of one call of a function."""

    __slots__ = ("append", "level", "masked", "next", "number_of_leaves", "passed", "records")

    def __init__(self, number_of_leaves: int) -> None:
        # The first entry ends `iter(records.pop, None)`.
        self.records: list[Any] = [None]
        self.number_of_leaves = number_of_leaves
        self.level: int = next(_levels)
        self.masked = False  # whether some record may have put zeros beside other cotangents
        self.passed = 0  # how many arrays were results of functions on other tapes
        # Bound once: these two run for every recorded operation.
        self.append: Callable[[Record], None] = self.records.append
        self.next: Callable[[], int] = count(number_of_leaves).__next__

    def close(self) -> None:
        """End the recording: from now on an array that got away raises when it is used."""
        self.append = _refuse

    @property
    def closed(self) -> bool:
        """Whether the recording has ended."""
        return self.append is _refuse

    def pass_through(self, level: int) -> None:
        """Let an array be the result of a function on a tape of that level, if it is above."""
        if self.closed or self.level > level:
            _refuse()
        self.passed += 1

    @property
    def permits_reads(self) -> bool:
        """Whether values may be read off live arrays (only ever on tapes for test suites)."""
        return False

    def read(self, how: str) -> bool:
        """Say whether a value may be read, by `float()` for example."""
        return self.permits_reads


class _Constants(Tape):
    """The tape of constants: takes every record, keeps none."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0)
        self.level = 0
        nothing: deque[Record] = deque(maxlen=0)
        self.append = nothing.append
        self.next = repeat(0).__next__

    @property
    def permits_reads(self) -> bool:
        """Constants have no gradient to lose."""
        return True


class ReadableTape(Tape):
    """A tape whose arrays may be read: for suites that call `float()` on everything."""

    __slots__ = ()

    @property
    def permits_reads(self) -> bool:
        """Reads lose gradients here, knowingly."""
        return True


def _refuse(record: Record = ()) -> NoReturn:
    message = (
        "a traced array was used outside the function that made it, or after that had returned: "
        "return it from the function, or take stop_gradient(x) inside"
    )
    raise SpentTapeError(message)


CONSTANTS = _Constants()
