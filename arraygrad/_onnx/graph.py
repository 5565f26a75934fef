"""A model while it is written: lazy arrays for its inputs, and what becomes of them."""

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from arraygrad._namespace import is_array
from arraygrad._onnx.names import named_leaves
from arraygrad._tree import unflatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import DtypeError, StructureError
from arraygrad.state._arrays import dtype_name

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["Graph", "outputs_of"]

_DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()


class Graph:
    """The inputs of a model, by name, and the way from outputs to the model."""

    def __init__(self) -> None:
        import ndonnx

        self._ndonnx: Any = ndonnx
        self.inputs: dict[str, Array] = {}

    def inputs_like(self, tree: Tree, root: str, numbers: Set[str] = frozenset()) -> Tree:
        """Return a tree with an input for each array, and for the Python numbers of these names.

        Raises
        ------
        DtypeError
            If ONNX has no such dtype.
        StructureError
            If two inputs have one name.
        """
        leaves, treedef = named_leaves(tree, root)
        found = {
            name: self._input(name, leaf) if is_array(leaf) or name in numbers else leaf
            for name, leaf in leaves.items()
        }
        return unflatten(treedef, found.values())

    def _input(self, name: str, leaf: Any) -> Array:
        import numpy as np

        like = leaf if is_array(leaf) else np.asarray(leaf)
        dtype = dtype_name(like.dtype)
        if dtype not in _DTYPES:
            message = (
                f"`{name}` has dtype {dtype}: a model's inputs are {', '.join(sorted(_DTYPES))}"
            )
            raise DtypeError(message)
        if name in self.inputs:
            message = f"two inputs of the model would be called {name!r}: rename an argument"
            raise StructureError(message)
        lazy = self._ndonnx.argument(shape=tuple(like.shape), dtype=getattr(self._ndonnx, dtype))
        self.inputs[name] = lazy
        return lazy.copy()  # the function may change its own

    def model(self, outputs: Mapping[str, Any], title: str) -> "ModelProto":
        """Return the checked model that computes these outputs.

        Raises
        ------
        StructureError
            If there is none, or one has the name of an input.
        """
        import onnx

        for name in outputs:
            if name in self.inputs:
                message = f"an input and an output would both be called {name!r}: rename the input"
                raise StructureError(message)
        if not outputs:
            message = "there is nothing to export: no array comes out"
            raise StructureError(message)
        arrays = {name: self._ndonnx.asarray(y, copy=True) for name, y in outputs.items()}
        model: ModelProto = self._ndonnx.build(self.inputs, arrays)
        model.producer_name, model.graph.name = "arraygrad", title
        onnx.checker.check_model(model, full_check=True)
        return model


def outputs_of(tree: Tree, root: str) -> dict[str, Any]:
    """Return the arrays and numbers of a tree, by name."""
    leaves, _ = named_leaves(tree, root)
    return {name: y for name, y in leaves.items() if is_array(y) or isinstance(y, int | float)}
