"""Where many arrays are, told to a GPU in two small tables.

One holds the pointers, a row for each array that a kernel takes; the other cuts the leaves into
chunks. Tables go to the device without anybody waiting, and stay there while the arrays do not
move: in a loop with donated arrays nothing is sent at all.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from arraygrad._typing import Array
from arraygrad.errors import OutError

__all__ = ["CHUNK", "Chunks", "check_apart", "chunks_of", "on_device", "pointers_of"]

CHUNK = 4096
"""Elements of a chunk: a block of threads takes one."""

_pointer = attrgetter("data.ptr")


class Chunks(NamedTuple):
    """How leaves of certain sizes are cut."""

    places: Any
    """A NumPy table: of each chunk its leaf, and where in the leaf it starts and stops."""

    firsts: Any
    """The number of each leaf's first chunk, and then that of all chunks."""

    total: int
    """The number of all chunks."""


@lru_cache(maxsize=100)
def chunks_of(sizes: tuple[int, ...]) -> Chunks:
    """Cut leaves of these sizes into chunks."""
    import numpy as np

    size = np.asarray(sizes, np.int64)
    counts = -(-size // CHUNK)
    firsts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    leaf = np.repeat(np.arange(size.size), counts)
    start = (np.arange(leaf.size) - firsts[leaf]) * CHUNK
    places = np.stack([leaf, start, np.minimum(start + CHUNK, size[leaf])])
    return Chunks(places, firsts, leaf.size)


def pointers_of(columns: Sequence[Sequence[Array]]) -> Any:
    """Return a NumPy table of where arrays are: a row for each column, a place for each leaf."""
    import numpy as np

    found = np.fromiter(map(_pointer, chain.from_iterable(columns)), np.int64)
    return found.reshape(len(columns), -1)


def check_apart(pointers: Any, nbytes: Any, replaced: Sequence[int]) -> Any:
    """Say which of the inputs must be copied before the arrays of some rows are written to.

    An input may be the very array that is replaced at its place, for a thread reads before it
    writes; one that overlaps another replaced array, or this one shifted, would be read too late.

    Parameters
    ----------
    pointers : NumPy array (columns, leaves)
        Where the inputs are.
    nbytes : NumPy array (leaves,)
        How much memory each array of a leaf takes.
    replaced : sequence of int
        The rows that are written to.

    Returns
    -------
    NumPy array of bool (columns, leaves)

    Raises
    ------
    OutError
        If two arrays that are written to share memory.
    """
    import numpy as np

    width = np.broadcast_to(nbytes, pointers.shape)
    written = pointers[replaced].ravel()
    order = np.argsort(written, kind="stable")
    low = written[order]
    high = low + width[replaced].ravel()[order]
    taken = high > low
    low, high = low[taken], high[taken]
    if np.any(high[:-1] > low[1:]):
        message = "donated arrays share memory: each must have its own"
        raise OutError(message)
    found = np.zeros(pointers.shape, bool)
    if not low.size:
        return found
    others = np.setdiff1d(np.arange(len(pointers)), replaced)
    start = pointers[others]
    # The last array that is written to and starts before the end of this one: does it reach in?
    last = np.searchsorted(low, start + width[others]) - 1
    reaches = (last >= 0) & (high[last] > start) & (width[others] > 0)
    same = (start[None] == pointers[replaced][:, None]).any(0) & (low[last] == start)
    found[others] = reaches & ~same
    return found


def on_device(table: Any) -> Array:
    """Return a NumPy table on the current device, as the current stream will see it."""
    import cupy

    key = (table.shape, cupy.cuda.runtime.getDevice(), cupy.cuda.get_current_stream().ptr)
    return _sent(table.tobytes(), *key)


@lru_cache(maxsize=100)
def _sent(table: bytes, shape: tuple[int, ...], device: int, stream: int) -> Array:
    """Send a table: once for each device, and for each stream, which does not wait for others."""
    import cupy
    import numpy as np

    return cupy.asarray(np.frombuffer(table, np.int64).reshape(shape))
