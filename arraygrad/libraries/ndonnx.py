"""ndonnx: arrays that write an ONNX graph; those that stand for a model's input have no values."""

from typing import Any

from arraygrad._typing import Array
from arraygrad.libraries.generic import Library, quiet_numpy

__all__ = ["LIBRARY"]


def to_numpy(x: Array) -> Any:
    """Return the value that ndonnx has computed beside the graph."""
    return x.unwrap_numpy()


LIBRARY = Library(lazy=True, extra="onnx", quiet=quiet_numpy, to_numpy=to_numpy)
