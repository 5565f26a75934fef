"""dask.array: a graph of chunks, computed on demand; never ask one for a value.

Gradients lie in the chunks of their arguments.
"""

from typing import Any

from arraygrad.libraries.dask.chunks import (
    broadcast_to,
    finite_when_computed,
    matmul,
    reshape,
    shape_of,
    zeros,
)
from arraygrad.libraries.dask.indexing import getitem, places, scatter_add, set_at
from arraygrad.libraries.generic import Library, quiet_numpy

__all__ = ["LIBRARY"]


def to_numpy(x: Any) -> Any:
    """Compute an array's values."""
    import numpy as np

    return np.asarray(x)


LIBRARY = Library(
    namespace="arraygrad.libraries.dask.functions",
    lazy=True,
    numpy_functions=True,
    extra="dask",
    special="scipy.special",
    quiet=quiet_numpy,
    only_device="cpu",
    quick_functions=lambda: {
        "broadcast_to": broadcast_to,
        "matmul": matmul,
        "reshape": reshape,
        "zeros": zeros,
    },
    finite_when_computed=finite_when_computed,
    shape_of=shape_of,
    getitem=getitem,
    places=places,
    set_at=set_at,
    scatter_add=scatter_add,
    to_numpy=to_numpy,
)
