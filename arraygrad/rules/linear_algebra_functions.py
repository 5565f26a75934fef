"""Derivatives of the standard's linear algebra functions: products, linear in each operand."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.rules.primitives import conj, transposed, unbroadcast

__all__ = ["LINEAR", "MULTILINEAR"]


def _matmul_x1(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array) -> Array:
    """Return g x2ᴴ."""
    x2 = conj(xp, x2)
    if x1.ndim == 2 == x2.ndim:
        return g @ transposed(xp, x2)
    if x2.ndim == 1:
        return g[..., None] * x2
    if x1.ndim == 1:
        return xp.tensordot(g, transposed(xp, x2), axes=g.ndim)
    return unbroadcast(xp, g @ transposed(xp, x2), x1.shape)


def _matmul_x2(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array) -> Array:
    """Return x1ᴴ g; a matrix shared by a batch of others takes one product, not a batch."""
    x1 = conj(xp, x1)
    if x1.ndim == 2 == x2.ndim:
        return transposed(xp, x1) @ g
    if x1.ndim == 1:
        return x1 * g if x2.ndim == 1 else x1[:, None] * g[..., None, :]
    if x2.ndim == 1:
        return xp.tensordot(g, x1, axes=g.ndim)
    if x2.ndim == 2:
        rows = tuple(range(g.ndim - 1))
        return xp.tensordot(x1, g, axes=(rows, rows))
    return unbroadcast(xp, transposed(xp, x1) @ g, x2.shape)


def _vecdot_x1(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """Return conj(g) x2: the product conjugates its first operand."""
    return _vecdot(xp, conj(xp, g), x2, x1, axis)


def _vecdot_x2(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """Return g x1."""
    return _vecdot(xp, g, x1, x2, axis)


def _vecdot(xp: Namespace, g: Array, other: Array, x: Array, axis: int) -> Array:
    """Return the cotangent times the other operand, summed to the shape of `x`."""
    if axis < 0:
        return unbroadcast(xp, xp.expand_dims(g, axis=axis) * other, x.shape)
    shape = (*x.shape[:axis], *x.shape[axis + 1 :], x.shape[axis])  # each counts its own axes
    found = unbroadcast(xp, g[..., None] * xp.moveaxis(other, axis, -1), shape)
    return xp.moveaxis(found, -1, axis)


def _contracted(axes: Any, x1: Array, x2: Array) -> tuple[list[int], list[int]]:
    """Return the contracted axes of both, pairwise, counted from the front."""
    if isinstance(axes, int):
        return list(range(x1.ndim - axes, x1.ndim)), list(range(axes))
    ours, theirs = ([a] if isinstance(a, int) else a for a in axes)
    return [a % x1.ndim for a in ours], [a % x2.ndim for a in theirs]


def _free(x: Array, contracted: list[int]) -> list[int]:
    return [axis for axis in range(x.ndim) if axis not in contracted]


def _tensordot_x1(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array, *, axes: Any = 2) -> Array:
    """Contract the cotangent with the free axes of `x2`; what remains is laid out like `x1`."""
    ours, theirs = _contracted(axes, x1, x2)
    free, others = _free(x1, ours), _free(x2, theirs)
    result = xp.tensordot(g, conj(xp, x2), axes=(list(range(len(free), g.ndim)), others))
    layout = free + [ours[theirs.index(axis)] for axis in sorted(theirs)]
    return xp.permute_dims(result, tuple(layout.index(axis) for axis in range(x1.ndim)))


def _tensordot_x2(xp: Namespace, g: Array, y: Any, x1: Array, x2: Array, *, axes: Any = 2) -> Array:
    """Contract the cotangent with the free axes of `x1`; what remains is laid out like `x2`."""
    ours, theirs = _contracted(axes, x1, x2)
    free, others = _free(x2, theirs), _free(x1, ours)
    result = xp.tensordot(conj(xp, x1), g, axes=(others, list(range(len(others)))))
    layout = [theirs[ours.index(axis)] for axis in sorted(ours)] + free
    return xp.permute_dims(result, tuple(layout.index(axis) for axis in range(x2.ndim)))


# fmt: off
LINEAR = {
    "matrix_transpose": (lambda xp, g, y, x: xp.matrix_transpose(g),),
}
MULTILINEAR = {
    "matmul":           (_matmul_x1,    _matmul_x2),
    "tensordot":        (_tensordot_x1, _tensordot_x2),
    "vecdot":           (_vecdot_x1,    _vecdot_x2),
}
# fmt: on
