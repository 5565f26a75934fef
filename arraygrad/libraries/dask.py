"""dask.array: a graph of chunks, computed on demand; never ask one for a value."""

from arraygrad.libraries.generic import Library

__all__ = ["LIBRARY"]

LIBRARY = Library(lazy=True, extra="dask")
