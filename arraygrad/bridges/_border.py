"""The border between two array libraries: how arrays go over, and who calls a function beyond."""

from typing import Any

from arraygrad._namespace import array_namespace, device_of, library_name, to_device
from arraygrad._typing import Array, Leaves, Namespace, Pullback
from arraygrad.bridges._flat import Flat, autodiff_of, like
from arraygrad.errors import DtypeError, GraphBreakError, MixedLibraryError
from arraygrad.libraries import library_of

__all__ = ["Border", "carried", "dtype_name"]


class Border:
    """What lies between the arrays of a call, `outer`, and those that its function knows, `inner`.

    Memory is shared where both can use it. What goes in cannot be written to, where a library has
    such arrays.
    """

    def __init__(self, outer: Namespace, inner: Namespace, device: Any) -> None:
        self.outer, self.inner, self.device = outer, inner, device

    def evaluate(self, f: Flat, leaves: Leaves, constants: Leaves) -> tuple[list[Any], list[Any]]:
        """Return what a function of the inner library makes of arrays of the outer one."""
        outputs, aux = f(self.enter(leaves), self.enter(constants))
        given = [*leaves, *constants]
        return self.leave(outputs, given), self.leave(aux, given)

    def record(
        self, f: Flat, leaves: Leaves, constants: Leaves
    ) -> tuple[list[Any], list[Any], Pullback]:
        """Return the same, and the pullback."""
        inside = self.enter(leaves), self.enter(constants)
        outputs, pull, aux = autodiff_of(self.inner).vjp(f, *inside)
        given = [*leaves, *constants]

        def pullback(cotangents: Leaves) -> list[Array]:
            found = pull(like(outputs, self.enter(cotangents)))
            return self.leave(found, [*given, *cotangents])

        return self.leave(outputs, given), self.leave(aux, given), pullback

    def enter(self, arrays: Leaves) -> list[Array]:
        """Take arrays over the border, read-only where that can be said."""
        return [_read_only(carried(x, self.inner)) for x in arrays]

    def leave(self, arrays: Leaves, given: Leaves) -> list[Array]:
        """Take arrays back, to the device of the call; none shares memory with what was given."""
        return [self._alone(self._at_home(y), given) for y in arrays]

    def _at_home(self, y: Array) -> Array:
        x = carried(y, self.outer)
        if not library_of(self.outer).mutable:  # nobody may write to it, the function neither
            x = self.outer.asarray(x, copy=True)
        if self.device is None or device_of(x) == self.device:
            return x
        return to_device(x, self.device)

    def _alone(self, y: Array, given: Leaves) -> Array:
        import numpy as np

        host_memory = library_of(self.outer).host_memory
        ours = host_memory(y)
        if ours is None:
            return y
        theirs = map(host_memory, given)
        if any(x is not None and np.may_share_memory(ours, x) for x in theirs):
            return self.outer.asarray(y, copy=True)
        return y


def carried(x: Array, xp: Namespace) -> Array:
    """Return an array as one of another library: its memory where both can use it, else a copy.

    Raises
    ------
    DtypeError
        If the other library has no such dtype.
    GraphBreakError
        If the array is being differentiated: beyond the border, nobody would know.
    MixedLibraryError
        If the other library cannot take it over at all.
    """
    own = array_namespace(x)
    if own is xp:
        return x
    if hasattr(own, "base"):
        message = (
            "a function of another library closes over an array that is being differentiated, "
            "whose gradient would be lost: pass it as an argument"
        )
        raise GraphBreakError(message)
    name = dtype_name(x)
    if not hasattr(xp, name):
        message = f"{library_name(xp)} has no arrays of {name}: convert the array first"
        raise DtypeError(message)
    y = _converted(x, own, xp)
    if dtype_name(y) != name:  # jax in single precision
        found = f"{library_name(xp)} makes {dtype_name(y)} of {name}"
        message = f"{found}: convert the array first, or enable the dtype there"
        raise DtypeError(message)
    return y


def _converted(x: Array, own: Namespace, xp: Namespace) -> Array:
    """Return an array of another library; where devices or layouts differ, a copy on the host."""
    library = library_of(own)
    if library.lazy:
        message = f"arrays of {library_name(own)} have no values yet: compute them first"
        raise MixedLibraryError(message)
    try:
        return xp.from_dlpack(library.share(x))
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError):
        pass
    try:
        return xp.asarray(library.to_numpy(x), copy=True)
    except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        ours, theirs = library_name(own), library_name(xp)
        message = f"an array of {ours} cannot be taken over to {theirs}: {error}"
        raise MixedLibraryError(message) from error


def _read_only(x: Array) -> Array:
    """Return an array that cannot be written to, in libraries whose arrays have such a flag."""
    flags = getattr(x, "flags", None)
    if getattr(flags, "writeable", False):
        x = x[...]
        x.flags.writeable = False
    return x


def dtype_name(x: Array) -> str:
    """Return the standard's name of a dtype; NumPy's own string may tell the order of bytes."""
    name: str = getattr(x.dtype, "name", str(x.dtype))
    return name.rpartition(".")[2]
