"""Quick forms of `x[key]` and of `x[key] = value`: the sweep reads and writes in the slots.

Keys are basic (integers, slices, `...`, `None`), one mask, or, to be read, one array of integers.
Everything else takes the general path.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from arraygrad._namespace import device_of, is_array
from arraygrad._typing import Array, DType, Namespace
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.record import CONSTANTS, Record
from arraygrad.autodiff.tape.structural import StructuralRule, accumulate, present
from arraygrad.rules.primitives import getitem as getitem_at
from arraygrad.rules.primitives import scatter_add, set_at, unbroadcast
from arraygrad.rules.table import entry_of

__all__ = ["INDEXED"]

_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})


def is_basic(key: Any) -> bool:
    """Say whether a key names every element at most once: integers, slices, `...`, `None`."""
    if type(key) is tuple:
        return all(type(part) in _BASIC for part in key)
    return type(key) in _BASIC


def raw_array(key: Any) -> Array | None:
    """Return the raw value of an array, or of a key that is one; `None` of any other key."""
    while isinstance(key, TracedArray):
        key = key._value
    return key if is_array(key) else None


def _pull(xp: Namespace, g: Array, r: Record) -> Array:
    zeros = xp.zeros(r[3], dtype=g.dtype, device=device_of(g))
    return set_at(xp, zeros, r[4], g)


def _pull_adding(xp: Namespace, g: Array, r: Record) -> Array:
    zeros = xp.zeros(r[3], dtype=g.dtype, device=device_of(g))
    return scatter_add(xp, zeros, r[4], g)


def _push(xp: Namespace, t: Array, r: Record) -> Array:
    return getitem_at(xp, t, r[4])


class _BasicRule(StructuralRule):
    """A basic key: record `(rule, k, i, shape, key)`."""

    masks = True

    def __init__(self, space: Any, pull: Any = _pull) -> None:
        super().__init__(space.raw, pull, _push)
        self.device_of, self.library = space.device_of, space.library

    def slot(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> Array:
        """Return the array in the operand's slot, as one that is ours to write to."""
        h, i = ct[r[2]], r[2]
        if h is None:
            h = self.raw.zeros(r[3], dtype=g.dtype, device=self.device_of(g))
        elif not own[i] or not h.shape:  # a sum of NumPy's 0-d arrays is a scalar
            h = self.raw.asarray(h, copy=True)
        ct[i] = h
        own[i] = 1
        return h

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Add into the operand's slot."""
        key, fresh = r[4], ct[r[2]] is None
        h = self.slot(ct, own, g, r)
        if key is None or (type(key) is tuple and None in key):
            key, g = self._without_new_axes(h, key, g)
        if fresh:
            h[key] = g
        else:
            h[key] += g

    def _without_new_axes(self, h: Array, key: Any, g: Array) -> tuple[Any, Array]:
        """Drop `None` from a key: the standard assigns only without."""
        parts = () if key is None else tuple(part for part in key if part is not None)
        return parts, self.raw.reshape(g, h[parts].shape)


class _MaskRule(_BasicRule):
    """A mask."""

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Add into the operand's slot."""
        fresh = ct[r[2]] is None
        view, at = self.library.places(self.slot(ct, own, g, r), r[4])
        if fresh:
            view[at] = g
        else:
            view[at] += g


class _IntegersRule(_BasicRule):
    """An array of integers, which may name an element several times."""

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Add into the operand's slot."""
        ct[r[2]] = self.library.add_at(self.slot(ct, own, g, r), r[4], g)


def getitem(cls: Any, space: Any) -> Callable[..., Any]:
    """Return `x[key]` for a class."""
    library, general = space.library, space.general("getitem")
    basic, masked = _BasicRule(space), _MaskRule(space)
    integers = None if library.add_at is None else _IntegersRule(space, _pull_adding)
    isdtype, own = space.base.isdtype, library.getitem
    shape_of = None if library.shape_of is None else space.shape_of

    @cache
    def rule_for(dtype: DType) -> _BasicRule | None:
        if isdtype(dtype, "bool"):
            return masked
        return integers if isdtype(dtype, "integral") else None

    def getitem(x: Any, key: Any, /) -> Any:
        if type(x) is not cls:
            return general(x, key)
        tape, value = x._tape, x._value
        rule: _BasicRule | None = basic
        if is_basic(key):
            y = value[key] if own is None else own(value, key)
        else:
            array = raw_array(key)
            rule = rule_for(array.dtype) if array is not None and array.shape else None
            if rule is None:
                return general(x, key)
            key = array
            y = _read(library, value, key) if rule is masked else value[key]
        shape = value.shape if shape_of is None else shape_of(value)
        k = tape.next()
        tape.append((rule, k, x._index, shape, key))
        tape.masked = True
        o = cls()
        o._value, o._index, o._tape = y, k, tape
        return o

    return getitem


def _read(library: Any, value: Array, mask: Array) -> Array:
    """Read at a mask, from a raw array by the library's quickest way."""
    if isinstance(value, TracedArray):
        return value[mask]
    view, at = library.places(value, mask)
    return view[at]


# --- writing --------------------------------------------------------------------------------------

_entry = entry_of("set_at")
assert _entry is not None
_pull_value: Any = _entry.rules[2]


class _Shape:
    """What a pullback may know of a value that was written."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.ndim = shape, len(shape)


class _AssignmentRule:
    """A value written into an array: record `(rule, k, i, j, key, shape of x, of the value)`.

    The number of a constant is `None`.
    """

    masks = True
    spreads = True
    careful = None

    operand_numbers = staticmethod(present)

    def __init__(self, space: Any) -> None:
        self.raw, self.library = space.raw, space.library

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Move the cotangent of what was written to the value; zeros take its place."""
        _, k, i, j, key, _, shape = r
        if i is not None and not own[k]:
            g = self.raw.asarray(g, copy=True)
        basic = is_basic(key)
        view, at = (g, key) if basic else self.library.places(g, key)
        if j is not None:
            c = view[at]
            if c.shape != shape:
                c = unbroadcast(self.raw, c, shape)
            elif basic and i is not None:
                c = self.raw.asarray(c, copy=True)
            accumulate(ct, own, j, c, i is not None)
        if i is not None:
            view[at] = 0
            accumulate(ct, own, i, g, True)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back to the array and to the value."""
        _, _, i, j, key, _, shape = r
        if i is not None:
            self._add(ct, i, set_at(xp, g, key, 0))
        if j is not None:
            self._add(ct, j, _pull_value(xp, g, None, g, key, _Shape(shape)))

    @staticmethod
    def _add(ct: list[Any], number: int, c: Array) -> None:
        ct[number] = c if ct[number] is None else ct[number] + c

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Write the value's tangent into the array's."""
        _, _, i, j, key, shape, _ = r
        t, d = (None if n is None else tangents[n] for n in (i, j))
        if t is None and d is not None:
            t = xp.zeros(shape, dtype=d.dtype, device=device_of(d))
        return None if t is None else set_at(xp, t, key, 0 if d is None else d)


def assignment(cls: Any, space: Any) -> Callable[..., Any]:
    """Return what `x[key] = value` makes of `x`, for a class."""
    rule, general, lower = _AssignmentRule(space), space.general("set_at"), cls._lower
    write = space.base_function("set_at") if lower is None else lower._quick["set_at"]
    isdtype = space.base.isdtype

    def assigned(x: Any, key: Any, value: Any, /) -> Any:
        if type(x) is not cls:
            return general(x, key, value)
        tape, old, i, j, shape = x._tape, x._value, x._index, None, ()
        new = value
        if type(value) is cls:
            new, j, shape = value._value, value._index, value._value.shape
            if tape is CONSTANTS:
                tape, i = value._tape, None
            elif value._tape is CONSTANTS:
                j = None
            elif value._tape is not tape:
                return general(x, key, value)
        elif type(value) is not float and type(value) is not int:
            return general(x, key, value)
        at = key if is_basic(key) else raw_array(key)
        if not old.shape or not fits(at, raw_array(old), shape):
            return general(x, key, value)
        y = write(old, at, new)
        k = tape.next()
        tape.append((rule, k, i, j, at, old.shape, shape))
        tape.masked = True
        o = cls()
        o._value, o._index, o._tape = y, k, tape
        return o

    def fits(key: Any, old: Any, shape: tuple[int, ...]) -> bool:
        """Say whether a key is basic, and names no new axes, or a mask; and the value not wider."""
        if key is None or type(key) is tuple:
            return key is not None and None not in key and len(shape) <= len(old[key].shape)
        if is_basic(key):
            return len(shape) <= len(old.shape) - (type(key) is int)
        if not key.shape or not isdtype(key.dtype, "bool"):
            return False
        return len(shape) <= len(old.shape) - len(key.shape) + 1

    return assigned


INDEXED: dict[str, Callable[[Any, Any], Callable[..., Any]]] = {
    "getitem": getitem,
    "set_at": assignment,
}
