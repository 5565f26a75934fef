"""Expected failures, listed in a file: each must match a test, and each of its tests must fail.

A line that begins with `!` takes the tests out again that pass.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Expectation", "mark", "read"]


@dataclass(frozen=True)
class Expectation:
    """One line of the file."""

    pattern: str
    reason: str
    passes: bool = False

    def matches(self, node_id: str) -> bool:
        """Say whether a test's id begins as the pattern says; `*` stands for anything."""
        pattern = ".*".join(map(re.escape, self.pattern.split("*")))
        return re.match(pattern, node_id) is not None


def read(path: str) -> list[Expectation]:
    """Read a file of lines `pattern  # reason`; `!pattern  # reason` makes an exception."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [_parse(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _parse(line: str) -> Expectation:
    pattern, _, reason = line.partition(" #")
    if not reason.strip():
        message = f"an expected failure needs a reason after ` #`: {line!r}"
        raise pytest.UsageError(message)
    pattern = pattern.strip()
    return Expectation(pattern.removeprefix("!"), reason.strip(), pattern.startswith("!"))


def mark(items: Sequence[pytest.Item], expectations: Iterable[Expectation]) -> None:
    """Expect the matching tests to fail; refuse a pattern that matches none."""
    expected: dict[pytest.Item, str] = {}
    for expectation in sorted(expectations, key=lambda expectation: expectation.passes):
        matching = [item for item in items if expectation.matches(item.nodeid)]
        if not matching:
            message = f"no test matches the expected failure {expectation.pattern!r}"
            raise pytest.UsageError(message)
        for item in matching:
            if expectation.passes:
                expected.pop(item, None)
            else:
                expected[item] = expectation.reason
    for item, reason in expected.items():
        item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
