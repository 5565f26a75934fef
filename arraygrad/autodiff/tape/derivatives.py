"""The two derivatives of a function of arrays: `vjp` backwards, `jvp` forwards."""

from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array
from arraygrad.autodiff.tape.namespace import traced_namespace
from arraygrad.autodiff.tape.record import Tape
from arraygrad.autodiff.tape.recording import Function, Recording
from arraygrad.autodiff.tape.watch import current_watch

__all__ = ["jvp", "vjp"]


def vjp(
    f: Function, leaves: list[Any], constants: list[Any], *, once: bool = False
) -> tuple[list[Array], Callable[[list[Array]], list[Array]], list[Any]]:
    """Run a function and return its outputs, its pullback, and aux: see `arraygrad.autodiff`."""
    recording = _recorded(f, leaves, constants, once)
    return recording.outputs, recording.pull, recording.aux


def jvp(
    f: Function, leaves: list[Any], tangents: list[Any], constants: list[Any]
) -> tuple[list[Array], list[Array], list[Any]]:
    """Run a function and return its outputs, their tangents, and aux: see `arraygrad.autodiff`."""
    recording = _recorded(f, leaves, constants, once=False)
    return recording.outputs, recording.push(tangents), recording.aux


def _recorded(f: Function, leaves: list[Any], constants: list[Any], once: bool) -> Recording:
    """Run a function on the usual namespace and tape, unless somebody watches."""
    base, watch = array_namespace(leaves[0]), current_watch()
    if watch is None:
        return Recording(traced_namespace(base), Tape(len(leaves)), f, leaves, constants, once)
    watch.leaves(leaves)
    space, tape = watch.namespace(base), watch.tape(len(leaves))
    return Recording(space, tape, f, leaves, constants, once, watch)
