"""What the leaves of one call have in common: library, autodiff, device, floating dtype."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

from arraygrad._namespace import (
    array_namespace,
    is_array,
    is_floating,
    kinds_of,
    library_name,
    real_dtype,
)
from arraygrad._typing import Array, Autodiff, DType, Namespace
from arraygrad.autodiff import autodiff_named
from arraygrad.autodiff.on_device import OnDevice
from arraygrad.errors import DeviceError, DtypeError, MixedLibraryError
from arraygrad.libraries import library_of

__all__ = ["Kinds", "check_devices", "check_floating", "common_namespace"]

Kind: TypeAlias = tuple[type, DType | None]

_device_of = attrgetter("device")

Where: TypeAlias = Callable[[Any], str]
"""Spells where a leaf lies in the caller's arguments: for messages only."""

# NumPy's objects, strings, dates and structures: arrays to NumPy, but not to the standard.
# Of kind V are also the dtypes of ml_dtypes, among them jax's bfloat16.
_FOREIGN = frozenset("OSUTMmV")


# What hides no array.
_PLAIN = (bool, bytes, int, str)


class Kinds:
    """The leaves of a call, judged kind by kind: one of a type and dtype speaks for all.

    Raises
    ------
    MixedLibraryError, DeviceError
        If the arrays do not belong together.
    """

    __slots__ = (
        "_arrays",
        "_examples",
        "_kinds",
        "_leaves",
        "_where",
        "floating",
        "library",
        "xp",
    )

    def __init__(self, leaves: list[Any], where: Where) -> None:
        self._leaves, self._where = leaves, where
        self._kinds = kinds_of(leaves)
        self._examples = dict(zip(self._kinds, leaves, strict=True))
        self._arrays = {k: leaf for k, leaf in self._examples.items() if _is_standard(leaf)}
        self.xp = common_namespace(list(self._arrays.values()), where)
        self.library = library_of(self.xp)
        # The common case, where there is nothing to sort: floating arrays and nothing else.
        self.floating = 0 < len(self._arrays) == len(self._examples) and all(
            is_floating(self.xp, dtype) for _, dtype in self._arrays
        )
        if self.may_differ_in_device:
            check_devices([leaves[i] for i in self.constants(range(len(leaves)))], where)

    @property
    def may_differ_in_device(self) -> bool:
        """Whether arrays of this library can lie apart, and must not."""
        return not (self.library.moves or self.library.only_device)

    def variables(self, places: Iterable[int]) -> list[int]:
        """Return at which of these places leaves take part in differentiation.

        Raises
        ------
        DtypeError
            If one is an array that cannot have a gradient.
        """
        if self.floating:
            return list(places)
        fit = {kind: self._takes_part(kind, leaf) for kind, leaf in self._examples.items()}
        found = [i for i in places if fit[self._kinds[i]]]
        for kind in {self._kinds[i] for i in found}:
            if kind[1] is not None and not is_floating(self.xp, kind[1]):
                first = next(i for i in found if self._kinds[i] == kind)
                check_floating(self.xp, self._leaves[first], self._where)
        return found

    def check_trees(self, places: Iterable[int]) -> None:
        """Refuse an argument to differentiate that hides its arrays, if it has some.

        Raises
        ------
        DtypeError
            If none of its leaves takes part, and one is an object that we cannot look into.
        """
        leaves = [self._leaves[i] for i in places]
        if any(self._takes_part(self._kinds[i], self._leaves[i]) for i in places):
            return
        for leaf in leaves:
            if not isinstance(leaf, _PLAIN):
                message = (
                    f"{self._where(leaf)} must be an array, or a tree of arrays, got "
                    f"{type(leaf).__name__}: register the class as a node of trees with optree"
                )
                raise DtypeError(message)

    def constants(self, places: Iterable[int]) -> list[int]:
        """Return at which of these places arrays are."""
        if self.floating:
            return list(places)
        return [i for i in places if self._kinds[i] in self._arrays]

    def autodiff(self, forced: str | None) -> Autodiff:
        """Return who differentiates these arrays."""
        if forced in ("jax", "torch") and forced != library_name(self.xp):
            theirs = library_name(self.xp)
            message = f"autodiff {forced!r} differentiates its own arrays, got arrays of {theirs}"
            raise MixedLibraryError(message)
        found = autodiff_named(forced or self.library.autodiff)
        enter = self.library.enter
        return found if enter is None else OnDevice(found, enter)

    def lift(self, variables: list[Any]) -> list[Array]:
        """Turn the Python numbers among variables into 0-d arrays like the other arrays."""
        if self.floating:
            return variables
        device = None if self.library.moves else self._device()
        kinds = {type(x) for x in variables if not is_array(x)}
        dtypes = {kind: self._dtype_for(kind) for kind in kinds}
        return [
            x if is_array(x) else self.xp.asarray(x, dtype=dtypes[type(x)], device=device)
            for x in variables
        ]

    def _takes_part(self, kind: Kind, leaf: Any) -> bool:
        return kind in self._arrays or isinstance(leaf, (float, complex)) or is_array(leaf)

    def _dtype_for(self, kind: type) -> DType:
        """Return the dtype that Python numbers of a kind take here; a library may lack complex."""
        xp, wants_complex = self.xp, issubclass(kind, complex)
        floating = [dtype for _, dtype in self._arrays if is_floating(xp, dtype)]
        if not floating:
            return xp.asarray(0j if wants_complex else 0.0).dtype
        dtype = xp.result_type(*floating)
        return xp.result_type(dtype, xp.complex64) if wants_complex else real_dtype(xp, dtype)

    def _device(self) -> Any:
        return next((getattr(x, "device", None) for x in self._arrays.values()), None)


def check_devices(arrays: list[Array], where: Where) -> None:
    """Make sure that arrays lie together."""
    try:
        devices = list(map(_device_of, arrays))
    except AttributeError:  # not all tell
        devices = [getattr(x, "device", None) for x in arrays]
    if not devices or devices.count(devices[0]) == len(devices):
        return
    odd = next(i for i, device in enumerate(devices) if device != devices[0])
    message = (
        f"expected arrays on one device, got {where(arrays[0])} on {devices[0]} "
        f"and {where(arrays[odd])} on {devices[odd]}"
    )
    raise DeviceError(message)


def check_floating(xp: Namespace, x: Array, where: Where) -> None:
    """Make sure that an array can have a gradient."""
    if not is_floating(xp, x.dtype):
        message = f"{where(x)} has dtype {x.dtype}: only floating arrays have gradients"
        raise DtypeError(message)


def common_namespace(arrays: Sequence[Array], where: Where) -> Namespace:
    """Return the namespace of all arrays of a call; NumPy's where there are none.

    Traced arrays may stand beside raw ones of their own library: the namespace is theirs.
    """
    if not arrays:
        import numpy as np

        return array_namespace(np.empty(()))
    found = [(array_namespace(x), x) for x in arrays]
    xp = found[0][0]
    return xp if all(other is xp for other, _ in found) else _innermost(found, where)


def _innermost(found: list[tuple[Namespace, Array]], where: Where) -> Namespace:
    """Return the one namespace that takes the arrays of all others."""
    for xp, _ in found:
        traced = hasattr(xp, "__arraygrad_library__")
        if traced and all(other is xp or other is xp.base for other, _ in found):
            return xp
    given = " and ".join(f"{library_name(xp)} at {where(x)}" for xp, x in found)
    message = f"expected arrays of one library, got {given}"
    raise MixedLibraryError(message)


def _is_standard(leaf: Any) -> bool:
    if not is_array(leaf):
        return False
    kind = getattr(leaf.dtype, "kind", None)
    return kind not in _FOREIGN or (kind == "V" and leaf.dtype.type.__name__ != "void")
