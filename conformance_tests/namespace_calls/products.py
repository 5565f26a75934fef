"""Calls of products, which the standard has twice: in its namespace and in `linalg`."""

from collections.abc import Callable
from typing import Any

__all__ = ["products"]

Call = Callable[[Any, Any], Any]


def products(xp_of: Callable[[Any], Any]) -> dict[str, list[Call]]:
    """Return the calls, of the functions in the namespace that `xp_of` gives."""
    return {
        "matmul": [
            lambda xp, a: xp_of(xp).matmul(a.plain(2, 3), a.plain(3, 4)),
            lambda xp, a: xp_of(xp).matmul(a.plain(3), a.plain(3)),
            lambda xp, a: xp_of(xp).matmul(a.plain(2, 2, 3), a.plain(3)),
            lambda xp, a: xp_of(xp).matmul(a(), a(3)),
            lambda xp, a: xp_of(xp).matmul(a(2, 3), a(2, 3)),
        ],
        "matrix_transpose": [
            lambda xp, a: xp_of(xp).matrix_transpose(a(2, 3, 4)),
            lambda xp, a: xp_of(xp).matrix_transpose(a(3)),
        ],
        "tensordot": [
            lambda xp, a: xp_of(xp).tensordot(a.plain(2, 3, 4), a.plain(3, 4)),
            lambda xp, a: xp_of(xp).tensordot(a.plain(2, 3), a.plain(3, 2), axes=1),
            lambda xp, a: xp_of(xp).tensordot(a(2), a(3), axes=0),
            lambda xp, a: xp_of(xp).tensordot(a.plain(2, 3), a.plain(4, 2), axes=((0,), (1,))),
        ],
        "vecdot": [
            lambda xp, a: xp_of(xp).vecdot(a.plain(2, 3), a.plain(3)),
            lambda xp, a: xp_of(xp).vecdot(a.plain(3, 2), a.plain(3, 1), axis=-2),
        ],
    }
