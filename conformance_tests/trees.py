"""Trees of arrays, taken from NumPy to a backend and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from arraygrad import Container
from conformance_tests.backends import Backend

__all__ = ["assert_close", "assert_same_tree", "from_numpy", "leaves", "map_tree", "to_numpy"]

SINGLE = {"float64": "float32", "complex128": "complex64"}


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to the leaves of dicts, Containers, lists and tuples."""
    if isinstance(tree, dict):
        return type(tree)({key: map_tree(function, child) for key, child in tree.items()})
    if isinstance(tree, list | tuple):
        return type(tree)(map_tree(function, child) for child in tree)
    return function(tree)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree in order; `None` is none."""
    found: list[Any] = []
    map_tree(found.append, tree)
    return [leaf for leaf in found if leaf is not None]


def from_numpy(backend: Backend, tree: Any, *, single: bool = False) -> Any:
    """Make a backend's arrays of a tree of NumPy's, in single precision where asked."""

    def leaf(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        dtype = str(x.dtype)
        return backend.asarray(x, SINGLE.get(dtype, dtype) if single else dtype)

    return map_tree(leaf, tree)


def to_numpy(backend: Backend, tree: Any) -> Any:
    """Copy a tree of a backend's arrays to NumPy."""
    return map_tree(lambda x: x if x is None else backend.to_numpy(x), tree)


def assert_same_tree(ours: Any, theirs: Any) -> None:
    """Require the same nesting of the same types with the same keys."""
    assert type(ours) is type(theirs) or not isinstance(theirs, dict | list | tuple | Container)
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key, child in theirs.items():
            assert_same_tree(ours[key], child)
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same_tree(one, other)


def assert_close(ours: Any, theirs: Any, tolerance: float) -> None:
    """Compare trees of NumPy arrays, each leaf relative to its largest element, or to 1."""
    assert_same_tree(ours, theirs)
    for one, other in zip(leaves(ours), leaves(theirs), strict=True):
        other = np.asarray(other)
        assert one.shape == other.shape
        size = max(1.0, float(np.max(np.abs(other), initial=0.0)))
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * size)
