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

__all__ = ["Known", "Pack", "gathered", "is_fused", "known", "reshaped", "shapes_of", "small"]

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


def is_fused(dtype: Any) -> bool:
    """Say whether arrays of one of NumPy's dtypes run fused: real, in the machine's byte order."""
    return dtype.char in "fd" and dtype.isnative


class Pack:
    """Where the leaves of one flat array stand, and how they are cut from it."""

    def __init__(self, places: Sequence[int], like: Array, shapes: Sequence[tuple[int, ...]]):
        self.places, self.shapes = list(places), list(shapes)
        self.kind, self.dtype = type(like), like.dtype
        *_, self.size = self.starts = list(accumulate(map(prod, shapes), initial=0))
        self.xp = array_namespace(like)
        self._take: Any = itemgetter(*self.places)
        self.refs: list[Any] = []  # to the leaves cut from a flat array, which keeps them not
        self.layouts: list[Any] = []  # how they lay then

    def of(self, column: Sequence[Array]) -> Sequence[Array]:
        """Return those leaves of a column that the pack is made of."""
        whole = len(column) == len(self.places)
        own: Sequence[Array] = column if whole else self._take(column)
        return own

    def fits(self, leaves: Sequence[Array]) -> bool:
        """Say whether leaves have the pack's library and shapes.

        And its dtype, where `filled` would not find out.
        """
        return (
            set(map(type, leaves)) == {self.kind}
            and (self._cuts or [*map(_dtype_of, leaves)].count(self.dtype) == len(leaves))
            and shapes_of(leaves) == self.shapes
        )

    def free(self, leaves: Sequence[Array]) -> bool:
        """Say whether no leaf is in somebody's graph."""
        in_graph = library_of(self.xp).in_graph
        return in_graph is None or not any(map(in_graph, leaves))

    def made(self, leaves: Sequence[Array]) -> bool:
        """Say whether leaves are those cut from the flat array of this pack, as they were."""
        same = len(leaves) == len(self.refs) and all(map(is_, leaves, map(call, self.refs)))
        return same and (not self.layouts or self._layouts_of(leaves) == self.layouts)

    def _layouts_of(self, leaves: Sequence[Array]) -> list[Any]:
        layout = library_of(self.xp).layout
        return [] if layout is None else list(map(layout, leaves))

    def copy(self) -> "Pack":
        """Return a pack for another flat array, of which no leaves are known."""
        new = object.__new__(Pack)
        new.__dict__.update(self.__dict__, refs=[], layouts=[])
        return new

    @property
    def _cuts(self) -> bool:
        """Whether leaves tell of which flat array they are views: NumPy's do."""
        import numpy as np

        return self.kind is np.ndarray

    def empty(self) -> Any:
        """Return a new flat array of this pack."""
        if not self._cuts:
            return self.xp.empty((self.size,), dtype=self.dtype)
        flat = _flat_class()((self.size,), self.dtype)
        flat.pack = self.copy()
        return flat

    def memory(self, flat: Any) -> Any:
        """Return the memory of a flat array; None where it cannot run fused."""
        found = flat if self._cuts else library_of(self.xp).host_memory(flat)
        return found if found is not None and is_fused(found.dtype) else None

    def filled(self, leaves: Sequence[Array]) -> Any:
        """Return a new flat array with copies of leaves; None if NumPy's have another dtype."""
        import numpy as np

        if self._cuts:
            try:
                return np.concatenate(leaves, axis=None, out=self.empty(), casting="equiv")
            except TypeError:
                return None
        shaped = zip(leaves, self.shapes, strict=True)
        return self.xp.concat([x if len(shape) == 1 else x.reshape(-1) for x, shape in shaped])

    def views(self, flat: Any) -> list[Array]:
        """Cut a flat array into leaves, which it remembers."""
        import numpy as np

        if not self._cuts:
            cut = [flat[start:stop] for start, stop in pairwise(self.starts)]
            leaves = [x.reshape(shape) for x, shape in zip(cut, self.shapes, strict=True)]
            flat.pack = self.copy()
            flat.pack.refs = [_remembered(leaf, flat) for leaf in leaves]
            flat.pack.layouts = self._layouts_of(leaves)
            return leaves
        ndarray, dtype, width = np.ndarray, self.dtype, self.dtype.itemsize
        pairs = zip(self.shapes, self.starts, strict=False)
        found = [ndarray(shape, dtype, flat, start * width) for shape, start in pairs]
        flat.pack.refs = list(map(ref, found))
        return found


# Where leaves that cannot tell are cut from, by their identity, as long as they live.
_homes: dict[int, tuple[Any, Any]] = {}


def _remembered(leaf: Array, flat: Any) -> Any:
    """Note which flat array a leaf is a view of; return a reference that keeps neither."""
    key = id(leaf)
    found = ref(leaf, lambda _: _homes.pop(key, None))
    _homes[key] = found, flat
    return found


def _home(leaf: Array) -> Any:
    """Return the flat array that a leaf was cut from; None if there is none."""
    import numpy as np

    if type(leaf) is np.ndarray:
        return leaf.base if type(leaf.base) is _flat_class() else None
    found, flat = _homes.get(id(leaf), (None, None))
    return flat if found is not None and found() is leaf else None


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


class Known(list[Any]):
    """Leaves whose shapes are known; and, perhaps, the flat array that they are all of."""

    __slots__ = ("flat", "shapes")

    def __init__(
        self, leaves: Sequence[Array], shapes: list[tuple[int, ...]], flat: Any = None
    ) -> None:
        super().__init__(leaves)
        self.shapes, self.flat = shapes, flat


def known(leaves: Sequence[Array]) -> Known | None:
    """Return leaves as those of one flat array; None if they are not."""
    flat = _home(leaves[0]) if len(leaves) >= _MANY else None
    if flat is None or len(flat.pack.places) != len(leaves) or not flat.pack.made(leaves):
        return None
    return Known(leaves, flat.pack.shapes, flat)


def reshaped(leaves: Sequence[Array]) -> bool:
    """Say whether known leaves changed their shapes in place; they are known no longer then.

    To ask at every step would cost more than all else that is done with shapes.
    """
    if type(leaves) is not Known or leaves.flat is None:
        return False
    changed = list(map(_shape_of, leaves)) != leaves.shapes
    if changed:
        leaves.flat.pack.refs = []
    return changed


def shapes_of(leaves: Sequence[Any]) -> list[Any]:
    """Return the shape of each leaf, None where it has none."""
    if type(leaves) is Known:
        return leaves.shapes
    try:
        return list(map(_shape_of, leaves))
    except AttributeError:  # not all are arrays
        return [getattr(x, "shape", None) for x in leaves]


def gathered(leaves: Sequence[Array]) -> list[Any]:
    """Return the flat arrays of which leaves are the views, all of them and in their order."""
    if type(leaves) is Known and leaves.flat is not None:
        return [leaves.flat]
    found: list[Any] = []
    covered: set[int] = set()
    for n, x in enumerate(leaves):
        flat = None if n in covered else _home(x)
        if flat is None:
            continue
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
