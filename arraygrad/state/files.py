"""Saving trees of arrays and numbers to files, and loading them, on any library."""

import os
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Literal, TypeAlias, overload

from arraygrad._namespace import is_array
from arraygrad._tree import unflatten
from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.state import _npz, _safetensors
from arraygrad.state._arrays import DTYPES, Saved, dtype_name, fits, like, saved
from arraygrad.state._paths import named_leaves
from arraygrad.state._replace import replacing
from arraygrad.state._report import StateReport

__all__ = ["load_state", "save_state"]

File: TypeAlias = str | os.PathLike[str]

_WRITERS: dict[str, Callable[[BinaryIO, Mapping[str, Saved]], None]] = {
    ".npz": _npz.write,
    ".safetensors": _safetensors.write,
}


def save_state(file: File, tree: Tree) -> None:
    """Save a tree of arrays and numbers: a state, parameters, or a dict of both.

    Parameters
    ----------
    file : str or path
        Where to; the suffix says the format, `.npz` or `.safetensors`. A file that is already
        there is replaced once the new one is whole.
    tree : tree of arrays and numbers
        Arrays of any library, shape and device, of the dtypes bool, (u)int8 to (u)int64, bfloat16,
        float16, float32, float64, complex64 and complex128; Python numbers of any kind.

    Raises
    ------
    StateError
        If the suffix is another, a leaf is neither an array nor a number or has another dtype,
        or two leaves would have one name. Nothing is written then.
    OSError
        If the file cannot be written.

    Notes
    -----
    A leaf's name is its path: keys, indices and names of fields with `/` between them, as in
    `slots/mu/layers/0/w`; `%2F` stands for a `/` in a key, and `%25` for a `%`. A tree that is one
    array is called `.`. Numbers become 0-d arrays of the dtypes bool, int64, float64 and
    complex128. In an npz, bfloat16 becomes float32.

    References
    ----------
    The format `.npy` is that of `numpy.lib.format`; that of safetensors is described at
    https://github.com/huggingface/safetensors, section "Format".

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.state import load_state, save_state
    >>> params = {"layers": [{"w": np.asarray([1.0, 2.0])}]}
    >>> state = adam(0.1).init(params)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "adam.safetensors")
    ...     save_state(file, state)
    ...     loaded = load_state(file, state)
    ...     sorted(load_state(file))[-2:]
    ['slots/mu/layers/0/w', 'slots/nu/layers/0/w']
    >>> loaded.slots["mu"]
    {'layers': [{'w': array([0., 0.])}]}
    """
    suffix = os.path.splitext(file)[1]
    if suffix not in _WRITERS:
        message = f"`file` must end in {' or '.join(_WRITERS)}, got {os.fspath(file)!r}"
        raise StateError(message)
    leaves, _ = named_leaves(tree, "tree")
    entries = {name: saved(leaf, f"`tree` at {name}") for name, leaf in leaves.items()}
    with replacing(file) as target:
        _WRITERS[suffix](target, entries)


@overload
def load_state(file: File, like: None = None) -> dict[str, Any]: ...


@overload
def load_state(file: File, like: Tree, *, strict: Literal[True] = True) -> Tree: ...


@overload
def load_state(file: File, like: Tree, *, strict: Literal[False]) -> tuple[Tree, StateReport]: ...


def load_state(file: File, like: Tree | None = None, *, strict: bool = True) -> Any:
    """Load a tree of arrays and numbers.

    Parameters
    ----------
    file : str or path
        An npz or safetensors file, of ours or of anybody's; the content says which.
    like : tree of arrays and numbers, optional
        The structure, and of every leaf the shape, library, dtype and device: a fresh
        `optimizer.init(params)`, for example. It may be of another library than what was saved. A
        Python number says that there should be one. None of its values is read or changed.
    strict : bool
        Whether the file must have exactly these leaves, in these shapes. Otherwise, what it does
        not have, or has in another shape or kind of dtype, stays as it is in `like`.

    Returns
    -------
    tree of arrays and numbers
        Shaped like `like`. Without one, a dict of NumPy arrays by the names of the leaves
        (`save_state` says how they are spelt), bfloat16 as float32.
    report : StateReport
        What was loaded and what was not; only if not `strict`.

    Raises
    ------
    StateError
        If the file is torn or no file of arrays; if it differs from `like` and `strict` holds,
        with the differences as `report`; if a number is too large for the dtype in `like`.
    OSError
        If the file cannot be read.

    Notes
    -----
    Values are cast to the dtype in `like` if that is of the same kind (bool, integer, real,
    complex) or of a later one. Nothing in a file is ever run or unpickled.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, array_api_strict as xp
    >>> from arraygrad.state import load_state, save_state
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "params.npz")
    ...     save_state(file, {"w": np.asarray([1.0, 2.0]), "old": 3})
    ...     like = {"w": xp.zeros(2, dtype=xp.float32), "b": xp.ones(1)}
    ...     tree, report = load_state(file, like, strict=False)
    >>> tree["w"]
    Array([1., 2.], dtype=array_api_strict.float32)
    >>> report.missing, report.unexpected, report.cast
    (('b',), ('old',), {'w': ('float64', 'float32')})
    """
    entries = _read(file)
    if like is None:
        return {name: entry.values for name, entry in entries.items()}
    leaves, treedef = named_leaves(like, "like")
    report = _compare(entries, leaves)
    if strict and not report.complete:
        message = f"{_where(file)} differs from `like`:\n{report}"
        raise StateError(message, report)
    tree = unflatten(treedef, _taken(entries, leaves, report, _where(file)))
    return tree if strict else (tree, report)


def _where(file: File) -> str:
    return f"`file` {os.fspath(file)!r}"


def _read(file: File) -> dict[str, Saved]:
    """Return what a file holds; its first bytes say how."""
    with open(file, "rb") as source:
        magic = source.read(4)
        source.seek(0)
        read = _npz.read if magic in _npz.MAGIC else _safetensors.read
        return read(source, _where(file))


def _compare(entries: Mapping[str, Saved], leaves: Mapping[str, Any]) -> StateReport:
    """Compare a file with what is expected.

    Raises
    ------
    StateError
        If something that is neither array nor number is expected.
    """
    loaded, shapes, dtypes, cast = [], {}, {}, {}
    for name, model in leaves.items():
        _check_model(name, model)
        if name not in entries:
            continue
        entry = entries[name]
        shape = tuple(model.shape) if is_array(model) else ()
        types = (entry.dtype, dtype_name(model.dtype) if is_array(model) else entry.dtype)
        if entry.values.shape != shape:
            shapes[name] = (entry.values.shape, shape)
        elif not fits(entry, model):
            dtypes[name] = types
        else:
            loaded.append(name)
            if types[0] != types[1]:
                cast[name] = types
    missing = tuple(name for name in leaves if name not in entries)
    unexpected = tuple(name for name in entries if name not in leaves)
    return StateReport(
        loaded=tuple(loaded), missing=missing, unexpected=unexpected,
        shapes=shapes, dtypes=dtypes, cast=cast,
    )  # fmt: skip


def _check_model(name: str, model: Any) -> None:
    if is_array(model):
        if dtype_name(model.dtype) in DTYPES:
            return
        what = f"dtype {dtype_name(model.dtype)}"
    elif isinstance(model, bool | int | float | complex):
        return
    else:
        what = type(model).__name__
    message = f"`like` at {name} must be an array of numbers or a number, got {what}"
    raise StateError(message)


def _taken(
    entries: Mapping[str, Saved], leaves: Mapping[str, Any], report: StateReport, where: str
) -> list[Any]:
    """Return the leaves of the loaded tree."""
    loaded = set(report.loaded)
    return [
        like(entries[name], model, f"{where} at {name}") if name in loaded else model
        for name, model in leaves.items()
    ]
