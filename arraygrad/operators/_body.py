"""A function as an autodiff sees it: from flat lists of arrays to flat lists of arrays."""

from collections.abc import Callable
from typing import Any, TypeAlias

from arraygrad._namespace import is_array, is_complex, is_floating, is_real_floating
from arraygrad._tree import flatten, unflatten
from arraygrad._typing import Array, Autodiff, Leaves, Namespace, Pullback, Tree
from arraygrad.errors import DtypeError, NotScalarError, StructureError
from arraygrad.operators._parts import locate

__all__ = [
    "Body",
    "check_floating_output",
    "check_real_output",
    "check_scalar",
    "check_scalar_output",
    "record",
]

Flat: TypeAlias = Callable[[Leaves, Leaves], tuple[list[Array], list[Any]]]
"""From leaves and constants to outputs and auxiliary data."""

Check: TypeAlias = Callable[[Namespace, Any, list[Any]], None]
"""Refuses what a function returned: given its namespace, the tree, and the tree's leaves."""


class Body:
    """A function between flat lists, which remembers the structure of what it returned."""

    __slots__ = ("_arguments", "_aux", "_check", "_f", "_has_aux", "_outputs", "_xp")

    def __init__(self, f: Callable[..., Any], call: Any, check: Check, *, has_aux: bool) -> None:
        self._f, self._arguments, self._xp = f, call.arguments, call.xp
        self._check, self._has_aux = check, has_aux
        self._outputs = self._aux = flatten(None)[1]

    def __call__(self, leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Any]]:
        args, kwargs = self._arguments(leaves, constants)
        y = self._f(*args, **kwargs)
        y, aux = _split(y) if self._has_aux else (y, None)
        outputs, self._outputs = flatten(y)
        self._check(self._xp, y, outputs)
        found, self._aux = flatten(aux)
        return outputs, found

    def whole(self, values: Leaves) -> Tree:
        """Return a tree shaped like the output, with one value per leaf."""
        return unflatten(self._outputs, values)

    def whole_aux(self, values: Leaves) -> Tree:
        """Return the auxiliary output with these leaves."""
        return unflatten(self._aux, values)


def _split(result: Any) -> tuple[Any, Any]:
    """Take output and auxiliary data apart."""
    if not isinstance(result, tuple) or len(result) != 2:
        message = f"with has_aux=True, f must return (output, aux), got {_describe(result)}"
        raise StructureError(message)
    return result


def record(
    autodiff: Autodiff, body: Flat, leaves: Leaves, constants: Leaves, *, once: bool = False
) -> tuple[list[Array], Pullback, list[Any]]:
    """Let an autodiff run a function; without leaves there is nothing to record."""
    if not leaves:
        outputs, aux = body([], constants)
        return outputs, lambda _: [], aux
    found: tuple[list[Array], Pullback, list[Any]]
    found = autodiff.vjp(body, leaves, constants, once=once)
    return found


def check_scalar(xp: Namespace, y: Any, name: str) -> None:
    """Refuse everything but a real 0-d array."""
    if not (is_array(y) and y.shape == () and is_real_floating(xp, y.dtype)):
        message = f"{name} must be a real floating 0-d array, got {_describe(y)}"
        raise NotScalarError(message)


def check_scalar_output(xp: Namespace, y: Any, leaves: list[Any]) -> None:
    """Refuse every output but a real 0-d array."""
    check_scalar(xp, y, "f(...)")


def check_floating_output(xp: Namespace, y: Any, leaves: list[Any]) -> None:
    """Refuse leaves that have no derivative."""
    for leaf in leaves:
        if not (is_array(leaf) and is_floating(xp, leaf.dtype)):
            message = (
                f"every output must be a floating array, got {_describe(leaf)} "
                f"at {_where(leaf, y)}; return the rest as aux, with has_aux=True"
            )
            raise DtypeError(message)


def check_real_output(xp: Namespace, y: Any, leaves: list[Any]) -> None:
    """Refuse leaves that have no derivative, and complex ones."""
    check_floating_output(xp, y, leaves)
    for leaf in leaves:
        if is_complex(xp, leaf.dtype):
            message = f"a Jacobian is of real arrays only, got {leaf.dtype} at {_where(leaf, y)}"
            raise DtypeError(message)


def _where(leaf: Any, y: Tree) -> str:
    return locate(leaf, (("f(...)", y),))


def _describe(x: Any) -> str:
    """Describe what a function returned, without its values."""
    if is_array(x):
        return f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
    return f"{type(x).__name__}"
