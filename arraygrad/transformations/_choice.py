"""One of two trees, as a truth value says that may be an array: nothing is read, so it traces."""

import functools
import operator
from typing import Any

from arraygrad._namespace import array_namespace, device_of, is_array, lift_constants
from arraygrad._numbers import is_number
from arraygrad._tree import flatten, unflatten
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.optimizers._trees import leaves_like
from arraygrad.schedules._scalars import double_precision

__all__ = ["all_finite", "chosen", "wide_dtype", "widened", "zeros_of"]


def chosen(condition: Any, yes: Tree, no: Tree) -> Tree:
    """Return one of two trees of the same structure, leaf by leaf if the condition is an array."""
    if isinstance(condition, bool):
        return yes if condition else no
    leaves, treedef = flatten(no)
    others = leaves_like(treedef, yes, argument="the new state", other="the old state")
    pairs = zip(others, leaves, strict=True)
    return unflatten(treedef, [_chosen_leaf(condition, x, y) for x, y in pairs])


def _chosen_leaf(condition: Array, yes: Any, no: Any) -> Any:
    if yes is no or (is_number(yes) and is_number(no) and yes == no):
        return no
    if not all(is_array(x) or is_number(x) for x in (yes, no)):
        return yes  # neither has a `where`: names, for example
    found = lift_constants({"condition": condition, "yes": yes, "no": no})
    xp = array_namespace(*(x for x in found.values() if is_array(x)))
    x, y = (_as_array(xp, found[name], condition) for name in ("yes", "no"))
    result = xp.where(found["condition"], x, y)
    if result.dtype != y.dtype and is_array(no):
        result = xp.astype(result, y.dtype)
    return result if result.shape else result[...]  # an array, where NumPy makes 0-d scalars


def _as_array(xp: Namespace, x: Any, condition: Array) -> Array:
    """Return a number as an array, in double precision if the library has it."""
    if is_array(x):
        return x
    device = device_of(condition)
    dtype = double_precision(xp, device) if isinstance(x, float) else None
    return xp.asarray(x, dtype=dtype, device=device)


def all_finite(tree: Tree) -> Any:
    """Say whether all elements are finite: a 0-d array, or `True` if there is no array."""
    finite = [array_namespace(x).isfinite(x) for x in flatten(tree)[0]]
    alls = [array_namespace(x).all(x) for x in finite]
    return functools.reduce(operator.and_, alls) if alls else True


def zeros_of(tree: Tree) -> Tree:
    """Return a tree of zeros."""
    leaves, treedef = flatten(tree)
    return unflatten(treedef, [array_namespace(x).zeros_like(x) for x in leaves])


def widened(tree: Tree, *, copy: bool = False) -> Tree:
    """Return a tree in single precision at least."""
    leaves, treedef = flatten(tree)
    spaces = map(array_namespace, leaves)
    wide = [
        xp.astype(x, wide_dtype(xp, x), copy=copy) for xp, x in zip(spaces, leaves, strict=True)
    ]
    return unflatten(treedef, wide)


def wide_dtype(xp: Namespace, x: Array) -> Any:
    """Return an array's dtype, widened to single precision at least."""
    return xp.result_type(x.dtype, xp.float32)
