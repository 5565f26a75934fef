"""Tables for people, and the same figures as JSON."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks._threads import threads_in_use

__all__ = ["conditions", "table", "write_json"]

PACKAGES = ("arraygrad", "numpy", "autograd", "torch", "jax", "optax", "numba")


def conditions() -> dict[str, Any]:
    """Return what the figures depend on: interpreter, versions, threads."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "versions": versions,
        "threads": threads_in_use(),
    }


def table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up."""
    width = max(map(len, rows), default=0)
    widths = [
        max(len(column), *(len(row[i]) for row in rows.values()), 3)
        for i, column in enumerate(columns)
    ]
    lines = [f"\n**{title}**\n", _line(" " * width, columns, widths)]
    lines.append("|".join(["", "-" * (width + 2), *("-" * (w + 1) + ":" for w in widths), ""]))
    lines += [_line(name.ljust(width), row, widths) for name, row in rows.items()]
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join([name, *padded])} |"


def write_json(path: str, figures: Mapping[str, Any]) -> None:
    """Write the figures, with the conditions they hold under."""
    record = {"conditions": conditions(), **figures}
    Path(path).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
