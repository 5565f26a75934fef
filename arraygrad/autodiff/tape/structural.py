"""Quick forms of the functions that move, sum and multiply arrays.

Each maker returns the function for one class; whatever it does not recognise at a glance, it hands
to the general path. A `StructuralRule` holds two maps, written in the standard like the tables.
"""

from collections.abc import Callable
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.record import CONSTANTS, Record
from arraygrad.rules.primitives import set_at

__all__ = ["STRUCTURAL", "StructuralRule", "accumulate"]

_new = object.__new__


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
        rule = StructuralRule(space.raw, pull, push, spreads=False)
        value_of = space.lower_function(name, cls._lower is not None)
        call, bounds = space.call, (int, type(None))

        def function(x: Any, /, *, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
            if type(x) is not cls or type(axis) not in bounds or keepdims and axis is None or more:
                return call(name, x, axis=axis, keepdims=keepdims, **more)
            tape, value = x._tape, x._value
            y = value_of(value, axis=axis, keepdims=keepdims)
            k = tape.next()
            tape.append((rule, k, x._index, value.shape, axis, keepdims))
            o = _new(cls)
            o._value, o._index, o._tape = y, k, tape
            return o

        return function

    return make


# --- products of matrices --------------------------------------------------------------------------


def _dense(g: Array) -> Array:
    """Copy a broadcast view: BLAS cannot walk it."""
    strides = getattr(g, "strides", ())
    return g.copy() if strides and 0 in strides else g


def _pull_left(g: Array, w: Array) -> Array:
    """Return the cotangent of a matrix `x` from that of `x @ w`."""
    return g @ w.T if len(w.shape) == 2 else g[:, None] * w


def _pull_right(g: Array, x: Array) -> Array:
    """Return the cotangent of `w` from that of `x @ w`, for a matrix `x`."""
    return x.T @ g


def _present(r: Record) -> list[int]:
    """Return the numbers of the traced ones of two operands."""
    return [number for number in r[2:4] if number is not None]


class _MatmulRule:
    """The product of a matrix and a matrix or vector: record `(rule, k, i, j, x, w)`.

    The number of a constant operand is `None`.
    """

    masks = False
    spreads = False
    careful = None

    operand_numbers = staticmethod(_present)

    def __init__(self, raw: Namespace, complex: bool) -> None:
        self.raw, self.complex = raw, complex

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back to both matrices."""
        _, _, i, j, x, w = r
        g = _dense(g)
        if i is not None:
            accumulate(ct, own, i, _pull_left(g, self.raw.conj(w) if self.complex else w), True)
        if j is not None:
            accumulate(ct, own, j, _pull_right(g, self.raw.conj(x) if self.complex else x), True)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back to both matrices."""
        _, _, i, j, x, w = r
        for slot, pull, other in ((i, _pull_left, w), (j, _pull_right, x)):
            if slot is not None:
                c, h = pull(g, xp.conj(other) if self.complex else other), ct[slot]
                ct[slot] = c if h is None else h + c

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Push tangents forward: the product rule."""
        _, _, i, j, x, w = r
        dx = None if i is None else tangents[i]
        dw = None if j is None else tangents[j]
        if dx is None:
            return None if dw is None else x @ dw
        return dx @ w if dw is None else dx @ w + x @ dw


def _matmul(cls: Any, space: Any) -> Callable[..., Any]:
    rule, operate = _MatmulRule(space.raw, cls._quick.complex), space.operate

    def matmul(a: Any, b: Any, /) -> Any:
        if type(b) is not cls or type(a) is not cls:
            return operate("matmul", a, b)
        t, s, x, w = a._tape, b._tape, a._value, b._value
        i, j = a._index, b._index
        if s is not t:
            if s is CONSTANTS:
                j = None
            elif t is CONSTANTS:
                t, i = s, None
            else:
                return operate("matmul", a, b)
        if len(x.shape) != 2 or not 0 < len(w.shape) < 3:
            return space.call("matmul", a, b)
        y = x @ w
        k = t.next()
        t.append((rule, k, i, j, x, w))
        o = _new(cls)
        o._value, o._index, o._tape = y, k, t
        return o

    return matmul


# --- moving elements -------------------------------------------------------------------------------


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
        o = _new(cls)
        o._value, o._index, o._tape = y, k, tape
        return o

    return reshape


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
        o = _new(cls)
        o._value, o._index, o._tape = y, k, tape
        return o

    return permute_dims


class _GetitemRule(StructuralRule):
    """Basic indexing: the sweep adds straight into the operand's slot."""

    masks = True

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        _, _, i, shape, key = r
        h = ct[i]
        if h is None:
            h = self.raw.zeros(shape, dtype=g.dtype, device=g.device)
        elif not own[i]:
            h = h.copy()
        h[key] += g
        ct[i] = h
        own[i] = 1


def _pull_getitem(xp: Namespace, g: Array, r: Record) -> Array:
    zeros = xp.zeros(r[3], dtype=g.dtype, device=g.device)
    return set_at(xp, zeros, r[4], g)


def _push_getitem(xp: Namespace, t: Array, r: Record) -> Array:
    return t[r[4]]


_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})


def _is_basic(key: Any) -> bool:
    """Say whether a key names every element at most once: integers, slices, `...`, `None`."""
    if type(key) is tuple:
        return all(type(part) in _BASIC for part in key)
    return type(key) in _BASIC


def _getitem(cls: Any, space: Any) -> Callable[..., Any]:
    rule = _GetitemRule(space.raw, _pull_getitem, _push_getitem)

    def getitem(x: Any, key: Any, /) -> Any:
        if type(x) is not cls or not _is_basic(key):
            return space.call("getitem", x, key)
        tape, value = x._tape, x._value
        y = value[key]
        k = tape.next()
        tape.append((rule, k, x._index, value.shape, key))
        tape.masked = True
        o = _new(cls)
        o._value, o._index, o._tape = y, k, tape
        return o

    return getitem


# --- choosing --------------------------------------------------------------------------------------


class _WhereRule:
    """A choice between arrays of one shape: record `(rule, k, i, j, condition)`.

    The number of a constant is `None`.
    """

    masks = True
    careful = None

    def __init__(self, raw: Namespace) -> None:
        self.raw = raw

    operand_numbers = staticmethod(_present)

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back to both branches."""
        _, _, i, j, condition = r
        if i is not None:
            accumulate(ct, own, i, self.raw.where(condition, g, 0), True)
        if j is not None:
            accumulate(ct, own, j, self.raw.where(condition, 0, g), True)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back to both branches."""
        _, _, i, j, condition = r
        for number, chosen in ((i, (g, 0)), (j, (0, g))):
            if number is not None:
                c, h = xp.where(condition, *chosen), ct[number]
                ct[number] = c if h is None else h + c

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Choose between the tangents."""
        _, _, i, j, condition = r
        chosen = [None if n is None else tangents[n] for n in (i, j)]
        if chosen[0] is None and chosen[1] is None:
            return None
        return xp.where(condition, *(0 if t is None else t for t in chosen))


def _where(truth: Any, space: Any) -> Callable[..., Any]:
    """Return `where` for a condition of class `truth`, and branches of one shape or numbers."""
    rule, general = _WhereRule(space.raw), space.general("where")

    def where(condition: Any, a: Any, b: Any, /) -> Any:
        cls = type(a) if type(a) not in (int, float) else type(b)
        if type(condition) is not truth or not getattr(cls, "_plain_floating", False):
            return general(condition, a, b)
        chosen, shape = condition._value, condition._value.shape
        tape, numbers, values = CONSTANTS, [], []
        for x in (a, b):
            if type(x) is cls:
                if x._tape is not CONSTANTS:
                    if tape is not CONSTANTS and tape is not x._tape:
                        return general(condition, a, b)
                    tape = x._tape
                if x._value.shape != shape:
                    return general(condition, a, b)
                numbers.append(None if x._tape is CONSTANTS else x._index)
                values.append(x._value)
            elif type(x) is float or type(x) is int:
                numbers.append(None)
                values.append(x)
            else:
                return general(condition, a, b)
        y = space.raw.where(chosen, *values)
        k = tape.next()
        tape.masked = True
        tape.append((rule, k, *numbers, chosen))
        o = _new(cls)
        o._value, o._index, o._tape = y, k, tape
        return o

    return where


STRUCTURAL: dict[str, Callable[[Any, Any], Callable[..., Any]]] = {
    "getitem": _getitem,
    "matmul": _matmul,
    "mean": _reduction("mean", _pull_mean, _push_mean),
    "permute_dims": _permute_dims,
    "reshape": _reshape,
    "sum": _reduction("sum", _pull_sum, _push_sum),
}

# For conditions: classes of truth values.
CHOOSING: dict[str, Callable[[Any, Any], Callable[..., Any]]] = {"where": _where}
