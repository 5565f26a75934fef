"""A function as an autodiff sees it: from flat lists of arrays to flat lists of arrays."""

from collections.abc import Callable
from typing import Any, TypeAlias

from arraygrad._namespace import (
    array_namespace,
    is_array,
    is_complex,
    is_floating,
    is_real_floating,
)
from arraygrad._tree import TreeDef, flatten, unflatten
from arraygrad._typing import Array, Leaves, Namespace, Tree
from arraygrad.errors import DtypeError, NotScalarError, StructureError
from arraygrad.operators._locate import locate

__all__ = ["Body", "check_scalar", "floating_outputs", "real_outputs", "scalar_output"]

Output: TypeAlias = tuple[list[Array], TreeDef | None]
Reader: TypeAlias = Callable[[Namespace | None, Any], Output]
"""Takes what a function returned apart, and refuses what it should not have returned."""

# Types with real floating dtypes: what was found out once of an array holds for all like it.
_real_kinds: set[tuple[type, Any]] = set()


class Body:
    """A function between flat lists, which remembers the structure of what it returned."""

    __slots__ = ("_aux", "_call", "_f", "_has_aux", "_outputs", "_read")

    def __init__(self, f: Callable[..., Any], call: Any, read: Reader, *, has_aux: bool) -> None:
        self._f, self._call, self._read, self._has_aux = f, call, read, has_aux
        self._outputs: TreeDef | None = None
        self._aux: TreeDef | None = None

    def __call__(self, leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Any]]:
        args, kwargs = self._call.arguments(leaves, constants)
        y = self._f(*args, **kwargs)
        aux: list[Any] = []
        if self._has_aux:
            y, rest = _split(y)
            aux, self._aux = flatten(rest)
        outputs, self._outputs = self._read(self._call.xp if leaves else None, y)
        return outputs, aux

    def whole(self, values: Leaves) -> Tree:
        """Return a tree shaped like the output, with one value per leaf."""
        return values[0] if self._outputs is None else unflatten(self._outputs, values)

    def whole_aux(self, values: Leaves) -> Tree:
        """Return the auxiliary output with these leaves; None without one."""
        return None if self._aux is None else unflatten(self._aux, values)


def _split(result: Any) -> tuple[Any, Any]:
    """Take output and auxiliary data apart."""
    if not isinstance(result, tuple) or len(result) != 2:
        message = f"with has_aux=True, f must return (output, aux), got {_describe(result)}"
        raise StructureError(message)
    return result


def check_scalar(xp: Namespace | None, y: Any, name: str) -> None:
    """Refuse everything but a real 0-d array."""
    if not (is_array(y) and y.shape == () and is_real_floating(_space(xp, y), y.dtype)):
        message = f"{name} must be a real floating 0-d array, got {_describe(y)}"
        raise NotScalarError(message)


def scalar_output(xp: Namespace | None, y: Any) -> Output:
    """Read a real 0-d array, and nothing else."""
    kind = type(y), getattr(y, "dtype", None)
    if kind not in _real_kinds or y.shape != ():
        check_scalar(xp, y, "f(...)")
        _real_kinds.add(kind)
    return [y], None


def floating_outputs(xp: Namespace | None, y: Any) -> Output:
    """Read a tree of floating arrays."""
    leaves, treedef = flatten(y)
    for leaf in leaves:
        if not (is_array(leaf) and is_floating(_space(xp, leaf), leaf.dtype)):
            message = (
                f"{locate(leaf, **{'f(...)': y})} must be a floating array, got {_describe(leaf)}; "
                f"return what has no derivative as aux, with has_aux=True"
            )
            raise DtypeError(message)
    return leaves, treedef


def real_outputs(xp: Namespace | None, y: Any) -> Output:
    """Read a tree of real floating arrays."""
    leaves, treedef = floating_outputs(xp, y)
    for leaf in leaves:
        if is_complex(_space(xp, leaf), leaf.dtype):
            where = locate(leaf, **{"f(...)": y})
            message = f"a Jacobian is of real arrays only, got {leaf.dtype} at {where}"
            raise DtypeError(message)
    return leaves, treedef


def _space(xp: Namespace | None, x: Array) -> Namespace:
    """Return the namespace of the call; of the array itself where the call has no arrays."""
    return array_namespace(x) if xp is None else xp


def _describe(x: Any) -> str:
    """Describe what a function returned, without its values."""
    if is_array(x):
        return f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
    return f"{type(x).__name__}"
