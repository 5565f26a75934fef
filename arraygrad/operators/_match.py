"""Cotangents and tangents: one for each array, with its shape and dtype."""

from typing import Any

from arraygrad._namespace import array_namespace, is_array, is_complex
from arraygrad._tree import broadcast_prefix, flatten, flatten_with_paths, format_path
from arraygrad._typing import Array, Tree
from arraygrad.errors import DtypeError, ShapeError
from arraygrad.operators._arrays import common_namespace

__all__ = ["match"]


def match(values: Tree, pattern: Tree, *, argument: str, other: str) -> list[Array]:
    """Return one array of `values` for each array of `pattern`, with its shape and dtype.

    Raises
    ------
    StructureError, ShapeError, DtypeError
        If one does not fit; the message says where.
    """
    found, given = flatten(values)
    paths, wanted, treedef = flatten_with_paths(pattern)
    if given != treedef:
        found = broadcast_prefix(values, pattern, argument=argument, other=other)
    return [
        _fit(value, like, f"`{argument}` at {format_path(path)}")
        for path, value, like in zip(paths, found, wanted, strict=True)
    ]


def _fit(value: Any, like: Array, where: str) -> Array:
    """Give a value the dtype of an array whose shape it must have."""
    if not is_array(value):
        return _fit_number(value, like, where)
    xp = common_namespace([like, value], lambda x: where if x is value else "its array")
    if value.shape != like.shape:
        message = f"{where} must have shape {tuple(like.shape)}, got {tuple(value.shape)}"
        raise ShapeError(message)
    if value.dtype == like.dtype:
        return value
    if is_complex(xp, value.dtype) and not is_complex(xp, like.dtype):
        message = f"{where} must be real ({like.dtype}), got {value.dtype}"
        raise DtypeError(message)
    return xp.astype(value, like.dtype)


def _fit_number(value: Any, like: Array, where: str) -> Array:
    """Turn a Python number into a 0-d array."""
    xp = array_namespace(like)
    kinds = (int, float, complex) if is_complex(xp, like.dtype) else (int, float)
    if not isinstance(value, kinds):
        message = f"{where} must be an array of {like.dtype}, got {type(value).__name__}"
        raise DtypeError(message)
    if like.shape != ():
        message = f"{where} must have shape {tuple(like.shape)}, got a Python number"
        raise ShapeError(message)
    return xp.zeros_like(like) + value
