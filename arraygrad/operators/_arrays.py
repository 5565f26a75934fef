"""What the arrays of one call have in common: library, autodiff, device, floating dtype."""

from collections.abc import Callable, Sequence
from typing import Any

from arraygrad._namespace import array_namespace, is_array, is_floating, library_name
from arraygrad._typing import Array, Autodiff, DType, Leaves, Namespace
from arraygrad.autodiff import autodiff_named
from arraygrad.errors import DeviceError, DtypeError, MixedLibraryError
from arraygrad.libraries import library_of

__all__ = [
    "Where",
    "autodiff_for",
    "check_devices",
    "check_floating",
    "common_namespace",
    "is_constant",
    "is_number",
    "is_variable",
    "with_arrays",
]

Where = Callable[[Any], str]
"""Spells where a leaf lies in the caller's arguments: for messages only."""

# NumPy's objects, strings and dates: arrays to NumPy, but not to the standard.
_FOREIGN_KINDS = frozenset("OSUTMmV")


def is_number(leaf: Any) -> bool:
    """Say whether a leaf is a Python float or complex."""
    return isinstance(leaf, (float, complex)) and not is_array(leaf)


def is_variable(leaf: Any) -> bool:
    """Say whether a leaf of a differentiated argument takes part."""
    return is_array(leaf) or isinstance(leaf, (float, complex))


def is_constant(leaf: Any) -> bool:
    """Say whether a leaf of another argument is an array that a tape may lift."""
    return is_array(leaf) and getattr(leaf.dtype, "kind", None) not in _FOREIGN_KINDS


def common_namespace(arrays: Sequence[Array], where: Where) -> Namespace:
    """Return the namespace of all arrays of a call; NumPy's where there are none.

    Traced arrays may stand beside raw ones of their own library: the namespace is theirs.
    """
    spaces: dict[int, tuple[Namespace, Array]] = {}
    for x in {type(x): x for x in arrays}.values():
        xp = array_namespace(x)
        spaces.setdefault(id(xp), (xp, x))
    if not spaces:
        import numpy as np

        return array_namespace(np.empty(()))
    if len(spaces) == 1:
        return next(iter(spaces.values()))[0]
    return _outermost(list(spaces.values()), where)


def _outermost(found: list[tuple[Namespace, Array]], where: Where) -> Namespace:
    """Return the one namespace that takes the arrays of all others."""
    for xp, _ in found:
        own = hasattr(xp, "__arraygrad_library__")
        if own and all(other is xp or other is xp.base for other, _ in found):
            return xp
    given = " and ".join(f"{library_name(xp)} at {where(x)}" for xp, x in found)
    message = f"expected arrays of one library, got {given}"
    raise MixedLibraryError(message)


def autodiff_for(xp: Namespace, forced: str | None) -> Autodiff:
    """Return who differentiates arrays of a namespace."""
    if forced is None:
        return autodiff_named(library_of(xp).autodiff)
    autodiff = autodiff_named(forced)
    if forced in ("jax", "torch") and forced != library_name(xp):
        message = f"autodiff {forced!r} differentiates its own arrays, got {library_name(xp)}'s"
        raise MixedLibraryError(message)
    return autodiff


def check_floating(xp: Namespace, arrays: Sequence[Array], where: Where) -> None:
    """Make sure that arrays can have gradients."""
    wrong = [dtype for dtype in {x.dtype for x in arrays} if not is_floating(xp, dtype)]
    if wrong:
        bad = next(x for x in arrays if x.dtype in wrong)
        message = f"{where(bad)} has dtype {bad.dtype}: only floating arrays have gradients"
        raise DtypeError(message)


def check_devices(xp: Namespace, arrays: Sequence[Array], where: Where) -> None:
    """Make sure that arrays lie together, unless their library moves them by itself."""
    if len(arrays) < 2 or library_of(xp).moves:
        return
    first = _device(arrays[0])
    for x in arrays:
        if _device(x) != first:
            message = (
                f"expected arrays on one device, got {where(arrays[0])} on {first} "
                f"and {where(x)} on {_device(x)}"
            )
            raise DeviceError(message)


def with_arrays(xp: Namespace, leaves: Leaves, arrays: Sequence[Array]) -> list[Array]:
    """Turn the Python numbers among leaves into 0-d arrays with the arrays' dtype and device."""
    real, complex_, device = _float_dtypes(xp, arrays)

    def lift(leaf: Any) -> Array:
        if not is_number(leaf):
            return leaf
        dtype = complex_ if isinstance(leaf, complex) else real
        return xp.asarray(leaf, dtype=dtype, device=device)

    return [lift(leaf) for leaf in leaves]


def _float_dtypes(xp: Namespace, arrays: Sequence[Array]) -> tuple[DType, DType, Any]:
    """Return the real and the complex dtype that Python numbers take here, and the device."""
    floating = [x for x in arrays if is_floating(xp, x.dtype)]
    if not floating:
        return xp.asarray(0.0).dtype, xp.asarray(0j).dtype, None
    dtype = xp.result_type(*floating)
    device = None if library_of(xp).moves else _device(floating[0])
    if xp.isdtype(dtype, "complex floating"):
        return xp.real(xp.empty((), dtype=dtype)).dtype, dtype, device
    return dtype, xp.result_type(dtype, xp.complex64), device


def _device(x: Array) -> Any:
    return getattr(x, "device", None)
