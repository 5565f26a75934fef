"""Where arrays lie, asked after a step has failed: of which library, and on which device."""

from collections.abc import Mapping, Sequence
from typing import Any

from arraygrad._namespace import array_namespace, device_of, is_array, library_name
from arraygrad._numbers import as_number, is_number
from arraygrad._tree import flatten_with_paths, format_path
from arraygrad._typing import Array, Tree
from arraygrad.errors import DeviceError, MixedLibraryError

__all__ = ["check_places"]


def check_places(
    params: Tree,
    weights: Sequence[Array],
    beside: Mapping[str, Sequence[Array]],
    scalars: Mapping[str, Any],
) -> None:
    """Refuse arrays that lie elsewhere than their parameter.

    Parameters
    ----------
    params, weights
        The parameters, and their leaves.
    beside : mapping of str to sequence of arrays
        What stands beside each of them, by the names of arguments.
    scalars : mapping of str to number or array
        What stands beside all of them, by name.

    Raises
    ------
    MixedLibraryError
        If an array is of another library than its parameter.
    DeviceError
        If it is on another device.
    """
    paths = flatten_with_paths(params)[0]
    for n, (path, w) in enumerate(zip(paths, weights, strict=True)):
        place = format_path(path)
        for name, column in beside.items():
            _check(column[n], w, f"`{name}` at {place}", place)
        for name, x in scalars.items():
            if is_array(x) and not is_number(as_number(x)):  # which go everywhere
                _check(x, w, f"`{name}`", place)


def _check(x: Array, w: Array, where: str, place: str) -> None:
    """Refuse an array that lies elsewhere than the parameter at a place."""
    ours, theirs = _library_of(x), _library_of(w)
    if ours != theirs:
        message = f"{where} is an array of {ours}, the parameter at {place} one of {theirs}"
        raise MixedLibraryError(message)
    here, there = device_of(x), device_of(w)
    if x.shape and None not in (here, there) and here != there:
        message = f"{where} is on the device {here}, the parameter at {place} on {there}"
        raise DeviceError(message)


def _library_of(x: Array) -> str:
    """Return the name of an array's library, of a traced one that of its value's."""
    return library_name(array_namespace(x)).removeprefix("arraygrad_traced_")
