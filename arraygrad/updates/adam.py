"""Adam: the direction, and the step along it."""

from arraygrad._typing import Tree
from arraygrad.kernels.adam import adam_direction, adam_ivy
from arraygrad.updates._leafwise import Result, descend_with_moments, leafwise

__all__ = ["adam_step", "adam_update"]


def adam_step(
    dcdw: Tree,
    mw: Tree,
    vw: Tree,
    step: Tree,
    /,
    *,
    beta1: Tree = 0.9,
    beta2: Tree = 0.999,
    epsilon: Tree = 1e-7,
    out: Tree | None = None,
) -> tuple[Tree, Tree, Tree]:
    """Return the direction of an Adam step, and the new moments.

    Parameters
    ----------
    dcdw : array or tree of arrays
        The derivatives of the cost, real or complex, of any shape; integers are cast.
    mw, vw : array or tree of arrays
        The running means of the gradient and of its squared magnitude, floating, of shapes that
        broadcast with those of `dcdw`. Zeros at first.
    step : int, float, array or tree
        The number of this step, greater than 0, counted from 1.
    beta1, beta2 : float, array or tree
        What each step keeps of the means, in [0, 1).
    epsilon : float, array or tree
        Keeps the divisor away from zero.
    out : array or tree of arrays, optional
        Like the first result, and writeable: it receives the direction and takes its place in
        what is returned.

    Returns
    -------
    delta, mw, vw : array or tree of arrays
        The direction, to be multiplied by the learning rate and subtracted, in the dtype of
        `dcdw` (of `mw`, where that is integer), and the new moments in theirs. Each is a tree if
        any argument that enters its formula is.

    Raises
    ------
    StructureError
        If the trees differ; the message names the path.
    ShapeError
        If shapes do not broadcast.
    DtypeError
        If a leaf is no array, or the moments are not floating.
    HyperparameterError
        If `step`, a beta or `epsilon` can be read and lies outside its range.
    MixedLibraryError, DeviceError
        If arrays come from several libraries or lie on several devices.
    OutError
        If `out` is read-only (jax arrays are) or has another dtype.

    Notes
    -----
    With t = `step`, computed in float32 at least::

        m ← β₁m + (1 - β₁)g
        v ← β₂v + (1 - β₂)|g|²
        delta = m √(1 - β₂ᵗ) / (1 - β₁ᵗ + ε) / (√max(v, 0) + ε)

    ε joins √v before its bias is corrected, as in the paper's section 2 and unlike its
    algorithm 1 (torch, optax), which has ε / √(1 - β₂ᵗ) in that place; and it joins 1 - β₁ᵗ too,
    for parity with Ivy.

    References
    ----------
    Kingma & Ba 2014, arXiv:1412.6980, end of section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import adam_step
    >>> delta, m, v = adam_step(np.asarray([0.5, -2.0]), np.zeros(2), np.zeros(2), 1)
    >>> delta.round(3)
    array([ 1., -1.])
    >>> m
    array([ 0.05, -0.2 ])
    """
    delta, mw, vw = leafwise(
        adam_direction,
        {"dcdw": dcdw, "mw": mw, "vw": vw},
        {"step": step, "beta1": beta1, "beta2": beta2, "epsilon": epsilon},
        [
            Result("dcdw", ["dcdw", "mw", "vw", "step", "beta1", "beta2", "epsilon"]),
            Result("mw", ["mw", "dcdw", "beta1"]),
            Result("vw", ["vw", "dcdw", "beta2"]),
        ],
        stop_gradients=False,
        out=out,
    )
    return delta, mw, vw


def adam_update(
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
    stop_gradients: bool = True,
    out: Tree | None = None,
) -> tuple[Tree, Tree, Tree]:
    """Update weights by a step of Adam.

    Parameters
    ----------
    w : array or tree of arrays
        The weights, real or complex floating, of any shape.
    dcdw : array or tree of arrays
        The derivatives of the cost, of shapes that broadcast to those of `w`; integers are cast.
    lr : float, array or tree
        The learning rate, in units of `w`: Adam's direction has none.
    mw_tm1, vw_tm1 : array or tree of arrays
        The moments of the step before, as in `adam_step`. Zeros at first.
    step, beta1, beta2, epsilon
        As in `adam_step`.
    stop_gradients : bool
        Whether the new weights and moments forget how they were computed.
    out : array or tree of arrays, optional
        Receives the new weights and takes their place in what is returned. It may be `w` itself.

    Returns
    -------
    w, mw, vw : array or tree of arrays
        The new weights and moments, each in the dtype of what it replaces. The weights are a tree
        if any argument is, a moment if it or `dcdw` is.

    Raises
    ------
    ArraygradError
        As `adam_step` does, and `ShapeError` if the weights would grow.

    Notes
    -----
    w ← w - lr·delta, with the direction and the moments of `adam_step`: see there which variant.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad import adam_update
    >>> w, m, v = np.asarray([1.0, 2.0]), np.zeros(2), np.zeros(2)
    >>> w, m, v = adam_update(w, np.asarray([0.5, -2.0]), 0.1, m, v, 1)
    >>> w.round(3)
    array([0.9, 2.1])
    """
    arrays = {"w": w, "dcdw": dcdw, "mw_tm1": mw_tm1, "vw_tm1": vw_tm1}
    rates = {"lr": lr, "step": step, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    return descend_with_moments(adam_ivy, arrays, rates, stop_gradients, out)
