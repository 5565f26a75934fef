"""Quick forms of the functions of two operands that are not elementwise: `matmul`, `where`.

A record holds the numbers of both, `None` for a constant: `(rule, k, i, j, …)`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.outer_products import add_outer
from arraygrad.autodiff.tape.record import CONSTANTS, Record
from arraygrad.autodiff.tape.structural import accumulate, present
from arraygrad.rules.primitives import unbroadcast, zeros_kept
from arraygrad.rules.table import entry_of

__all__ = ["CHOOSING", "PAIRED", "mixed_product"]


Maker = Callable[[Any, Any], Callable[..., Any]]


# --- products of matrices -------------------------------------------------------------------------


def _dense(g: Array) -> Array:
    """Copy a broadcast view: BLAS cannot walk it."""
    strides = getattr(g, "strides", ())
    return g.copy() if strides and 0 in strides else g


def _pull_left(xp: Namespace, g: Array, w: Array) -> Array:
    """Return the cotangent of a matrix `x` from that of `x @ w`."""
    return g @ w.T if len(w.shape) == 2 else g[:, None] * w


def _pull_right(xp: Namespace, g: Array, x: Array) -> Array:
    """Return the cotangent of `w` from that of `x @ w`, for a matrix `x`."""
    return xp.matmul(g, x) if len(g.shape) == 1 else xp.matmul(x.T, g)


class _MatmulRule:
    """The product of a matrix and a matrix or vector: record `(rule, k, i, j, x, w)`.

    The number of a constant operand is `None`.
    """

    masks = False
    spreads = False
    careful = None

    operand_numbers = staticmethod(present)

    def __init__(self, raw: Namespace, complex: bool) -> None:
        self.raw, self.complex = raw, complex

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back to both matrices."""
        _, _, i, j, x, w = r
        g, raw = _dense(g), self.raw
        if self.complex:
            x, w = raw.conj(x), raw.conj(w)
        if i is not None and len(w.shape) == 1:
            add_outer(ct, own, i, raw, g, w)
        elif i is not None:
            accumulate(ct, own, i, g @ w.T, True)
        if j is not None:
            accumulate(ct, own, j, _pull_right(raw, g, x), True)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back to both matrices."""
        _, _, i, j, x, w = r
        for slot, pull, other in ((i, _pull_left, w), (j, _pull_right, x)):
            if slot is not None:
                c, h = pull(xp, g, xp.conj(other) if self.complex else other), ct[slot]
                ct[slot] = c if h is None else h + c

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Push tangents forward: the product rule."""
        _, _, i, j, x, w = r
        dx = None if i is None else tangents[i]
        dw = None if j is None else tangents[j]
        if dx is None:
            return None if dw is None else xp.matmul(x, dw)
        return dx @ w if dw is None else dx @ w + xp.matmul(x, dw)


class _StackedMatmulRule(_MatmulRule):
    """The product of vectors, or of stacks: the same record, the tables' pullbacks."""

    def _cotangents(self, xp: Namespace, g: Array, r: Record) -> Iterator[tuple[int, Array]]:
        _, _, i, j, x, w = r
        for number, pull in zip((i, j), _matmul_rules, strict=True):
            if number is not None:
                yield number, pull(xp, g, None, x, w)

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back to both."""
        for number, c in self._cotangents(self.raw, _dense(g), r):
            accumulate(ct, own, number, c, True)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back to both."""
        for number, c in self._cotangents(xp, g, r):
            ct[number] = c if ct[number] is None else ct[number] + c


class _RowMatmulRule(_StackedMatmulRule):
    """The product of a vector and a matrix."""

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back to both."""
        _, _, i, j, x, w = r
        g, raw = _dense(g), self.raw
        if self.complex:
            x, w = raw.conj(x), raw.conj(w)
        if i is not None:
            accumulate(ct, own, i, w @ g, True)
        if j is not None:
            add_outer(ct, own, j, raw, x, g)


_entry = entry_of("matmul")
assert _entry is not None
_matmul_rules: tuple[Any, ...] = _entry.rules


def _matmul(cls: Any, space: Any) -> Callable[..., Any]:
    setting, operate = (space.raw, cls._quick.complex), space.operate
    plain, row, stacked = (
        rule(*setting) for rule in (_MatmulRule, _RowMatmulRule, _StackedMatmulRule)
    )
    rules = {(2, 2): plain, (2, 1): plain, (1, 2): row}

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
        y = x @ w
        rule = rules.get((len(x.shape), len(w.shape)), stacked)
        k = t.next()
        t.append((rule, k, i, j, x, w))
        o = cls()
        o._value, o._index, o._tape = y, k, t
        return o

    return matmul


# --- choosing -------------------------------------------------------------------------------------


class _WhereRule:
    """A choice between arrays of one shape: record `(rule, k, i, j, condition)`.

    The number of a constant is `None`.
    """

    masks = True
    careful = None

    def __init__(self, raw: Namespace) -> None:
        self.raw = raw

    operand_numbers = staticmethod(present)

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
        o = cls()
        o._value, o._index, o._tape = y, k, tape
        return o

    return where


# --- products of a complex and a real array ------------------------------------------------------


class _MixedProductRule:
    """A complex array times a real one: record `(rule, k, i, j, z, x, shape of z, of x)`.

    Each is saved for the other's cotangent; the number of a constant is `None`.
    """

    masks = False
    spreads = True

    operand_numbers = staticmethod(present)

    def __init__(self, raw: Namespace) -> None:
        self.raw = raw

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back to both."""
        for number, c in self._cotangents(self.raw, g, r):
            accumulate(ct, own, number, c, True)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back to both."""
        for number, c in self._cotangents(xp, g, r):
            ct[number] = c if ct[number] is None else ct[number] + c

    def careful(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull back, and keep zero cotangents zero."""
        for number, c in self._cotangents(xp, g, r, careful=True):
            ct[number] = c if ct[number] is None else ct[number] + c

    @staticmethod
    def _cotangents(
        xp: Namespace, g: Array, r: Record, *, careful: bool = False
    ) -> Iterator[tuple[int, Array]]:
        _, _, i, j, z, x, shape, real_shape = r
        if i is not None:
            c = zeros_kept(xp, g, g * x) if careful else g * x
            yield i, unbroadcast(xp, c, shape)
        if j is not None:
            # The real part of g conj(z), without the imaginary one.
            c = xp.real(g) * xp.real(z) + xp.imag(g) * xp.imag(z)
            c = zeros_kept(xp, g, c) if careful else c
            yield j, unbroadcast(xp, c, real_shape)

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Push tangents forward: the product rule."""
        _, _, i, j, z, x, _, _ = r
        dz, dx = (None if n is None else tangents[n] for n in (i, j))
        if dz is None:
            return None if dx is None else z * dx
        return dz * x if dx is None else dz * x + z * dx


def mixed_product(cls: Any, space: Any, operate: Callable[..., Any]) -> Callable[..., Any]:
    """Return what multiplies arrays of two classes, one complex and one real, or `operate`s."""
    rule, real_part = _MixedProductRule(space.raw), space.base.real

    def multiply(name: str, a: Any, b: Any) -> Any:
        other = type(b) if type(a) is cls else type(a)
        if not getattr(other, "_plain_floating", False) or not cls._plain_floating:
            return operate(name, a, b)
        if cls._quick.complex is other._quick.complex:
            return operate(name, a, b)
        z, x = (a, b) if type(a)._quick.complex else (b, a)
        tape = x._tape if z._tape is CONSTANTS else z._tape
        i = None if z._tape is CONSTANTS else z._index
        j = None if x._tape is CONSTANTS else x._index
        same = z._tape is x._tape or i is None or j is None
        if not same or real_part(z._value).dtype != x._value.dtype:
            return operate(name, a, b)
        y = a._value * b._value
        saved = None if j is None else z._value, None if i is None else x._value
        k = tape.next()
        tape.append((rule, k, i, j, *saved, z._value.shape, x._value.shape))
        o = type(z)()
        o._value, o._index, o._tape = y, k, tape
        return o

    return multiply


PAIRED: dict[str, Maker] = {"matmul": _matmul}

# For conditions: classes of truth values.
CHOOSING: dict[str, Maker] = {"where": _where}
