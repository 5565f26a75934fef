"""The words of our signatures: an array, a tree of arrays, a namespace."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

__all__ = ["Array", "Autodiff", "DType", "Leaves", "Namespace", "Pullback", "Tree"]

# The standard has no runtime type for any of these three: duck typing is its very point.
Array: TypeAlias = Any
DType: TypeAlias = Any
Namespace: TypeAlias = Any

Tree: TypeAlias = Any
"""An array, or a nest of dict, list, tuple, namedtuple and `Container` whose leaves are arrays."""

Leaves: TypeAlias = Sequence[Any]
Pullback: TypeAlias = Callable[[Leaves], list[Any]]

Autodiff: TypeAlias = Any
"""A module with `vjp`, `jvp` and `stop_gradient`: see `arraygrad.autodiff`."""
