"""What an array tells of itself: the only importer of array_api_compat."""

import functools
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import array_api_compat

from arraygrad._typing import Array, DType, Namespace
from arraygrad.errors import DeviceError, MixedLibraryError

__all__ = [
    "array_namespace",
    "ask_for_namespaces",
    "cast",
    "check_together",
    "common_device",
    "device_of",
    "dtypes_of",
    "is_array",
    "is_complex",
    "is_floating",
    "is_real_floating",
    "kinds_of",
    "library_name",
    "lift_constants",
    "real_dtype",
    "to_device",
]


def is_array(x: Any) -> bool:
    """Say whether `x` is an array of any library; Python numbers are not."""
    if type(x) in _namespaces:
        return True
    # A class of scalars, `np.float64`, has the attributes of an array, but it is a dtype.
    return not isinstance(x, type) and bool(array_api_compat.is_array_api_obj(x))


def array_namespace(*arrays: Array) -> Namespace:
    """Return the one namespace of all these arrays.

    Raises
    ------
    MixedLibraryError
        If they come from several libraries.
    """
    if len(arrays) == 1:
        (x,) = arrays
        return _namespaces.get(type(x)) or _namespace_of(x)
    spaces = {id(xp): xp for xp in map(_namespace_of, arrays)}
    if len(spaces) != 1:
        names = sorted(library_name(xp) for xp in spaces.values())
        given = " and ".join(names) if names else "no array at all"
        message = f"expected arrays of one library, got arrays of {given}"
        raise MixedLibraryError(message)
    return next(iter(spaces.values()))


_namespaces: dict[type, Namespace] = {}
_completed: list[Callable[[Namespace], Namespace]] = []


def ask_for_namespaces(completed: Callable[[Namespace], Namespace]) -> None:
    """From now on take what `completed` makes of an array's own namespace, and forget the rest.

    The registry of libraries, which is above this module, knows what a namespace lacks.
    """
    _completed[:] = [completed]
    _namespaces.clear()


def _namespace_of(x: Array) -> Namespace:
    """Return the namespace of an array, which is that of its type: asked once for each."""
    found = _namespaces.get(type(x))
    if found is None:
        found = array_api_compat.array_namespace(x)
        for completed in _completed:
            found = completed(found)
        _namespaces[type(x)] = found
    return found


def library_name(xp: Namespace) -> str:
    """Return the short name of a namespace: `numpy` for `array_api_compat.numpy`."""
    name: str = xp.__name__
    name = name.removeprefix("array_api_compat.")
    return "dask" if name.startswith("dask") else name.split(".")[0]


def device_of(x: Array) -> Any:
    """Return the device of an array; `None` if the library has no such thing."""
    try:
        return array_api_compat.device(x)
    except AttributeError:
        return None


def to_device(x: Array, device: Any, *, stream: Any = None) -> Array:
    """Return an array on a device; itself on `None`, the device of arrays that have none."""
    return x if device is None else array_api_compat.to_device(x, device, stream=stream)


def common_device(*arrays: Array) -> Any:
    """Return the one device of all these arrays; `None` if none tells (jax does not, in a trace).

    Raises
    ------
    DeviceError
        If they lie on several devices.
    """
    told = (device_of(x) for x in arrays)
    found = [device for device in told if device is not None]
    for device in found:
        if device != found[0]:
            message = f"expected arrays on one device, got arrays on {found[0]} and {device}"
            raise DeviceError(message)
    return found[0] if found else None


def check_together(x: Array, other: Array, where: str, whose: str) -> None:
    """Make sure that two arrays share library and device; `where` and `whose` name them.

    Raises
    ------
    MixedLibraryError, DeviceError
        If they do not.
    """
    if type(x) is not type(other):  # quick: arrays of one type have one namespace
        ours, theirs = map(_namespace_of, (x, other))
        if ours is not theirs:
            names = f"{library_name(ours)}, {whose} of {library_name(theirs)}"
            message = f"{where} is an array of {names}"
            raise MixedLibraryError(message)
    try:
        common_device(x, other)
    except DeviceError as error:
        message = f"{where} and {whose}: {error}"
        raise DeviceError(message) from None


def lift_constants(values: dict[str, Any]) -> dict[str, Any]:
    """Return values of which, if one array is traced, all arrays of its library are.

    The namespace of traced arrays names its library's own as its `base`, and its `asarray` makes
    constants of raw arrays: what a function closes over meets what is differentiated in it.
    """
    arrays = {name: x for name, x in values.items() if is_array(x)}
    if len({type(x) for x in arrays.values()}) == 1:
        return values
    spaces = {name: _namespace_of(x) for name, x in arrays.items()}
    for xp in spaces.values():
        base = getattr(xp, "base", None)
        if base is not None:
            raw = {name for name, own in spaces.items() if own is base}
            return {name: xp.asarray(x) if name in raw else x for name, x in values.items()}
    return values


def _is(xp: Namespace, dtype: DType, kinds: str | tuple[str, ...]) -> bool:
    try:
        return bool(xp.isdtype(dtype, kinds))
    except TypeError:  # NumPy's, of dtypes that other packages made
        return False


@functools.cache
def is_floating(xp: Namespace, dtype: DType) -> bool:
    """Say whether a dtype is floating, real or complex: what can have a gradient."""
    return _is(xp, dtype, ("real floating", "complex floating"))


@functools.cache
def is_real_floating(xp: Namespace, dtype: DType) -> bool:
    """Say whether a dtype is real floating."""
    return _is(xp, dtype, "real floating")


@functools.cache
def is_complex(xp: Namespace, dtype: DType) -> bool:
    """Say whether a dtype is complex."""
    return _is(xp, dtype, "complex floating")


def real_dtype(xp: Namespace, dtype: DType) -> DType:
    """Return the real dtype with the precision of a floating one."""
    if not is_complex(xp, dtype):
        return dtype
    return xp.float32 if dtype == xp.complex64 else xp.float64


def cast(xp: Namespace, x: Array, dtype: DType) -> Array:
    """Return `x` in a dtype; itself where it has it."""
    return x if x.dtype == dtype else xp.astype(x, dtype)


_dtype_of = attrgetter("dtype")


def dtypes_of(arrays: Sequence[Array]) -> list[DType]:
    """Return the dtype of each array."""
    return list(map(_dtype_of, arrays))


def kinds_of(leaves: Sequence[Any]) -> tuple[tuple[type, DType | None], ...]:
    """Return the type and dtype of each leaf, None where it has no dtype."""
    try:
        return tuple(zip(map(type, leaves), map(_dtype_of, leaves)))  # noqa: B905  # twice as quick
    except AttributeError:  # not all are arrays
        return tuple([(type(leaf), getattr(leaf, "dtype", None)) for leaf in leaves])
