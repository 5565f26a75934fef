"""The user's line: where in code that is not ours something happened.

What is only needed once something has happened is imported then.
"""

import sys
from collections.abc import Iterator
from functools import cache
from os.path import dirname
from types import FrameType, TracebackType
from typing import NamedTuple

__all__ = ["Place", "place_of", "users_place"]

_PACKAGE = dirname(__file__)
_LIBRARIES = frozenset(
    {"array_api_compat", "array_api_strict", "arraygrad", "cupy", "ndonnx", "numpy", "spox"}
)


class Place(NamedTuple):
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        import linecache

        source = linecache.getline(*self).strip()
        return f"{self.file}:{self.line}" + (f": {source}" if source else "")


def users_place() -> Place | None:
    """Return the innermost line on the stack that is the user's own, if there is one."""
    return _innermost(_outwards(sys._getframe(1)))


def place_of(error: BaseException) -> Place | None:
    """Return the innermost line of the user's that an error went through."""
    return _innermost(reversed(list(_inwards(error.__traceback__))))


def _outwards(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    while frame is not None:
        yield frame, frame.f_lineno
        frame = frame.f_back


def _inwards(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _innermost(lines: Iterator[tuple[FrameType, int]]) -> Place | None:
    """Return the first line outside of all packages; else the first outside of array libraries."""
    fallback = None
    for frame, line in lines:
        file = frame.f_code.co_filename
        if _is_array_library(frame, file):
            continue
        place = Place(file, line)
        if not file.startswith((*_installed(), "<frozen")):
            return place
        fallback = fallback or place
    return fallback


@cache
def _installed() -> tuple[str, ...]:
    """Return the folders that packages are installed in."""
    import sysconfig

    return tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def _is_array_library(frame: FrameType, file: str) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    if file.startswith("<doctest"):  # a docstring's example runs in the names of its module
        return False
    return module.partition(".")[0] in _LIBRARIES or file.startswith((_PACKAGE, "<traced "))
