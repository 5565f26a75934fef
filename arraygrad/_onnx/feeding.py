"""What a model's inputs are, made of arrays of any library."""

from typing import TYPE_CHECKING, Any

from arraygrad._namespace import array_namespace, is_array
from arraygrad._onnx.names import named_leaves
from arraygrad._onnx.needed import check_installed
from arraygrad._typing import Tree
from arraygrad.errors import DtypeError, StructureError
from arraygrad.libraries import library_of

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["feed"]

check_installed()


def feed(model: "ModelProto", /, **arguments: Tree) -> dict[str, Any]:
    """Return the inputs of a model, as onnxruntime takes them.

    Parameters
    ----------
    model : onnx.ModelProto
        What `export`, `export_gradient` or `export_step` returned.
    **arguments : trees of arrays
        By the names of the function's parameters; arrays of any library, and Python numbers.
        What the model does not ask for is left out.

    Returns
    -------
    dict of str to numpy.ndarray
        In the dtypes of the model.

    Raises
    ------
    StructureError
        If an input is missing.
    DtypeError
        If an array has another dtype than its input.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad.onnx
    >>> w, x = {"scale": np.ones(2)}, np.zeros(2)
    >>> model = arraygrad.onnx.export(lambda w, x: w["scale"] * x, w, x)
    >>> arraygrad.onnx.feed(model, w=w, x=x)
    {'w.scale': array([1., 1.]), 'x': array([0., 0.])}
    """
    from onnx.helper import tensor_dtype_to_np_dtype

    leaves: dict[str, Any] = {}
    for root, tree in arguments.items():
        leaves.update(named_leaves(tree, root)[0])
    found = {}
    for wanted in model.graph.input:
        if wanted.name not in leaves:
            message = f"the model's input {wanted.name!r} is missing: got {sorted(leaves)}"
            raise StructureError(message)
        dtype = tensor_dtype_to_np_dtype(wanted.type.tensor_type.elem_type)
        found[wanted.name] = _array(wanted.name, leaves[wanted.name], dtype)
    return found


def _array(name: str, leaf: Any, dtype: Any) -> Any:
    """Return a leaf as a NumPy array."""
    import numpy as np

    if not is_array(leaf):
        return np.asarray(leaf, dtype=dtype)
    values = np.asarray(library_of(array_namespace(leaf)).to_numpy(leaf))
    if values.dtype != dtype:
        message = f"`{name}` has dtype {values.dtype}, the model's input {dtype}"
        raise DtypeError(message)
    return values
