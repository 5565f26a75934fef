"""What an audit found, and how it prints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from arraygrad._where import Place

__all__ = ["Comparison", "Finding", "Report"]


@dataclass(frozen=True)
class Comparison:
    """A gradient held against another."""

    name: str
    """The argument, or who else differentiated them all."""
    error: float | None
    """The difference, relative to the size of what is compared; `None` if there is none."""
    agrees: bool | None
    """Whether that is within tolerance; `None` if it could not be compared."""
    reason: str = ""
    """Why it could not be compared."""

    def __str__(self) -> str:
        if self.agrees is None:
            return f"{self.name:<24} not compared: {self.reason}"
        return f"{self.name:<24} {self.error:8.1e}  {'agrees' if self.agrees else 'DISAGREES'}"


@dataclass(frozen=True)
class Finding:
    """Something at a line of the user's code."""

    what: str
    """What happened there."""
    operation: str
    """The operation that did it."""
    file: str | None = None
    """The file, if known."""
    line: int | None = None
    """The line in it, from 1."""

    @classmethod
    def at(cls, what: str, operation: str, place: Place | None) -> "Finding":
        """Return a finding at a place, known or not."""
        return cls(what, operation, *(place or (None, None)))

    def __str__(self) -> str:
        if self.file is None or self.line is None:
            return self.what
        return f"{self.what}, at {Place(self.file, self.line)}"


@dataclass(frozen=True)
class Report:
    """What an audit found; `str(report)` is its table."""

    arguments: tuple[Comparison, ...]
    """Each differentiated array: its gradient against finite differences."""
    libraries: tuple[Comparison, ...]
    """All gradients against those of other libraries."""
    breaks: tuple[Finding, ...]
    """Where values left the graph, so that their gradient is lost."""
    disconnected: tuple[str, ...]
    """The arguments that the result does not depend on, as far as derivatives can tell."""
    nonfinite: tuple[Finding, ...]
    """The operations that made infinities and NaNs, of values and of cotangents."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: what could not be compared does not count."""
        compared = [c.agrees is not False for c in (*self.arguments, *self.libraries)]
        return all(compared) and not (self.breaks or self.disconnected or self.nonfinite)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"audit: {'nothing wrong' if self.ok else 'LOOK BELOW'}"
        yield from _section("gradient against finite differences", self.arguments)
        yield from _section("gradient against other libraries", self.libraries)
        yield from _section("graph breaks", self.breaks)
        yield from _section("disconnected arguments", self.disconnected)
        yield from _section("infinities and NaNs", self.nonfinite)


def _section(title: str, rows: Sequence[Any]) -> Iterator[str]:
    yield title
    yield from (f"  {row}" for row in rows or ("none",))
