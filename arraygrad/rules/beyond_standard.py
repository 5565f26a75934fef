"""Derivatives of functions that many libraries have beyond the standard: NumPy's names.

They are no chapter: a library may lack them. Whatever else NumPy has is spelt with these and with
functions of the standard.
"""

from collections.abc import Callable, Iterator
from functools import cache
from string import ascii_letters
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import conj, unbroadcast
from arraygrad.rules.table import Entry

__all__ = ["EINSUM_OPERANDS", "MULTILINEAR", "entry_beyond"]

EINSUM_OPERANDS = 31
"""How many operands of `einsum` have a rule."""


@cache
def entry_beyond(name: str) -> Entry | None:
    """Return the entry of a function beyond the standard, or `None` if there is none."""
    rules = MULTILINEAR.get(name)
    return None if rules is None else Entry(name, "MULTILINEAR", rules)


# --- sums of products -----------------------------------------------------------------------------


def _einsum(place: int) -> Callable[..., Array]:
    """Return the rule of one operand."""

    def rule(xp: Namespace, g: Array, y: Any, subscripts: str, *operands: Array,
             **options: Any) -> Array:  # fmt: skip
        """Sum products of the cotangent and the other operands, over what is not the operand's."""
        terms, result = _labels(subscripts, operands)
        x, own = operands[place], terms.pop(place)
        others = [conj(xp, other) for n, other in enumerate(operands) if n != place]
        target, extra = _laid_out(xp, x, own, {*result}.union(*terms), g)
        inputs = ",".join([result, *terms, *(labels for labels, _ in extra)])
        arrays = (g, *others, *(array for _, array in extra))
        quick = {"optimize": True} if options.get("optimize") else {}
        return unbroadcast(xp, xp.einsum(f"{inputs}->{target}", *arrays, **quick), x.shape)

    return rule


def _laid_out(
    xp: Namespace, x: Array, own: str, known: set[str], g: Array
) -> tuple[str, list[tuple[str, Array]]]:
    """Return labels for each axis of `x`, and what fills those that no other array has.

    A label that stands twice means a diagonal: all else is 0. One that stands nowhere else was
    summed over: its cotangents are all the same.
    """
    spare = _spare(own, *known)
    target, extra = "", []
    for label, length in zip(own, x.shape, strict=True):
        if label in target:
            label, first = next(spare), label
            extra.append((first + label, xp.eye(length, dtype=g.dtype, device=x.device)))
        elif label not in known:
            extra.append((label, xp.ones(length, dtype=g.dtype, device=x.device)))
        target += label
    return target, extra


def _labels(subscripts: str, operands: tuple[Array, ...]) -> tuple[list[str], str]:
    """Return the labels of each operand's axes and of the result's; none is implied any more."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    if not arrow:
        once = sorted(c for c in {*given} - {*".,"} if given.count(c) == 1)
        result = "..." + "".join(once)
    terms = given.split(",")
    implied = [x.ndim - len(t.replace("...", "")) for x, t in zip(operands, terms, strict=True)]
    spare = _spare(subscripts)
    dots = "".join(next(spare) for _ in range(max(implied)))
    terms = [t.replace("...", dots[len(dots) - n :]) for n, t in zip(implied, terms, strict=True)]
    return terms, result.replace("...", dots)


def _spare(*taken: str) -> Iterator[str]:
    """Yield the labels that are not taken."""
    return (c for c in ascii_letters if not any(c in labels for labels in taken))


# --- convolution ----------------------------------------------------------------------------------


def _convolve_a(xp: Namespace, g: Array, y: Any, a: Array, v: Array, mode: str = "full") -> Array:
    """Correlate with `v`."""
    return _correlated(xp, g, a, v, mode)


def _convolve_v(xp: Namespace, g: Array, y: Any, a: Array, v: Array, mode: str = "full") -> Array:
    """Correlate with `a`."""
    return _correlated(xp, g, v, a, mode)


def _correlated(xp: Namespace, g: Array, x: Array, by: Array, mode: str) -> Array:
    """Fill the cotangent up to that of the full convolution; correlate it with what `x` met."""
    shorter = min(x.shape[0], by.shape[0])
    before = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    after = x.shape[0] + by.shape[0] - 1 - g.shape[0] - before
    edges = (xp.zeros(n, dtype=g.dtype, device=x.device) for n in (before, after))
    full = xp.concat([next(edges), g, next(edges)])
    return xp.convolve(full, xp.flip(conj(xp, by)), mode="valid")


MULTILINEAR: dict[str, tuple[Callable[..., Array] | None, ...]] = {
    "convolve": (_convolve_a, _convolve_v),
    "einsum": (None, *map(_einsum, range(EINSUM_OPERANDS))),
}
