"""The general rule: backwards and forwards through any function of the tables.

A record is `(rule, k, operands, y, arguments, keywords)`.
`operands` says where the traced operands stood: `((position, number), …)`, the position of an
array in a list of arrays being `(position, place)`. A function that is linear keeps no values,
just `Shaped` stand-ins.
"""

import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any

from arraygrad._namespace import is_complex, real_dtype
from arraygrad._typing import Array, DType, Namespace
from arraygrad.autodiff.tape.record import Record, Tape
from arraygrad.autodiff.tape.recording import Recording
from arraygrad.autodiff.tape.structural import accumulate
from arraygrad.rules.primitives import unbroadcast, zeros_kept
from arraygrad.rules.table import Entry

__all__ = ["PART", "GeneralRule", "Shaped", "filled", "stand_in"]

# Functions that leave zero cotangents beside others: what was selected, and what was not.
_MASKING = frozenset(
    "clip getitem linalg.diagonal linalg.trace max maximum min minimum scatter_add set_at sort take"
    " take_along_axis tril triu where".split()
)
# Functions that mix elements: the zeros of a cotangent do not survive their pullback.
_MIXING = frozenset("matmul mean prod std sum tensordot var vecdot cumulative_sum".split())


class Shaped:
    """What a rule of a linear function may know of an operand: all but its values."""

    __slots__ = ("device", "dtype", "shape")

    def __init__(self, x: Array, space: Any) -> None:
        self.shape: tuple[int, ...] = space.shape_of(x)
        self.dtype: DType = x.dtype
        self.device = space.device_of(x)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for length in self.shape:
            size *= length
        return size


def stand_in(x: Any, space: Any) -> Any:
    """Return the stand-in of an operand: an array, or a list of arrays."""
    if isinstance(x, (list, tuple)):
        return [stand_in(part, space) for part in x]
    return Shaped(x, space) if hasattr(x, "shape") else x


class GeneralRule:
    """The rule of one function of the tables, in every situation."""

    def __init__(self, entry: Entry, space: Any, *, complex: bool = False) -> None:
        self.entry, self.space = entry, space
        replaced = complex and entry.not_holomorphic is not None
        self.rules: tuple[Any, ...] = (entry.not_holomorphic or ()) if replaced else entry.rules
        self.kind = "PULLBACKS" if replaced else entry.kind
        self.takes = tuple(rule is not None for rule in self.rules)
        self.masks = entry.name in _MASKING
        self.spreads = entry.name not in _MIXING
        self.careful = self._careful if self.kind == "DERIVATIVES" else None

    @staticmethod
    def operand_numbers(r: Record) -> list[int]:
        """Return the numbers of a record's traced operands."""
        return [number for _, number in r[2]]

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Pull a raw cotangent back; what a rule returns may be a view, so it is not owned."""
        for number, c in self._cotangents(g, r, self.space.raw, careful=False):
            accumulate(ct, own, number, c, False)

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull any cotangent back."""
        self._add(ct, self._cotangents(g, r, xp, careful=False))

    def _careful(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Pull back, and keep zero cotangents zero."""
        self._add(ct, self._cotangents(g, r, xp, careful=True))

    @staticmethod
    def _add(ct: list[Any], cotangents: Iterator[tuple[int, Array]]) -> None:
        for number, c in cotangents:
            h = ct[number]
            ct[number] = c if h is None else h + c

    def _cotangents(
        self, g: Array, r: Record, xp: Namespace, *, careful: bool
    ) -> Iterator[tuple[int, Array]]:
        operands, y, arguments, keywords = self._seen(xp, r)
        g = filled(xp, g, y)
        lists: dict[int, Any] = {}
        joint = self.entry.joint if len(operands) > 1 else None
        together = joint(xp, g, y, *arguments, **keywords) if joint else None
        for position, number in operands:
            if together is not None:
                c, x = together[position], arguments[position]
            elif isinstance(position, tuple):
                place, n = position
                if place not in lists:
                    lists[place] = self.pull(xp, place, g, y, arguments, keywords)
                c, x = lists[place][n], arguments[place][n]
            elif self.kind == "DERIVATIVES":
                c, x = self._scaled(xp, position, g, y, arguments, careful), arguments[position]
            else:
                c, x = self.pull(xp, position, g, y, arguments, keywords), arguments[position]
            yield number, cast(xp, c, x.dtype)

    def _seen(self, xp: Namespace, r: Record) -> Record:
        """Return a record's rest as a namespace takes it: the traced one wants arrays lifted."""
        _, _, operands, y, arguments, keywords = r
        if xp is self.space:
            y, arguments = self.space.lift_all(y), self.space.lift_all(list(arguments))
        return operands, y, arguments, keywords

    def pull(
        self, xp: Namespace, position: int, g: Array, y: Any, arguments: Any, keywords: Any
    ) -> Any:
        """Return one operand's cotangent."""
        return self.rules[position](xp, g, y, *arguments, **keywords)

    def _scaled(
        self, xp: Namespace, position: int, g: Array, y: Array, arguments: Any, careful: bool
    ) -> Array:
        d = self._derivative(xp, position, y, arguments)
        if type(d) in (int, float):  # no scalar of NumPy's, which is a float too
            c = g if d == 1 else g * d
        else:
            c = g * (xp.conj(d) if self.space.is_complex(d.dtype) else d)
            if careful:
                c = zeros_kept(xp, g, c)
        return unbroadcast(xp, c, arguments[position].shape)

    def _derivative(self, xp: Namespace, position: int, y: Array, arguments: Any) -> Any:
        """Return dy/dx in the precision of `y`: a constant beside `x` may have a lower one."""
        if len(self.rules) > 1:
            arguments = [_as_precise(xp, x, y.dtype) for x in arguments]
        return self.rules[position](xp, y, *arguments)

    # --- forwards ------------------------------------------------------------------------------

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Push tangents forward."""
        operands, y, arguments, keywords = self._seen(xp, r)
        known = [(p, tangents[number]) for p, number in operands if tangents[number] is not None]
        if not known:
            return None
        if self.kind == "LINEAR":
            return self._push_linear(xp, known, arguments, keywords)
        push: Callable[..., Array] = {
            "DERIVATIVES": self._push_scaled,
            "MULTILINEAR": self._push_one,
        }.get(self.kind, self._push_transposed)
        parts = [push(xp, p, t, y, arguments, keywords) for p, t in known]
        if isinstance(y, tuple):
            return [functools.reduce(operator.add, column) for column in zip(*parts, strict=True)]
        return cast(xp, functools.reduce(operator.add, parts), y.dtype)

    def _push_linear(self, xp: Namespace, known: Any, arguments: Any, keywords: Any) -> Array:
        """Apply the function to the tangents, zeros where there is none."""
        given = dict(known)
        moved = [
            _tangent(xp, x, place, given) if place < len(self.takes) and self.takes[place] else x
            for place, x in enumerate(arguments)
        ]
        return self.space.evaluate(xp, self.entry.name, moved, keywords)

    def _push_scaled(
        self, xp: Namespace, position: int, t: Array, y: Array, arguments: Any, keywords: Any
    ) -> Array:
        d = self._derivative(xp, position, y, arguments)
        scaled = t if isinstance(d, int) and d == 1 else t * d
        return xp.broadcast_to(scaled, y.shape) if scaled.shape != y.shape else scaled

    def _push_one(
        self, xp: Namespace, position: int, t: Array, y: Array, arguments: Any, keywords: Any
    ) -> Array:
        """Replace one operand of a multilinear function by its tangent."""
        moved = [t if n == position else x for n, x in enumerate(arguments)]
        return self.space.evaluate(xp, self.entry.name, moved, keywords)

    def _push_transposed(
        self, xp: Namespace, position: Any, t: Array, y: Array, arguments: Any, keywords: Any
    ) -> Array:
        """Transpose the function's own pullback, which is linear."""
        several = isinstance(y, tuple)

        def pullback(leaves: Any, constants: Any) -> tuple[list[Array], list[Any]]:
            space = self.space
            lifted = space.lift_all(list(arguments))
            g = leaves if several else leaves[0]
            c = self.pull(space, position, g, space.lift_all(y), lifted, keywords)
            return [cast(space, c, arguments[position].dtype)], []

        zeros = [xp.zeros_like(part) for part in (y if several else (y,))]
        moved = Recording(self.space, Tape(len(zeros)), pullback, zeros, [], once=True).pull([t])
        return moved if several else moved[0]


class _PartRule:
    """One result of a function that has several: record `(rule, number, k, n, how many)`.

    The slot of the function itself, `k`, holds a list: of cotangents, or of tangents.
    """

    masks = False
    spreads = True
    careful = None

    @staticmethod
    def operand_numbers(r: Record) -> tuple[int]:
        """Return the number of the function."""
        return (r[2],)

    def reverse(self, ct: list[Any], own: bytearray, g: Array, r: Record) -> None:
        """Put the cotangent into its place among the others."""
        _, _, k, n, count = r
        if ct[k] is None:
            ct[k] = [None] * count
        ct[k][n] = g

    def plain(self, ct: list[Any], own: bytearray, g: Array, r: Record, xp: Namespace) -> None:
        """Put the cotangent into its place among the others."""
        self.reverse(ct, own, g, r)

    def forward(self, tangents: list[Any], r: Record, xp: Namespace) -> Array | None:
        """Take the tangent from its place."""
        return None if tangents[r[2]] is None else tangents[r[2]][r[3]]


PART = _PartRule()


def filled(xp: Namespace, g: Any, y: Any) -> Any:
    """Return the cotangents of all results, zeros where there is none."""
    if not isinstance(g, list):
        return g
    return [xp.zeros_like(part) if c is None else c for c, part in zip(g, y, strict=True)]


def _tangent(xp: Namespace, x: Any, place: Any, given: dict[Any, Array]) -> Any:
    """Return the tangent that stands at a place, zeros if there is none."""
    if isinstance(x, list):
        return [_tangent(xp, part, (place, n), given) for n, part in enumerate(x)]
    if place in given:
        return given[place]
    if isinstance(x, Shaped):
        return xp.zeros(x.shape, dtype=x.dtype, device=x.device)
    return 0 if isinstance(x, (int, float, complex)) else x


def _as_precise(xp: Namespace, x: Any, dtype: DType) -> Any:
    """Return an operand in a result's precision: integers would overflow where it is not used."""
    if getattr(x, "dtype", dtype) == dtype:
        return x
    dtype = dtype if is_complex(xp, x.dtype) else real_dtype(xp, dtype)
    return x if x.dtype == dtype else xp.astype(x, dtype)


def cast(xp: Namespace, c: Array, dtype: DType) -> Array:
    """Return a cotangent in its operand's dtype: the real part, where that is real."""
    if c.dtype == dtype:
        return c
    if is_complex(xp, c.dtype) and not is_complex(xp, dtype):
        c = xp.real(c)
    return c if c.dtype == dtype else xp.astype(c, dtype)
