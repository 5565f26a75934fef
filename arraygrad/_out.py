"""`out=`: check everything, then write; nothing of the caller's changes when we raise."""

from typing import Any

from arraygrad._memory import first_shared
from arraygrad._namespace import array_namespace, check_together, is_array, library_name
from arraygrad._tree import broadcast_prefix, flatten, flatten_with_paths, format_path
from arraygrad._typing import Array, Tree
from arraygrad.errors import OutError, ShapeError
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
    for target, value in zip(_targets(out, result, argument), flatten(result)[0], strict=True):
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
        If a leaf of `out` is no array, has another dtype, is read-only, or shares memory with
        another, as far as that can be told.
    """
    targets = _targets(out, like, argument)
    paths, values, _ = flatten_with_paths(like)
    for path, target, value in zip(paths, targets, values, strict=True):
        _check_leaf(target, value, f"`{argument}` at {format_path(path)}")
    if len(targets) > 1:
        _check_apart([format_path(path) for path in paths], targets, argument)


def _targets(out: Tree, like: Tree, argument: str) -> list[Any]:
    """Return the leaves of `out` in the order of those of `like`, which has its structure."""
    broadcast_prefix(like, out, argument="the result", other=argument)  # no mere prefix either way
    return broadcast_prefix(out, like, argument=argument, other="the result")


def _check_leaf(target: Any, value: Array, where: str) -> None:
    """Make sure that one array can receive another."""
    if not is_array(target):
        message = f"{where} must be an array, got {type(target).__name__}"
        raise OutError(message)
    check_together(target, value, where, "the result")
    xp = array_namespace(target)
    if not library_of(xp).is_writeable(target):
        message = f"{where} is read-only ({library_name(xp)}); use the returned value"
        raise OutError(message)
    if target.shape != value.shape:
        message = f"{where} has shape {tuple(target.shape)}, the result {tuple(value.shape)}"
        raise ShapeError(message)
    if target.dtype != value.dtype:
        message = f"{where} has dtype {target.dtype}, the result {value.dtype}"
        raise OutError(message)


def _check_apart(paths: list[str], targets: list[Array], argument: str) -> None:
    """Make sure that no array is given twice, and that no two share the host's memory."""
    seen: dict[int, str] = {}
    for path, x in zip(paths, targets, strict=True):
        other = seen.setdefault(id(x), path)
        if other != path:
            message = f"`{argument}` at {other} and at {path} is one array for two results"
            raise OutError(message)
    views = [library_of(array_namespace(x)).host_memory(x) for x in targets]
    hosted = [(path, x) for path, x in zip(paths, views, strict=True) if x is not None and x.size]
    if any(x.base is not None for _, x in hosted):  # else each has its own memory
        _check_memory(hosted, argument)


def _check_memory(hosted: list[tuple[str, Any]], argument: str) -> None:
    """Make sure that NumPy's arrays share no element."""
    shared = first_shared([x for _, x in hosted])
    if shared is not None:
        one, two = (hosted[n][0] for n in shared)
        message = f"`{argument}` at {one} and at {two} share memory"
        raise OutError(message)
