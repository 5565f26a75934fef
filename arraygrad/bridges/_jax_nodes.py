"""What jax's primitive calls: a function, its tangent, or its pullback, with their shapes."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from arraygrad._namespace import array_namespace, cast
from arraygrad._tree import flatten
from arraygrad._typing import Array, Leaves, Pullback
from arraygrad.bridges._border import Border, carried
from arraygrad.bridges._flat import Flat, Function, chosen, pulled, pushed
from arraygrad.errors import ShapeError
from arraygrad.libraries import library_of

__all__ = ["Node", "Pulled", "Tangent", "Value", "check", "selected", "struct"]

Shapes: TypeAlias = tuple[list[jax.ShapeDtypeStruct], list[jax.ShapeDtypeStruct]]
"""Of the outputs, and of aux."""

Record: TypeAlias = tuple[Leaves, Leaves, Pullback]
"""Concrete leaves and constants of a call, and its pullback: it spares the second run."""


class Node:
    """A flat function beyond a border: its arrays are `count` leaves, then constants."""

    def __init__(self, flat: Flat, border: Border, count: int, *, vectorized: bool) -> None:
        self.flat, self.border, self.count, self.vectorized = flat, border, count, vectorized
        self.linear = range(0)  # the leaves in which it is linear

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return the shapes of the results for the shapes of the arrays."""
        raise NotImplementedError

    def transpose(self, cotangents: int) -> "Node":
        """Return the transpose of a function that is linear in some leaves: of its cotangents."""
        raise NotImplementedError

    def learn(self, arrays: Leaves, outputs: Leaves, aux: Leaves) -> None:
        """Note the shapes of the results, as somebody knows them."""

    def evaluate(self, arrays: Leaves) -> list[jax.Array]:
        """Call the function on concrete arrays."""
        outputs, aux = self.border.evaluate(self.flat, *self._parted(arrays))
        self.learn(arrays, outputs, aux)
        return [*outputs, *aux]

    def record(self, arrays: Leaves) -> tuple[list[jax.Array], Record]:
        """Call the function on concrete arrays, and keep its pullback."""
        leaves, constants = self._parted(arrays)
        outputs, aux, pullback = self.border.record(self.flat, leaves, constants)
        self.learn(arrays, outputs, aux)
        return [*outputs, *aux], (leaves, constants, pullback)

    def on_host(self, arrays: Leaves, expected: Leaves) -> list[Any]:
        """Call the function from a compiled program: jax arrays come, NumPy's go."""
        leaves, constants = self._parted(arrays)
        outputs, aux = self.flat(self.border.enter(leaves), self.border.enter(constants))
        to_numpy = library_of(self.border.inner).to_numpy
        found = [np.asarray(to_numpy(y)) for y in (*outputs, *aux)]
        check(found, expected)
        return found

    def _parted(self, arrays: Leaves) -> tuple[list[Array], list[Array]]:
        return list(arrays[: self.count]), list(arrays[self.count :])


class Value(Node):
    """The function itself."""

    def __init__(self, f: Function, border: Border, count: int) -> None:
        vectorized = f.options.get("vmap_method") == "broadcast_all"
        super().__init__(_as_jax_has_it(f), border, count, vectorized=vectorized)
        self._f = f
        self._known: dict[Any, Shapes] = {}

    def learn(self, arrays: Leaves, outputs: Leaves, aux: Leaves) -> None:
        """Note the shapes of the results."""
        self._known[_key(arrays)] = [*map(_struct, outputs)], [*map(_struct, aux)]

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return the shapes that the user states, that are known, or that a trial finds."""
        key = _key(arrays)
        if key not in self._known:
            stated = self._f.options.get("result_shape_dtypes")
            self._known[key] = self._try(arrays) if stated is None else self._read(stated, arrays)
        return self._known[key]

    def _try(self, arrays: Leaves) -> Shapes:
        library = library_of(self.border.inner)
        with library.quiet():
            outputs, aux = self.flat(*self._parted([self._stand_in(x) for x in arrays]))
        found = [[_struct(library.to_numpy(y)) for y in part] for part in (outputs, aux)]
        return found[0], found[1]

    def _stand_in(self, x: Any) -> Array:
        fill = jnp.issubdtype(x.dtype, jnp.inexact)  # ones have logarithms and inverses
        return carried(np.full(x.shape, fill, x.dtype), self.border.inner)

    def _read(self, stated: Any, arrays: Leaves) -> Shapes:
        if callable(stated):
            args, kwargs = self._f.operands.arguments(*self._parted([*map(_struct, arrays)]))
            stated = stated(*args, **kwargs)
        found, self._f.treedef = flatten(stated)
        structs = [_struct(x) for x in found]
        floating = [bool(jnp.issubdtype(x.dtype, jnp.inexact)) for x in structs]
        self._f.floating = floating
        both = list(zip(structs, floating, strict=True))
        return [x for x, one in both if one], [x for x, one in both if not one]


class Selected(Node):
    """A function of some leaves of another node; the other leaves come before its constants."""

    def __init__(self, of: Node, wanted: Sequence[bool]) -> None:
        flat = chosen(of.flat, wanted)
        super().__init__(flat, of.border, sum(wanted), vectorized=of.vectorized)
        self._of, self._wanted = of, wanted

    def learn(self, arrays: Leaves, outputs: Leaves, aux: Leaves) -> None:
        """Note the shapes of the results."""
        self._of.learn(self._in_order(arrays), outputs, aux)

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return the other node's."""
        return self._of.shapes(self._in_order(arrays))

    def _in_order(self, arrays: Leaves) -> list[Any]:
        active, rest = map(iter, self._parted(arrays))
        return [next(active) if one else next(rest) for one in self._wanted] + list(rest)


class Tangent(Node):
    """The tangent of a node: of its leaves, and as many tangents."""

    def __init__(self, of: Node, record: Record | None = None) -> None:
        flat = pushed(of.flat, of.border.inner)
        super().__init__(flat, of.border, 2 * of.count, vectorized=of.vectorized)
        self.linear = range(of.count, 2 * of.count)
        self._of, self._record = of, record

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return those of the outputs."""
        without = [*arrays[: self.linear.start], *arrays[self.linear.stop :]]
        return self._of.shapes(without)[0], []

    def transpose(self, cotangents: int) -> Node:
        """Return the pullback."""
        return Pulled(self._of, cotangents, self._record)


class Pulled(Node):
    """The pullback of a node: of its leaves, and the cotangents."""

    def __init__(self, of: Node, cotangents: int, record: Record | None) -> None:
        flat = pulled(of.flat, of.border.inner, of.count)
        super().__init__(flat, of.border, of.count + cotangents, vectorized=of.vectorized)
        self.linear = range(of.count, self.count)
        self._of, self._record = of, record

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return those of the leaves."""
        return [_struct(x) for x in arrays[: self._of.count]], []

    def transpose(self, cotangents: int) -> Node:
        """Return the tangent."""
        return Tangent(self._of, self._record)

    def evaluate(self, arrays: Leaves) -> list[jax.Array]:
        """Pull back, by the record if it is one of these very arrays."""
        if self._record is not None:
            leaves, constants, pullback = self._record
            first, then = self.linear.start, self.linear.stop
            pairs = zip([*leaves, *constants], [*arrays[:first], *arrays[then:]], strict=True)
            if all(x is y for x, y in pairs):
                return pullback(arrays[first:then])
        return super().evaluate(arrays)


def selected(node: Node, wanted: Sequence[bool], arrays: Leaves) -> tuple[Node, list[Any]]:
    """Return a node whose leaves are those wanted, and the arrays in its order."""
    if all(wanted):
        return node, list(arrays)
    leaves = list(zip(arrays, wanted, strict=False))
    active, passive = [x for x, one in leaves if one], [x for x, one in leaves if not one]
    return Selected(node, wanted), [*active, *passive, *arrays[node.count :]]


def _as_jax_has_it(f: Function) -> Flat:
    """Return a function whose results have the dtypes that jax allows: perhaps single precision."""

    def function(leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Array]]:
        outputs, aux = f(leaves, constants)
        return [*map(_allowed, outputs)], [*map(_allowed, aux)]

    return function


def _allowed(y: Array) -> Array:
    xp = array_namespace(y)
    name = str(jax.dtypes.canonicalize_dtype(str(y.dtype).rpartition(".")[2]))
    return cast(xp, y, getattr(xp, name))


def check(found: Leaves, expected: Leaves) -> None:
    """Make sure that results have the shapes and dtypes that jax was told.

    Raises
    ------
    ShapeError
        If they do not.
    """
    for y, like in zip(found, expected, strict=True):
        if y.shape != like.shape or y.dtype != like.dtype:
            message = (
                f"f must return an array of {like.dtype} and shape {like.shape} here, "
                f"got one of {y.dtype} and shape {y.shape}"
            )
            raise ShapeError(message)


def struct(shape: tuple[int, ...], dtype: Any) -> jax.ShapeDtypeStruct:
    """Return a shape with a dtype that jax has."""
    allowed = jax.dtypes.canonicalize_dtype(dtype)
    return jax.ShapeDtypeStruct(shape, allowed)  # type: ignore[no-untyped-call]


def _struct(x: Any) -> jax.ShapeDtypeStruct:
    return struct(tuple(x.shape), x.dtype)


def _key(arrays: Leaves) -> tuple[Any, ...]:
    return tuple((tuple(x.shape), np.dtype(x.dtype)) for x in arrays)
