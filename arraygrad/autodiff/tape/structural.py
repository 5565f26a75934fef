"""Quick forms of the functions that move and sum the elements of one array.

Each maker returns the function for one class; whatever it does not recognise at a glance, it hands
to the general path. A `StructuralRule` holds two maps, written in the standard like the tables.
"""

from collections.abc import Callable
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.record import Record
from arraygrad.rules.table import entry_of

__all__ = ["STRUCTURAL", "StructuralRule", "accumulate", "present"]


def accumulate(ct: list[Any], own: bytearray, i: int, c: Array, owned: bool) -> None:
    """Add a cotangent to a slot; in place if the slot's array is ours alone."""
    h = ct[i]
    if h is None:
        ct[i] = c
        own[i] = owned
    elif own[i]:
        h += c
        ct[i] = h
    else:
        ct[i] = h + c
        own[i] = 1


def present(r: Record) -> list[int]:
    """Return the numbers of the traced ones of two operands."""
    return [number for number in r[2:4] if number is not None]


class StructuralRule:
    """A rule with one traced operand: `pull(xp, g, r)` and `push(xp, t, r)`."""

    masks = False
    careful = None  # linear: zeros stay zero

    def __init__(
        self,
        raw: Namespace,
        pull: Callable[[Namespace, Array, Record], Array],
        push: Callable[[Namespace, Array, Record], Array],
        *,
        owns: bool = False,
        spreads: bool = True,
    ) -> None:
        self.raw, self.pull, self.push, self.owns, self.spreads = raw, pull, push, owns, spreads

    @staticmethod
    def operand_numbers(r: Record) -> tuple[int]:
        """Return the number of the operand."""
        return (r[2],)

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back."""
        accumulate(ct, own, r[2], self.pull(self.raw, g, r), self.owns)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back."""
        c, h = self.pull(xp, g, r), ct[r[2]]
        ct[r[2]] = c if h is None else h + c

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Push a tangent forward."""
        t = tangents[r[2]]
        return None if t is None else self.push(xp, t, r)


# --- sums ----------------------------------------------------------------------------------------


def _kept_shape(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    axis %= len(shape)
    return (*shape[:axis], 1, *shape[axis + 1 :])


def _pull_sum(xp: Namespace, g: Array, r: Record) -> Array:
    _, _, _, shape, axis, _ = r
    if axis is not None:
        g = xp.reshape(g, _kept_shape(shape, axis))
    return xp.broadcast_to(g, shape)


def _push_sum(xp: Namespace, t: Array, r: Record) -> Array:
    return xp.sum(t, axis=r[4], keepdims=r[5])


def _pull_mean(xp: Namespace, g: Array, r: Record) -> Array:
    shape, axis = r[3], r[4]
    count = 1
    for length in shape if axis is None else (shape[axis],):
        count *= length
    return _pull_sum(xp, g / count if count else g, r)


def _push_mean(xp: Namespace, t: Array, r: Record) -> Array:
    return xp.mean(t, axis=r[4], keepdims=r[5])


def _reduction(name: str, pull: Any, push: Any) -> Callable[[Any, Any], Callable[..., Any]]:
    def make(cls: Any, space: Any) -> Callable[..., Any]:
        if space.library.shape_of is not None:  # the general record keeps more than a shape
            general: Callable[..., Any] = space.general(name)
            return general
        rule = StructuralRule(space.raw, pull, push, spreads=False)
        value_of = space.lower_function(name, cls._lower is not None)
        call, bounds = space.call, (int, type(None))

        def function(x: Any, /, *, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
            if (
                type(x) is not cls
                or type(axis) not in bounds
                or (keepdims and axis is None)
                or more
            ):
                return call(name, x, axis=axis, keepdims=keepdims, **more)
            tape, value = x._tape, x._value
            y = value_of(value, axis=axis, keepdims=keepdims)
            k = tape.next()
            tape.append((rule, k, x._index, value.shape, axis, keepdims))
            o = cls()
            o._value, o._index, o._tape = y, k, tape
            return o

        return function

    return make


class _ExtremumRule(StructuralRule):
    """The largest or smallest elements: record `(rule, k, i, x, y, axis, keepdims)`."""

    masks = True
    surely_finite: Callable[[Array], bool] | None = None

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back; where there are no ties, there is nothing to share."""
        _, _, i, x, y, axis, _ = r
        if axis in (-1, len(x.shape) - 1) and self.surely_finite is not None:
            raw = self.raw
            extreme = raw.reshape(x == y.reshape(_kept_shape(x.shape, axis)), (-1,))
            (places,) = raw.nonzero(extreme)
            # No row is without an extremum, so that as many as there are rows are one in each.
            if places.size == y.size and self.surely_finite(y):
                c = raw.zeros(extreme.shape, dtype=g.dtype)
                c[places] = g.reshape((-1,))
                accumulate(ct, own, i, raw.reshape(c, x.shape), True)
                return
        super().reverse(ct, own, g, r)


def _extremum(name: str) -> Callable[[Any, Any], Callable[..., Any]]:
    entry = entry_of(name)
    assert entry is not None
    share = entry.rules[0]

    def pull(xp: Namespace, g: Array, r: Record) -> Array:
        _, _, _, x, y, axis, keepdims = r
        shared: Array = share(xp, g, y, x, axis=axis, keepdims=keepdims)  # type: ignore[misc]
        return shared

    def push(xp: Namespace, t: Array, r: Record) -> Array:
        shares = pull(xp, xp.ones_like(r[4]), r)
        return xp.sum(shares * t, axis=r[5], keepdims=r[6])

    def make(cls: Any, space: Any) -> Callable[..., Any]:
        rule = _ExtremumRule(space.raw, pull, push, owns=True)
        rule.surely_finite = space.library.surely_finite
        value_of = space.lower_function(name, cls._lower is not None)
        call, bounds = space.call, (int, type(None))

        def function(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
            if type(x) is not cls or type(axis) not in bounds:
                return call(name, x, axis=axis, keepdims=keepdims)
            tape, value = x._tape, x._value
            y = value_of(value, axis=axis, keepdims=keepdims)
            k = tape.next()
            tape.append((rule, k, x._index, value, y, axis, keepdims))
            tape.masked = True
            o = cls()
            o._value, o._index, o._tape = y, k, tape
            return o

        return function

    return make


# --- moving elements ------------------------------------------------------------------------------


def _pull_reshape(xp: Namespace, g: Array, r: Record) -> Array:
    return xp.reshape(g, r[3])


def _push_reshape(xp: Namespace, t: Array, r: Record) -> Array:
    return xp.reshape(t, r[4])


def _reshape(cls: Any, space: Any) -> Callable[..., Any]:
    rule = StructuralRule(space.raw, _pull_reshape, _push_reshape)
    value_of = space.lower_function("reshape", cls._lower is not None)

    def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
        if type(x) is not cls or type(shape) is not tuple or copy is not None:
            return space.call("reshape", x, shape, copy=copy)
        tape, value = x._tape, x._value
        y = value_of(value, shape)
        k = tape.next()
        tape.append((rule, k, x._index, value.shape, y.shape))
        o = cls()
        o._value, o._index, o._tape = y, k, tape
        return o

    return reshape


def _reshaping(name: str) -> Callable[[Any, Any], Callable[..., Any]]:
    """Return the maker of a function that keeps the order of elements: a reshape."""

    def make(cls: Any, space: Any) -> Callable[..., Any]:
        general: Callable[..., Any] = space.general(name)
        if space.library.shape_of is not None:  # the general record keeps more than a shape
            return general
        rule = StructuralRule(space.raw, _pull_reshape, _push_reshape)
        value_of = space.lower_function(name, cls._lower is not None)

        def function(x: Any, /, *arguments: Any, **keywords: Any) -> Any:
            if type(x) is not cls:
                return general(x, *arguments, **keywords)
            tape, value = x._tape, x._value
            y = value_of(value, *arguments, **keywords)
            k = tape.next()
            tape.append((rule, k, x._index, value.shape, y.shape))
            o = cls()
            o._value, o._index, o._tape = y, k, tape
            return o

        return function

    return make


def _pull_transpose(xp: Namespace, g: Array, r: Record) -> Array:
    return xp.permute_dims(g, r[3])


def _push_transpose(xp: Namespace, t: Array, r: Record) -> Array:
    return xp.permute_dims(t, r[4])


def _permute_dims(cls: Any, space: Any) -> Callable[..., Any]:
    rule = StructuralRule(space.raw, _pull_transpose, _push_transpose)
    value_of = space.lower_function("permute_dims", cls._lower is not None)

    def permute_dims(x: Any, /, axes: Any) -> Any:
        if type(x) is not cls:
            return space.call("permute_dims", x, axes)
        tape, value = x._tape, x._value
        y = value_of(value, axes)
        n = len(y.shape)
        forth = tuple(axis % n for axis in axes)
        back = tuple(sorted(range(n), key=forth.__getitem__))
        k = tape.next()
        tape.append((rule, k, x._index, back, forth))
        o = cls()
        o._value, o._index, o._tape = y, k, tape
        return o

    return permute_dims


STRUCTURAL: dict[str, Callable[[Any, Any], Callable[..., Any]]] = {
    "expand_dims": _reshaping("expand_dims"),
    "max": _extremum("max"),
    "mean": _reduction("mean", _pull_mean, _push_mean),
    "min": _extremum("min"),
    "permute_dims": _permute_dims,
    "reshape": _reshape,
    "squeeze": _reshaping("squeeze"),
    "sum": _reduction("sum", _pull_sum, _push_sum),
}
