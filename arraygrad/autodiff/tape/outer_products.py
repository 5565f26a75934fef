"""Outer products of vectors that add up to the cotangent of a matrix: made all at once.

A matrix that multiplies one vector after another, as in the loop of an ODE, gets an outer product
from each. One product of two matrices, whose rows are those vectors, is their sum.
"""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.structural import accumulate

__all__ = ["OuterProducts"]

_FEW = 1 << 14  # elements that may wait, however small the matrix


class OuterProducts:
    """Vectors whose outer products are still to be added, by the number of a leaf.

    Of leaves only: all else is read before the sweep ends.
    """

    __slots__ = ("_leaves", "_waiting")

    def __init__(self, leaves: int) -> None:
        self._leaves = leaves
        self._waiting: dict[int, tuple[list[Array], list[Array], int]] = {}

    def add(
        self, ct: list[Any], own: bytearray, i: int, xp: Namespace, left: Array, right: Array
    ) -> None:
        """Add the outer product of two vectors to slot `i`, now or later."""
        if i >= self._leaves:
            accumulate(ct, own, i, left[:, None] * right, True)
            return
        waiting = self._waiting.get(i)
        if waiting is None:
            rows, columns = left.shape[0], right.shape[0]
            # They take no more memory than the matrix itself, unless that is small.
            room = max(rows * columns, _FEW) // (rows + columns + 1)
            waiting = self._waiting[i] = ([], [], room)
        lefts, rights, room = waiting
        lefts.append(left)
        rights.append(right)
        if len(lefts) > room:
            self._settle(ct, own, i, xp)

    def settle(self, ct: list[Any], own: bytearray, xp: Namespace) -> None:
        """Add all that waits."""
        for i in list(self._waiting):
            self._settle(ct, own, i, xp)

    def _settle(self, ct: list[Any], own: bytearray, i: int, xp: Namespace) -> None:
        lefts, rights, _ = self._waiting.pop(i)
        if len(lefts) == 1:
            c = lefts[0][:, None] * rights[0]
        else:
            c = _rows(xp, lefts).T @ _rows(xp, rights)
        accumulate(ct, own, i, c, True)


def _rows(xp: Namespace, vectors: list[Array]) -> Array:
    """Return the matrix with these rows; quicker than `stack`, which looks at each."""
    return xp.reshape(xp.concat(vectors), (len(vectors), vectors[0].shape[0]))
