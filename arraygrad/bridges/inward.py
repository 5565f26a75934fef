"""PyTorch and JAX functions as operations of any library: `from_torch`, `from_jax`."""

from collections.abc import Callable
from typing import Any

from arraygrad.bridges._call import bridged

__all__ = ["from_jax", "from_torch"]


def from_torch(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of PyTorch's tensors as an operation on arrays of any library.

    Parameters
    ----------
    f : callable
        Takes tensors, in trees of any kind, and whatever else; returns a tree of tensors. A
        `torch.nn.Module` will do. It is differentiated by torch.

    Returns
    -------
    callable
        A function of the same arguments, with arrays of NumPy, CuPy, or any other library for
        tensors, that returns arrays of their library. On tensors it is `f` itself.

    Raises
    ------
    MixedLibraryError
        If the arrays of a call are of several libraries, or `f` returns others than tensors.
    DtypeError
        If torch lacks an array's dtype, or the arrays' library that of a result, or `f` returns
        something that is no tensor.
    MissingExtraError
        If torch is not installed.

    Notes
    -----
    Memory is shared where both libraries can use it: `f` must not write to its arguments. Tensors
    lie on the device of their arrays: for a model on a GPU and NumPy arrays, move them in `f`.

    All operators differentiate it, and jax its arrays, to any order that `f` allows; each order
    runs `f` once more. Integer arrays are constants, integer results have no gradient. Parameters
    that `f` closes over are constant too, and get no gradient here: pass them as arguments
    (`torch.func.functional_call`).

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> import arraygrad as ag
    >>> f = ag.from_torch(lambda x: torch.nn.functional.softplus(x).sum())
    >>> print(ag.grad(lambda x: f(3 * x))(np.zeros(2)))
    [1.5 1.5]
    """
    return bridged(f, None, "torch", "from_torch")


def from_jax(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of JAX's arrays as an operation on arrays of any library.

    Parameters
    ----------
    f : callable
        Takes jax arrays, in trees of any kind, and whatever else; returns a tree of jax arrays. It
        is differentiated by jax. A function that `jax.jit` has compiled is quicker.

    Returns
    -------
    callable
        A function of the same arguments, with arrays of NumPy, CuPy, or any other library for
        jax's, that returns arrays of their library. On jax arrays it is `f` itself.

    Raises
    ------
    MixedLibraryError
        If the arrays of a call are of several libraries, or `f` returns others than jax's.
    DtypeError
        If jax lacks an array's dtype, or the arrays' library that of a result, or `f` returns
        something that is no array. Without `jax_enable_x64`, jax has neither float64 nor int64.
    MissingExtraError
        If jax is not installed.

    Notes
    -----
    Memory is shared where both libraries can use it, which jax leaves to chance: results may be
    read-only.

    All operators differentiate it, and torch its tensors, to any order that `f` allows; each order
    runs `f` once more. Integer arrays are constants, integer results have no gradient. What `f`
    closes over is constant too.

    Examples
    --------
    >>> import jax
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> f = ag.from_jax(lambda x: jax.nn.softplus(x).sum())
    >>> print(ag.grad(lambda x: f(3 * x))(np.zeros(2, dtype=np.float32)))
    [1.5 1.5]
    """
    return bridged(f, None, "jax", "from_jax")
