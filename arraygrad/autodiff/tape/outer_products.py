"""Outer products of vectors that add up to the cotangent of a matrix: made all at once.

A matrix that multiplies one vector after another, as in the loop of an ODE, gets an outer product
from each. One product of two matrices, whose rows are those vectors, is their sum.

What waits lies in the last slot of a sweep's cotangents: the number of leaves, and by the number of
a leaf its vectors. Only leaves may wait: all else is read before the sweep ends.
"""

from typing import Any, TypeAlias

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.structural import accumulate

__all__ = ["Waiting", "add_outer", "settle"]

Waiting: TypeAlias = tuple[int, dict[int, tuple[list[Array], list[Array], int]]]

_FEW = 1 << 14  # elements that may wait, however small the matrix


def add_outer(
    ct: list[Any], own: bytearray, i: int, xp: Namespace, left: Array, right: Array
) -> None:
    """Add the outer product of two vectors to slot `i`, now or later."""
    number_of_leaves, waiting = ct[-1]
    if i >= number_of_leaves:
        accumulate(ct, own, i, left[:, None] * right, True)
        return
    if i not in waiting:
        rows, columns = left.shape[0], right.shape[0]
        # They take no more memory than the matrix itself, unless that is small.
        waiting[i] = ([], [], max(rows * columns, _FEW) // (rows + columns + 1))
    lefts, rights, room = waiting[i]
    lefts.append(left)
    rights.append(right)
    if len(lefts) > room:
        settle(ct, own, i, xp)


def settle(ct: list[Any], own: bytearray, i: int, xp: Namespace) -> None:
    """Add what waits for slot `i`."""
    lefts, rights, _ = ct[-1][1].pop(i)
    several = len(lefts) > 1
    c = _rows(xp, lefts).T @ _rows(xp, rights) if several else lefts[0][:, None] * rights[0]
    accumulate(ct, own, i, c, True)


def _rows(xp: Namespace, vectors: list[Array]) -> Array:
    """Return the matrix with these rows; quicker than `stack`, which looks at each."""
    return xp.reshape(xp.concat(vectors), (len(vectors), vectors[0].shape[0]))
