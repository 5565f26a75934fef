"""LARS: gradient descent at a rate of each array's own."""

from arraygrad._typing import Tree
from arraygrad.kernels.lars import lars_ivy
from arraygrad.updates._leafwise import descend

__all__ = ["lars_update"]


def lars_update(
    w: Tree,
    dcdw: Tree,
    lr: Tree,
    /,
    *,
    decay_lambda: Tree = 0,
    stop_gradients: bool = True,
    out: Tree | None = None,
) -> Tree:
    """Update weights by a step of LARS: layerwise adaptive rate scaling.

    Parameters
    ----------
    w, lr, stop_gradients, out
        As in `optimizer_update`. Every array of `w` is a layer.
    dcdw : array or tree of arrays
        The derivatives of the cost, of shapes that broadcast to those of `w`; integers are cast.
    decay_lambda : float, array or tree
        The weight decay λ, at least 0.

    Returns
    -------
    array or tree of arrays
        The new weights, of the shapes and dtypes of `w`. It is a tree if any argument is.

    Raises
    ------
    HyperparameterError
        If `decay_lambda` can be read and is negative.
    ArraygradError
        As `optimizer_update` does.

    Notes
    -----
    w ← w - lr·r·(g + λw) with the trust ratio r = ‖w‖ / (‖g‖ + λ‖w‖ + 1e-12), and r = 1 where
    either norm is zero. Norms are 2-norms over a whole array. There is neither momentum nor a
    trust coefficient: it is a factor of `lr`.

    References
    ----------
    You, Gitman & Ginsburg 2017, arXiv:1708.03888, equations 5 and 6.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import lars_update
    >>> lars_update(np.asarray([3.0, 4.0]), np.asarray([0.6, 0.8]), 0.5).round(6)
    array([1.5, 2. ])
    """
    hyperparameters = {"lr": lr, "decay_lambda": decay_lambda}
    return descend(lars_ivy, {"w": w, "dcdw": dcdw}, hyperparameters, stop_gradients, out)
