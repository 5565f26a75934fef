"""What jax's primitive calls: a function, its tangent, or its pullback, with their shapes."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from arraygrad._namespace import array_namespace, cast
from arraygrad._tree import flatten
from arraygrad._typing import Array, Leaves, Pullback
from arraygrad.bridges._border import Border, carried, dtype_name
from arraygrad.bridges._flat import Flat, Function, chosen, parted, pulled, pushed
from arraygrad.errors import ShapeError
from arraygrad.libraries import library_of

__all__ = ["Node", "Pulled", "Tangent", "Value", "check", "struct"]

Shapes: TypeAlias = tuple[list[jax.ShapeDtypeStruct], list[jax.ShapeDtypeStruct]]
"""Of the outputs, and of aux."""

Record: TypeAlias = tuple[Leaves, Pullback]
"""The concrete arrays of a call, and its pullback: it spares the second run."""


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

    def record(self, arrays: Leaves, wanted: Sequence[bool]) -> tuple[list[jax.Array], Record]:
        """Call the function on concrete arrays, and keep its pullback to the leaves wanted."""
        leaves, constants = self._parted(arrays)
        active, passive = parted(leaves, wanted)
        f = chosen(self.flat, wanted)
        outputs, aux, pullback = self.border.record(f, active, [*passive, *constants])
        self.learn(arrays, outputs, aux)
        return [*outputs, *aux], (arrays, pullback)

    def nonlinear(self, arrays: Leaves) -> list[Any]:
        """Return the arrays without those in which the function is linear."""
        return [*arrays[: self.linear.start], *arrays[self.linear.stop :]]

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


class Tangent(Node):
    """The tangent of a node: of its leaves, and tangents of those wanted.

    All leaves stay leaves: an outer transformation may want what this one does not.
    """

    def __init__(self, of: Node, wanted: Sequence[bool], record: Record | None = None) -> None:
        count = of.count + sum(wanted)
        flat = pushed(of.flat, of.border.inner, wanted)
        super().__init__(flat, of.border, count, vectorized=of.vectorized)
        self.linear = range(of.count, count)
        self._of, self._wanted, self._record = of, wanted, record

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return those of the outputs."""
        return self._of.shapes(self.nonlinear(arrays))[0], []

    def transpose(self, cotangents: int) -> Node:
        """Return the pullback."""
        return Pulled(self._of, self._wanted, cotangents, self._record)


class Pulled(Node):
    """The pullback of a node to the leaves that are wanted: of all leaves, and the cotangents."""

    def __init__(
        self, of: Node, wanted: Sequence[bool], cotangents: int, record: Record | None
    ) -> None:
        count = of.count + cotangents
        flat = pulled(of.flat, of.border.inner, wanted)
        super().__init__(flat, of.border, count, vectorized=of.vectorized)
        self.linear = range(of.count, count)
        self._of, self._wanted, self._record = of, wanted, record

    def shapes(self, arrays: Leaves) -> Shapes:
        """Return those of the leaves that are wanted."""
        active, _ = parted(arrays[: self._of.count], self._wanted)
        return [*map(_struct, active)], []

    def transpose(self, cotangents: int) -> Node:
        """Return the tangent."""
        return Tangent(self._of, self._wanted, self._record)

    def evaluate(self, arrays: Leaves) -> list[jax.Array]:
        """Pull back, by the record if it is one of these very arrays."""
        if self._record is not None:
            recorded, pullback = self._record
            pairs = zip(recorded, self.nonlinear(arrays), strict=True)
            if all(x is y for x, y in pairs):
                return pullback(arrays[self.linear.start : self.linear.stop])
        return super().evaluate(arrays)


def _as_jax_has_it(f: Function) -> Flat:
    """Return a function whose results have the dtypes that jax allows: perhaps single precision."""

    def function(leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Array]]:
        outputs, aux = f(leaves, constants)
        return [*map(_allowed, outputs)], [*map(_allowed, aux)]

    return function


def _allowed(y: Array) -> Array:
    xp = array_namespace(y)
    name = str(jax.dtypes.canonicalize_dtype(dtype_name(y)))
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
