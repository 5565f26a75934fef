"""Many small leaves as one flat array: a kernel walks over all of them at once.

The leaves that a step returns are views of flat arrays, which remember what they were cut into.
When they come back, nothing need be gathered but the gradients. Leaves that come back changed,
or in another order, are gathered anew.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import prod
from operator import attrgetter, itemgetter
from typing import Any

from arraygrad._typing import Array

__all__ = ["Pack", "gathered", "small"]

_SMALL = 32_768
"""Elements: a leaf that is larger walks alone."""

_MANY = 4
"""Leaves: fewer walk alone."""

_base_of = attrgetter("base")
_dtype_of = attrgetter("dtype")
_shape_of = attrgetter("shape")


@lru_cache(maxsize=1)
def _flat_class() -> Any:
    """Return the class of flat arrays: NumPy's, with room for what they were cut into."""
    import numpy as np

    class Flat(np.ndarray):
        """The memory of many leaves."""

        pack: "Pack"

    return Flat


class Pack:
    """Where the leaves of one flat array stand, and how they are cut from it."""

    def __init__(self, places: Sequence[int], shapes: Sequence[tuple[int, ...]], dtype: Any):
        self.places, self.shapes, self.dtype = list(places), list(shapes), dtype
        *starts, self.size = accumulate(map(prod, shapes), initial=0)
        self.offsets = [start * dtype.itemsize for start in starts]
        self._take: Any = itemgetter(*self.places)
        self.ids: list[int] = []

    def like(self) -> "Pack":
        """Return the same pack for another flat array."""
        other = object.__new__(Pack)
        other.__dict__.update(self.__dict__, ids=[])
        return other

    def empty(self) -> Any:
        """Return a new flat array of this pack."""
        flat = _flat_class()((self.size,), self.dtype)
        flat.pack = self.like()
        return flat

    def views(self, flat: Any) -> list[Array]:
        """Cut a flat array into leaves, and let it remember them."""
        import numpy as np

        ndarray, dtype = np.ndarray, self.dtype
        pairs = zip(self.shapes, self.offsets, strict=True)
        found = [ndarray(shape, dtype, flat, offset) for shape, offset in pairs]
        flat.pack.ids = list(map(id, found))
        return found

    def of(self, column: Sequence[Array]) -> Sequence[Array]:
        """Return those leaves of a column that the pack is made of."""
        whole = len(column) == len(self.places)
        own: Sequence[Array] = column if whole else self._take(column)
        return own

    def filled(self, leaves: Sequence[Array]) -> Any:
        """Return a new flat array with copies of leaves."""
        import numpy as np

        return np.concatenate(leaves, axis=None, out=self.empty())

    def fits(self, leaves: Sequence[Array]) -> bool:
        """Say whether leaves are NumPy's, and have the pack's shapes and dtype."""
        import numpy as np

        return (
            set(map(type, leaves)) == {np.ndarray}
            and set(map(_dtype_of, leaves)) == {self.dtype}
            and list(map(_shape_of, leaves)) == self.shapes
        )


def small(leaves: Sequence[Array]) -> list[Pack]:
    """Return packs of the small leaves of each dtype."""
    import numpy as np

    groups: dict[Any, list[int]] = {}
    for n, x in enumerate(leaves):
        if type(x) is np.ndarray and x.dtype.char in "fd" and x.size <= _SMALL:
            groups.setdefault(x.dtype, []).append(n)
    return [
        Pack(places, [leaves[n].shape for n in places], dtype)
        for dtype, places in groups.items()
        if len(places) >= _MANY
    ]


def gathered(leaves: Sequence[Array]) -> list[Any]:
    """Return the flat arrays of which leaves are the views, all of them and in their order."""
    import numpy as np

    found: list[Any] = []
    covered: set[int] = set()
    flat_class = _flat_class()
    for n, x in enumerate(leaves):
        if n in covered or type(x) is not np.ndarray or type(x.base) is not flat_class:
            continue
        flat: Any = x.base
        pack = flat.pack
        if not pack.places or pack.places[0] != n or pack.places[-1] >= len(leaves):
            continue
        own = pack.of(leaves)
        # The same objects, and still views: an id alone may have been used again.
        if list(map(id, own)) == pack.ids and set(map(id, map(_base_of, own))) == {id(flat)}:
            found.append(flat)
            if len(own) == len(leaves):
                break
            covered.update(pack.places)
    return found
