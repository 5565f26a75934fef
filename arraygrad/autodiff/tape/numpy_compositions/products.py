"""Products of all kinds, and what is made of powers."""

from string import ascii_lowercase, ascii_uppercase
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import Function, as_array
from arraygrad.autodiff.tape.numpy_compositions.integers import integers, is_integer, places_of
from arraygrad.errors import NoRuleError
from arraygrad.rules.beyond_standard import EINSUM_OPERANDS

__all__ = ["FUNCTIONS"]


def inner(xp: Namespace, a: Any, b: Any, /) -> Array:
    """Sum products over the last axes."""
    a, b = as_array(xp, a), as_array(xp, b)
    if not a.ndim or not b.ndim:
        return xp.multiply(a, b)
    return xp.tensordot(a, b, axes=([a.ndim - 1], [b.ndim - 1]))


def outer(xp: Namespace, a: Any, b: Any) -> Array:
    """Return all products of two arrays' elements."""
    return xp.multiply(as_array(xp, a).reshape(-1, 1), as_array(xp, b).reshape(1, -1))


def kron(xp: Namespace, a: Any, b: Any) -> Array:
    """Return the Kronecker product."""
    a, b = as_array(xp, a), as_array(xp, b)
    ndim = max(a.ndim, b.ndim)
    left, right = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    a = xp.reshape(a, tuple(n for length in left for n in (length, 1)))
    b = xp.reshape(b, tuple(n for length in right for n in (1, length)))
    return xp.reshape(a * b, tuple(m * n for m, n in zip(left, right, strict=True)))


def cross(xp: Namespace, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
           axis: int | None = None) -> Array:  # fmt: skip
    """Return the cross products of vectors in space."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = xp.moveaxis(as_array(xp, a), axisa, -1), xp.moveaxis(as_array(xp, b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        message = "numpy.cross has a derivative rule for vectors of length 3 only"
        raise NoRuleError(message)
    left = xp.roll(a, -1, axis=-1) * xp.roll(b, 1, axis=-1)
    right = xp.roll(a, 1, axis=-1) * xp.roll(b, -1, axis=-1)
    return xp.moveaxis(left - right, -1, axisc)


def tensordot(xp: Namespace, a: Any, b: Any, axes: Any = 2) -> Array:
    """Sum products over axes; these may be negative."""
    a, b = as_array(xp, a), as_array(xp, b)
    if is_integer(axes):
        return xp.tensordot(a, b, axes=integers(axes)[0])
    pairs = zip((a, b), axes, strict=True)
    return xp.tensordot(a, b, axes=tuple([list(places_of(n, x.ndim)) for x, n in pairs]))


def einsum(xp: Namespace, *operands: Any, dtype: Any = None, optimize: Any = False,
           order: str = "K", casting: str = "safe") -> Array:  # fmt: skip
    """Sum products of elements, as subscripts say."""
    spelt = isinstance(operands[0], str)
    subscripts, *given = operands if spelt else _subscripts(*operands)
    if len(given) > EINSUM_OPERANDS:
        message = f"numpy.einsum has a derivative rule for {EINSUM_OPERANDS} operands at most"
        raise NoRuleError(message)
    arrays = [as_array(xp, x) for x in given]
    if dtype is not None:
        arrays = [xp.astype(x, dtype) for x in arrays]
    return xp.call("einsum", subscripts, *arrays, **({"optimize": optimize} if optimize else {}))


def _subscripts(*given: Any) -> list[Any]:
    """Return lists of numbers, which stand behind their arrays, as letters before them."""
    *pairs, result = given if len(given) % 2 else (*given, None)
    terms = ",".join(map(_letters, pairs[1::2]))
    return [terms if result is None else f"{terms}->{_letters(result)}", *pairs[::2]]


def _letters(labels: Any) -> str:
    return "".join("..." if n is Ellipsis else _IN_ORDER[n] for n in labels)


_IN_ORDER = ascii_uppercase + ascii_lowercase  # the order of results that are not spelt out


def convolve(xp: Namespace, a: Any, v: Any, mode: str = "full") -> Array:
    """Convolve two sequences."""
    a, v = (xp.reshape(x, (-1,)) if x.ndim == 0 else x for x in (as_array(xp, a), as_array(xp, v)))
    return xp.call("convolve", a, v, mode)


def correlate(xp: Namespace, a: Any, v: Any, mode: str = "valid") -> Array:
    """Correlate two sequences."""
    a, v = as_array(xp, a), as_array(xp, v)
    if a.size < v.size:
        return xp.flip(correlate(xp, v, a, mode).conj())
    return convolve(xp, a, xp.flip(v).conj(), mode)


def vander(xp: Namespace, x: Any, N: int | None = None, increasing: bool = False) -> Array:
    """Return powers of elements, side by side."""
    x = as_array(xp, x)
    count = x.shape[0] if N is None else N
    factors = xp.broadcast_to(x[:, None], (x.shape[0], max(count - 1, 0)))
    powers = xp.cumulative_prod(factors, axis=1, include_initial=True)[:, :count]
    return powers if increasing else xp.flip(powers, axis=1)


def polyval(xp: Namespace, p: Any, x: Any) -> Array:
    """Return a polynomial's values: the highest power first."""
    p, x = as_array(xp, p), as_array(xp, x)
    y = xp.zeros_like(x)
    for coefficient in xp.unstack(p):
        y = y * x + coefficient
    return y


FUNCTIONS: dict[str, Function] = {
    "convolve": convolve,
    "correlate": correlate,
    "cross": cross,
    "einsum": einsum,
    "inner": inner,
    "kron": kron,
    "outer": outer,
    "polyval": polyval,
    "tensordot": tensordot,
    "vander": vander,
    "vdot": lambda xp, a, b: xp.vecdot(as_array(xp, a).ravel(), as_array(xp, b).ravel()),
}
