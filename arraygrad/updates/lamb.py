"""LAMB: Adam at a rate of each array's own."""

from arraygrad._typing import Tree
from arraygrad.kernels.lamb import lamb_ivy
from arraygrad.updates._leafwise import descend_with_moments

__all__ = ["lamb_update"]


def lamb_update(
    w: Tree,
    dcdw: Tree,
    lr: Tree,
    mw_tm1: Tree,
    vw_tm1: Tree,
    step: Tree,
    /,
    *,
    beta1: Tree = 0.9,
    beta2: Tree = 0.999,
    epsilon: Tree = 1e-7,
    max_trust_ratio: Tree = 10,
    decay_lambda: Tree = 0,
    stop_gradients: bool = True,
    out: Tree | None = None,
) -> tuple[Tree, Tree, Tree]:
    """Update weights by a step of LAMB: Adam with layerwise adaptive rates.

    Parameters
    ----------
    w, dcdw, lr, mw_tm1, vw_tm1, step, beta1, beta2, epsilon, stop_gradients, out
        As in `adam_update`. Every array of `w` is a layer.
    max_trust_ratio : float, array or tree
        The greatest trust ratio, greater than 0.
    decay_lambda : float, array or tree
        The weight decay λ, at least 0.

    Returns
    -------
    w, mw, vw : array or tree of arrays
        The new weights and moments, each in the dtype of what it replaces. The weights are a tree
        if any argument is, a moment if it or `dcdw` is.

    Raises
    ------
    ArraygradError
        As `adam_update` does, and `HyperparameterError` if `max_trust_ratio` or `decay_lambda`
        can be read and lies outside its range.

    Notes
    -----
    w ← w - lr·r·u with u = delta + λw, the direction and the moments of `adam_step`, and the trust
    ratio r = min(‖w‖ / (‖u‖ + 1e-12), `max_trust_ratio`), where ‖w‖ / ‖u‖ counts as 1 if either is
    zero. Norms are 2-norms over a whole array. The paper clips ‖w‖; here the ratio is clipped.

    References
    ----------
    You et al. 2019, arXiv:1904.00962, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import lamb_update
    >>> w, m, v = np.asarray([3.0, 4.0]), np.zeros(2), np.zeros(2)
    >>> w, m, v = lamb_update(w, np.asarray([0.5, -2.0]), 0.1, m, v, 1)
    >>> w.round(3)
    array([2.646, 4.354])
    """
    arrays = {"w": w, "dcdw": dcdw, "mw_tm1": mw_tm1, "vw_tm1": vw_tm1}
    rates = {"lr": lr, "step": step, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    ratios = {"max_trust_ratio": max_trust_ratio, "decay_lambda": decay_lambda}
    return descend_with_moments(lamb_ivy, arrays, rates | ratios, stop_gradients, out)
