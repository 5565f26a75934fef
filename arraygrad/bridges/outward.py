"""NumPy and CuPy functions as operations of PyTorch and JAX: `to_torch`, `to_jax`."""

from collections.abc import Callable
from typing import Any

from arraygrad.bridges._call import bridged
from arraygrad.errors import ArgumentError

__all__ = ["to_jax", "to_torch"]

_METHODS = ("sequential", "broadcast_all")


def to_torch(f: Callable[..., Any], *, library: str | None = None) -> Callable[..., Any]:
    """Return a function of NumPy arrays as a differentiable operation on PyTorch's tensors.

    Parameters
    ----------
    f : callable
        Takes arrays, in trees of any kind, and whatever else; returns a tree of arrays. It is
        differentiated by the tape, as in `grad`.
    library : str, optional
        Whose arrays `f` knows. By default those of CuPy for tensors on a CUDA device, of NumPy
        for all others.

    Returns
    -------
    callable
        A function of the same arguments, with tensors for arrays, that returns tensors on their
        device: an operation of torch's graph.

    Raises
    ------
    MixedLibraryError
        If the arrays of a call are not all tensors, or `f` returns others than it was given.
    DtypeError
        If the library of `f` lacks a tensor's dtype, such as bfloat16, or `f` returns something
        that is no array.
    GraphBreakError, NoRuleError
        If `f` loses a gradient, as in `grad`. Functions that are never differentiated may do all.
    MissingExtraError
        If a library is not installed.

    Notes
    -----
    Memory is shared: an array is a view of its tensor where both libraries can use the memory, and
    a result's memory becomes the tensor's. So `f` sees read-only arrays, as far as its library has
    such, and gives away what it returns: not a buffer that it will use again.

    Only tensors that require a gradient are differentiated; without any, or under
    `torch.no_grad()`, `f` just runs. Integer tensors are constants, integer results have no
    gradient. What `f` closes over is constant too.

    Backward and forward mode, `create_graph=True`, `torch.func.grad`, `vjp`, `jvp`, `hessian` and
    `vmap` work, to any order that `f` allows; each order runs `f` once more. `vmap` calls `f` for
    each element of a batch. The batches of `is_grads_batched=True` raise `GraphBreakError`.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> import arraygrad as ag
    >>> energy = ag.to_torch(lambda x: np.sum(np.sort(x) ** 2 * np.arange(1.0, 4.0)))
    >>> x = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> energy(x).backward()
    >>> x.grad
    tensor([18.,  2.,  8.], dtype=torch.float64)
    """
    return bridged(f, "torch", library, "to_torch")


def to_jax(
    f: Callable[..., Any],
    *,
    library: str = "numpy",
    result_shape_dtypes: Any = None,
    vmap_method: str = "sequential",
) -> Callable[..., Any]:
    """Return a function of NumPy arrays as a differentiable operation on JAX's arrays.

    Parameters
    ----------
    f : callable
        Takes arrays, in trees of any kind, and whatever else; returns a tree of arrays. It is
        differentiated by the tape, as in `grad`. It must be pure: a compiled program may call it
        more or less often than it says.
    library : {"numpy", "cupy"}, default "numpy"
        Whose arrays `f` knows.
    result_shape_dtypes : tree of jax.ShapeDtypeStruct, or callable, optional
        What `f` returns, for `jax.jit` to know; a callable takes the arguments, with
        `ShapeDtypeStruct` for arrays. Without it, `f` is tried on ones (zeros for integers) once
        per compilation.
    vmap_method : {"sequential", "broadcast_all"}, default "sequential"
        What `jax.vmap` does: call `f` for each element, or once, with the axis of the batch in
        front of all arrays. The second is only for functions that take any axes in front.

    Returns
    -------
    callable
        A function of the same arguments, with jax arrays for arrays.

    Raises
    ------
    MixedLibraryError
        If the arrays of a call are not all jax's, or `f` returns others than it was given.
    DtypeError
        If the library of `f` lacks an array's dtype, such as bfloat16, or `f` returns something
        that is no array.
    ShapeError
        If `f` returns something else than `jax.jit` was told. A compiled program turns this, and
        every error of `f`, into one of jax that contains the message.
    GraphBreakError, NoRuleError
        If `f` loses a gradient, as in `grad`. Functions that are never differentiated may do all.
    MissingExtraError
        If a library is not installed.
    ArgumentError
        If there is no such `vmap_method`.

    Notes
    -----
    Works under `jax.jit` (through `jax.pure_callback`), `grad`, `vjp`, `jvp`, `linearize`,
    `hessian` and `vmap`, in any order of nesting, to any order that `f` allows. Eagerly, a gradient
    runs `f` once. What `f` sees of jax's memory is read-only; what it returns is copied, and has
    single precision unless `jax_enable_x64` is set. Integer arrays are constants; what `f` closes
    over is constant too.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> energy = ag.to_jax(lambda x: np.sum(np.sort(x) ** 2 * np.arange(1, 4)))
    >>> print(jax.jit(jax.grad(energy))(jnp.asarray([3.0, 1.0, 2.0])))
    [18.  2.  8.]
    """
    if vmap_method not in _METHODS:
        message = f"`vmap_method` must be one of {_METHODS}, got {vmap_method!r}"
        raise ArgumentError(message)
    options = {"result_shape_dtypes": result_shape_dtypes, "vmap_method": vmap_method}
    return bridged(f, "jax", library, "to_jax", **options)
