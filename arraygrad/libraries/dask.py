"""dask.array: a graph of chunks, computed on demand; never ask one for a value."""

from arraygrad.libraries.dask_chunks import broadcast_to, matmul, shape_of
from arraygrad.libraries.generic import Library

__all__ = ["LIBRARY"]

LIBRARY = Library(
    lazy=True,
    extra="dask",
    quick_functions=lambda: {"broadcast_to": broadcast_to, "matmul": matmul},
    shape_of=shape_of,
)
