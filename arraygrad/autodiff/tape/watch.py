"""Watched recordings: slow ones, which see every value, every cotangent and every read.

While a `Watch` is set, recordings run in a second traced namespace of their library. It has no
quick classes, so that every function takes the general path, where its result is shown to the
watch; the tape notes the user's line of each record.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from arraygrad._namespace import array_namespace, is_array, is_floating
from arraygrad._typing import Array, Namespace
from arraygrad._where import Place, users_place
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.general import GeneralFunction, strip, top_tape
from arraygrad.autodiff.tape.namespace import TracedNamespace
from arraygrad.autodiff.tape.record import CONSTANTS, Record, Tape
from arraygrad.errors import NonFiniteError

__all__ = ["NotingWatch", "Watch", "current_watch", "watching"]

_watch: ContextVar["Watch | None"] = ContextVar("arraygrad_watch", default=None)
current_watch = _watch.get  # the watch of this thread's recordings
_spaces: dict[int, "_WatchedNamespace"] = {}
_lock = threading.RLock()


@contextmanager
def watching(watch: "Watch") -> Iterator[None]:
    """Let a watch see what this thread records."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


class Watch:
    """Raises at the first operation whose value, or cotangent, turns infinite or NaN."""

    def __init__(self, *, values: bool = True) -> None:
        self.values = values

    # --- what it says to what it sees ------------------------------------------------------------

    def read(self, how: str) -> bool:
        """Say whether a value may be read off an array with a gradient."""
        return False

    def found(self, what: str, name: str, place: Place | None) -> None:
        """Meet the value, or the cotangent, of an operation that turned infinite or NaN."""
        message = f"the {what} of {name} turns infinite or NaN, at {place or 'an unknown line'}"
        raise NonFiniteError(message)

    # --- how it comes to see ---------------------------------------------------------------------

    def tape(self, number_of_leaves: int) -> "WatchedTape":
        """Return a tape that asks this watch."""
        return WatchedTape(number_of_leaves, self)

    def namespace(self, base: Namespace) -> TracedNamespace:
        """Return the watched namespace of a library's; that of traced arrays is theirs already."""
        if isinstance(base, TracedNamespace):
            return base
        with _lock:
            if id(base) not in _spaces:
                _spaces[id(base)] = _WatchedNamespace(base)
            return _spaces[id(base)]

    def leaves(self, leaves: list[Any]) -> None:
        """See the arrays that are differentiated."""
        if self.values and any(_has(leaf, "isnan") for leaf in leaves):
            self.found("value", "a differentiated argument", users_place())

    def value(self, name: str, operands: Any, y: Any) -> None:
        """See an operation."""
        if self.values and _turned(_arrays(operands), _arrays(y)):
            self.found("value", name, users_place())

    def sweep(self, records: Iterator[Record], ct: list[Any], tape: Tape) -> Iterator[Record]:
        """Pass records on to a sweep backwards, and see what cotangents become of each."""
        for r in records:
            g = ct[r[1]]
            sound = g is not None and not _spoilt(g)
            yield r
            if sound and any(_spoilt(ct[number]) for number in r[0].operand_numbers(r)):
                self._blame("cotangent", r, tape)

    def push(self, records: Iterator[Record], moved: list[Any], tape: Tape) -> Iterator[Record]:
        """Pass records on to a sweep forwards, and see the tangent that becomes of each."""
        for r in records:
            yield r
            operands = [moved[number] for number in r[0].operand_numbers(r)]
            if _spoilt(moved[r[1]]) and not any(map(_spoilt, operands)):
                self._blame("tangent", r, tape)

    def _blame(self, what: str, r: Record, tape: Tape) -> None:
        entry = getattr(r[0], "entry", None)
        name = entry.name if entry is not None else "a function with a derivative of its own"
        places = tape.places if isinstance(tape, WatchedTape) else {}
        self.found(what, name, places.get(r[1]))


class NotingWatch(Watch):
    """Raises nothing: lets arrays be read, and notes each thing once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: dict[tuple[str, Place | None], None] = {}
        self.spoilt: dict[tuple[str, str, Place | None], None] = {}
        self.unreached: set[int] = set()  # the leaves that the last sweep gave no cotangent

    def read(self, how: str) -> bool:
        """Let a value be read."""
        self.reads[how, users_place()] = None
        return True

    def found(self, what: str, name: str, place: Place | None) -> None:
        """Note an operation."""
        self.spoilt[what, name, place] = None

    def leaves(self, leaves: list[Any]) -> None:
        """Leave arguments to those who know their names."""

    def sweep(self, records: Iterator[Record], ct: list[Any], tape: Tape) -> Iterator[Record]:
        """Pass records on, and note which leaves have got a cotangent in the end."""
        yield from super().sweep(records, ct, tape)
        self.unreached = {n for n in range(tape.number_of_leaves) if ct[n] is None}


class WatchedTape(Tape):
    """A tape that knows the user's line of each record, and asks its watch about reads."""

    __slots__ = ("places", "watch")

    def __init__(self, number_of_leaves: int, watch: Watch) -> None:
        super().__init__(number_of_leaves)
        self.watch, self.places = watch, dict[int, Place | None]()
        self.append = self._append_with_place

    def _append_with_place(self, record: Record) -> None:
        self.places[record[1]] = users_place()
        self.records.append(record)

    def read(self, how: str) -> bool:
        """Ask the watch."""
        return self.watch.read(how)


class _WatchedNamespace(TracedNamespace):
    """A traced namespace without quick classes, whose functions show what they return."""

    quick_classes = False

    def __init__(self, base: Namespace) -> None:
        super().__init__(base)
        self.__name__ = self.__name__.replace("_traced_", "_watched_")
        self._shown: dict[str, Callable[..., Any]] = {}

    def general(self, name: str) -> Callable[..., Any]:
        """Return a function of the tables that shows what it returns."""
        found = self._shown.get(name)
        if found is None:
            found = self._shown[name] = _shown(name, super().general(name), self)
        return found

    def operate(self, name: str, a: Any, b: Any, own: Callable[..., Any] | None = None) -> Any:
        """Apply a binary operator; of constants it is the library's, and shows its result too."""
        with self.library.quiet():
            y = super().operate(name, a, b, own)
        if isinstance(y, TracedArray) and y._tape is CONSTANTS:
            _show(name, (a, b), y)
        return y


def _shown(name: str, function: Callable[..., Any], space: TracedNamespace) -> Callable[..., Any]:
    if not isinstance(function, GeneralFunction):
        return function  # made of others, which show theirs

    def shown(*arguments: Any, **keywords: Any) -> Any:
        with space.library.quiet():  # the watch says it better than a warning
            y = function(*arguments, **keywords)
        _show(name, (arguments, keywords), y)
        return y

    return shown


def _show(name: str, operands: Any, y: Any) -> None:
    """Show an operation to the watch of its tape: other threads may record on it."""
    tape = top_tape(operands)
    watch = tape.watch if isinstance(tape, WatchedTape) else current_watch()
    if watch is not None:
        watch.value(name, operands, y)


# --- what is infinite, or not a number ------------------------------------------------------------


def _turned(operands: list[Any], results: list[Any]) -> bool:
    """Say whether NaN, or an infinity, comes from operands without."""
    if any(_has(y, "isnan") for y in results):
        return not any(_has(x, "isnan") for x in operands)
    spoilt = any(_has(y, "isinf") for y in results)
    return spoilt and not any(_has(x, "isinf") or _has(x, "isnan") for x in operands)


def _spoilt(g: Any) -> bool:
    """Say whether a cotangent, or some of a list, is not finite."""
    return any(_has(x, "isnan") or _has(x, "isinf") for x in _arrays(g))


def _has(x: Any, which: str) -> bool:
    """Say whether `isnan` or `isinf` holds anywhere in an array or a number."""
    x = strip(x)
    if isinstance(x, int | float | complex):
        z = complex(x)
        return z != z if which == "isnan" else abs(z) == float("inf")
    xp = array_namespace(x)
    return is_floating(xp, x.dtype) and bool(xp.any(getattr(xp, which)(x)))


def _arrays(tree: Any) -> list[Array]:
    """Return the arrays and numbers in nested lists, tuples and dicts."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return [x for part in tree for x in _arrays(part)]
    return [tree] if is_array(tree) or isinstance(tree, float | complex) else []
