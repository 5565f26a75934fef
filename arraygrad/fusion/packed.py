"""Many small leaves as one flat array: a kernel walks over all of them at once.

The leaves that a step returns are views of flat arrays, which remember what they were cut into.
When they come back, nothing need be gathered but the gradients. Leaves that come back changed,
or in another order, are gathered anew.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import prod
from operator import attrgetter, call, is_, itemgetter
from typing import Any
from weakref import ref

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array
from arraygrad.libraries import library_of

__all__ = ["Pack", "gathered", "small"]

_SMALL = 32_768
"""Elements: a leaf that is larger walks alone."""

_MANY = 4
"""Leaves: fewer walk alone."""

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

    def __init__(self, places: Sequence[int], like: Array, shapes: Sequence[tuple[int, ...]]):
        self.places, self.shapes = list(places), list(shapes)
        self.kind, self.dtype = type(like), like.dtype
        *_, self.size = self.starts = list(accumulate(map(prod, shapes), initial=0))
        self.xp = array_namespace(like)
        self._take: Any = itemgetter(*self.places)
        self.refs: list[Any] = []  # to the leaves cut from a flat array, which keeps them not

    def of(self, column: Sequence[Array]) -> Sequence[Array]:
        """Return those leaves of a column that the pack is made of."""
        whole = len(column) == len(self.places)
        own: Sequence[Array] = column if whole else self._take(column)
        return own

    def fits(self, leaves: Sequence[Array]) -> bool:
        """Say whether leaves have the pack's library, shapes and dtype."""
        return (
            set(map(type, leaves)) == {self.kind}
            and [*map(_dtype_of, leaves)].count(self.dtype) == len(leaves)
            and list(map(_shape_of, leaves)) == self.shapes
        )

    def made(self, leaves: Sequence[Array]) -> bool:
        """Say whether leaves are those cut from the flat array of this pack: the very objects."""
        return len(leaves) == len(self.refs) and all(map(is_, leaves, map(call, self.refs)))

    @property
    def _cuts(self) -> bool:
        """Whether leaves can be told to be views of a flat array: only NumPy's tell."""
        import numpy as np

        return self.kind is np.ndarray

    def empty(self) -> Any:
        """Return a new flat array of this pack."""
        if not self._cuts:
            return self.xp.empty((self.size,), dtype=self.dtype)
        flat = _flat_class()((self.size,), self.dtype)
        flat.pack = object.__new__(Pack)
        flat.pack.__dict__.update(self.__dict__, refs=[])
        return flat

    def memory(self, flat: Any) -> Any:
        """Return the memory of a flat array; None where it cannot run fused."""
        found = flat if self._cuts else library_of(self.xp).host_memory(flat)
        return None if found is None or found.dtype.char not in "fd" else found

    def filled(self, leaves: Sequence[Array]) -> Any:
        """Return a new flat array with copies of leaves."""
        import numpy as np

        if self._cuts:
            return np.concatenate(leaves, axis=None, out=self.empty())
        return self.xp.concat([x.reshape(-1) for x in leaves])

    def views(self, flat: Any) -> list[Array]:
        """Cut a flat array into leaves; NumPy's remembers them."""
        import numpy as np

        if not self._cuts:
            pieces = pairwise(self.starts)
            cut = [flat[start:stop] for start, stop in pieces]
            return [x.reshape(shape) for x, shape in zip(cut, self.shapes, strict=True)]
        ndarray, dtype, width = np.ndarray, self.dtype, self.dtype.itemsize
        pairs = zip(self.shapes, self.starts, strict=False)
        found = [ndarray(shape, dtype, flat, start * width) for shape, start in pairs]
        flat.pack.refs = list(map(ref, found))
        return found


def small(leaves: Sequence[Array]) -> list[Pack]:
    """Return packs of the small leaves of each dtype."""
    groups: dict[Any, list[int]] = {}
    for n, x in enumerate(leaves):
        if prod(x.shape) <= _SMALL:
            groups.setdefault((type(x), x.dtype), []).append(n)
    return [
        Pack(places, leaves[places[0]], [leaves[n].shape for n in places])
        for places in groups.values()
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
        if pack.made(own):
            found.append(flat)
            if len(own) == len(leaves):
                break
            covered.update(pack.places)
    return found
