"""Gradient descent, with any effective gradient."""

from arraygrad._typing import Tree
from arraygrad.kernels.sgd import sgd
from arraygrad.updates._leafwise import descend

__all__ = ["gradient_descent_update", "optimizer_update"]


def optimizer_update(
    w: Tree,
    effective_grad: Tree,
    lr: Tree,
    /,
    *,
    stop_gradients: bool = True,
    out: Tree | None = None,
) -> Tree:
    """Update weights with an effective gradient.

    Parameters
    ----------
    w : array or tree of arrays
        The weights, real or complex floating, of any shape.
    effective_grad : array or tree of arrays
        What to go against, of shapes that broadcast to those of `w`; integers are cast.
    lr : float, array or tree
        The learning rate: what the effective gradient is multiplied by.
    stop_gradients : bool
        Whether the new weights forget how they were computed.
    out : array or tree of arrays, optional
        Like the result, and writeable: it receives the new weights and is returned. It may be
        `w` itself.

    Returns
    -------
    array or tree of arrays
        The new weights, of the shapes and dtypes of `w`. It is a tree if any argument is.

    Raises
    ------
    StructureError
        If the trees differ; the message names the path.
    ShapeError
        If shapes do not broadcast to those of `w`.
    DtypeError
        If a leaf is no array, or the weights are not floating.
    MixedLibraryError, DeviceError
        If arrays come from several libraries or lie on several devices.
    OutError
        If `out` is read-only (jax arrays are) or has another dtype.

    Notes
    -----
    w ← w - lr·g, computed in float32 at least.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import optimizer_update
    >>> optimizer_update(np.asarray([1.0, 2.0]), np.asarray([4.0, 6.0]), 0.25)
    array([0. , 0.5])
    """
    arrays = {"w": w, "effective_grad": effective_grad}
    return descend(sgd, arrays, {"lr": lr}, stop_gradients, out)


def gradient_descent_update(
    w: Tree,
    dcdw: Tree,
    lr: Tree,
    /,
    *,
    stop_gradients: bool = True,
    out: Tree | None = None,
) -> Tree:
    """Update weights by a step of gradient descent.

    Parameters
    ----------
    w, lr, stop_gradients, out
        As in `optimizer_update`.
    dcdw : array or tree of arrays
        The derivatives of the cost, of shapes that broadcast to those of `w`; integers are cast.

    Returns
    -------
    array or tree of arrays
        The new weights, of the shapes and dtypes of `w`. It is a tree if any argument is.

    Raises
    ------
    ArraygradError
        As `optimizer_update` does.

    Notes
    -----
    w ← w - lr·g: `optimizer_update` under the name of its algorithm.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import gradient_descent_update
    >>> w = {"a": np.asarray([1.0, 2.0]), "b": np.asarray([3.0])}
    >>> gradient_descent_update(w, {"a": np.asarray([4.0, 8.0]), "b": np.asarray([4.0])}, 0.25)
    {'a': array([0., 0.]), 'b': array([2.])}
    """
    return descend(sgd, {"w": w, "dcdw": dcdw}, {"lr": lr}, stop_gradients, out)
