"""What loading found: a report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["StateReport"]


@dataclass(frozen=True, kw_only=True)
class StateReport:
    """How the leaves of a file compare with those that were expected, by their names.

    Attributes
    ----------
    loaded : tuple of str
        What was taken from the file.
    missing : tuple of str
        What the file does not have.
    unexpected : tuple of str
        What only the file has.
    shapes : dict of str to (tuple, tuple)
        What has another shape: the file's, and the expected one.
    dtypes : dict of str to (str, str)
        What has a dtype of another kind, which would lose a part of its values: the file's, and
        the expected one.
    cast : dict of str to (str, str)
        What was loaded, and changed its dtype.
    """

    loaded: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    dtypes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    cast: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the file has what was expected, and nothing else."""
        return not (self.missing or self.unexpected or self.shapes or self.dtypes)

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} leaves loaded"]
        lines += [f"missing: {name}" for name in self.missing]
        lines += [f"unexpected: {name}" for name in self.unexpected]
        for what, found in (("shape", self.shapes), ("dtype", self.dtypes)):
            lines += [f"{what} of {name}: {a}, expected {b}" for name, (a, b) in found.items()]
        lines += [f"cast: {name}, {a} to {b}" for name, (a, b) in self.cast.items()]
        return "\n".join(lines)
