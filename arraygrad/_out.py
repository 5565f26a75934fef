"""`out=`: check everything, then write; nothing of the caller's changes when we raise."""

from typing import Any

from arraygrad._namespace import array_namespace, common_device, is_array, library_name
from arraygrad._tree import broadcast_prefix, flatten, flatten_with_paths, format_path
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.errors import DeviceError, MixedLibraryError, OutError, ShapeError
from arraygrad.libraries import library_of

__all__ = ["check_out", "write_out"]


def write_out(out: Tree, result: Tree, *, argument: str = "out") -> Tree:
    """Copy the computed arrays of `result` into those of `out`, and return `out`.

    The values are already there, so `out` may alias whatever they were computed from.

    Raises
    ------
    StructureError, ShapeError, MixedLibraryError, DeviceError, OutError
        See `check_out`; nothing has been written then.
    """
    check_out(out, result, argument=argument)
    for target, value in _pairs(out, result):
        library_of(array_namespace(target)).write(target, value)
    return out


def check_out(out: Tree, like: Tree, *, argument: str = "out") -> None:
    """Make sure that `out` can receive arrays with the shapes and dtypes of `like`.

    Usable before anything is computed: `like` need not hold the values that will be written.

    Raises
    ------
    StructureError
        If the trees differ.
    ShapeError
        If a leaf of `out` has another shape.
    MixedLibraryError, DeviceError
        If a leaf of `out` belongs to another library, or lies on another device.
    OutError
        If a leaf of `out` is no array, has another dtype or is read-only.
    """
    broadcast_prefix(out, like, argument=argument, other="the result")
    broadcast_prefix(like, out, argument="the result", other=argument)  # neither is a mere prefix
    paths, _, _ = flatten_with_paths(out)
    for path, (target, value) in zip(paths, _pairs(out, like), strict=True):
        _check_leaf(target, value, f"`{argument}` at {format_path(path)}")


def _pairs(out: Tree, result: Tree) -> list[tuple[Any, Any]]:
    """Return the leaves of both trees, side by side."""
    return list(zip(flatten(out)[0], flatten(result)[0], strict=True))


def _check_leaf(target: Any, value: Array, where: str) -> None:
    """Make sure that one array can receive another."""
    if not is_array(target):
        message = f"{where} must be an array, got {type(target).__name__}"
        raise OutError(message)
    xp = array_namespace(target)
    _check_home(xp, target, value, where)
    if not library_of(xp).is_writeable(target):
        message = f"{where} is read-only ({library_name(xp)}); use the returned value"
        raise OutError(message)
    if target.shape != value.shape:
        message = f"{where} has shape {tuple(target.shape)}, the result {tuple(value.shape)}"
        raise ShapeError(message)
    if target.dtype != value.dtype:
        message = f"{where} has dtype {target.dtype}, the result {value.dtype}"
        raise OutError(message)


def _check_home(xp: Namespace, target: Array, value: Array, where: str) -> None:
    """Make sure that two arrays share library and device."""
    theirs = array_namespace(value)
    if theirs is not xp:
        message = f"{where} is an array of {library_name(xp)}, the result of {library_name(theirs)}"
        raise MixedLibraryError(message)
    try:
        common_device(target, value)
    except DeviceError as error:
        message = f"{where}: {error}"
        raise DeviceError(message) from None
