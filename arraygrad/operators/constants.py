"""Values that count as constants: `stop_gradient`."""

from arraygrad import autodiff
from arraygrad._namespace import is_array
from arraygrad._out import write_out
from arraygrad._tree import map_leaves
from arraygrad._typing import Tree

__all__ = ["stop_gradient"]


def stop_gradient(x: Tree, /, *, preserve_type: bool = True, out: Tree | None = None) -> Tree:
    """Return the same values as constants: no gradient flows through them, at any order.

    Parameters
    ----------
    x : tree of arrays, any dtype
        Leaves that are no arrays are returned as they are.
    preserve_type : bool, default True
        Accepted for compatibility, without effect: the type of an array is always preserved, and
        a constant never asks for gradients again.
    out : tree like `x`, writeable, optional
        Receives the values, and is returned. It may be `x` itself.

    Returns
    -------
    tree
        Shaped like `x`. An array without a gradient may be returned itself; a tensor of torch
        shares its memory with the result.

    Raises
    ------
    OutError, ShapeError, StructureError
        If `out` cannot receive the values.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> print(ag.grad(lambda x: x * ag.stop_gradient(x))(np.asarray(3.0)))
    3.0
    """
    result = map_leaves(lambda leaf: autodiff.stop_gradient(leaf) if is_array(leaf) else leaf, x)
    return result if out is None else write_out(out, result)
