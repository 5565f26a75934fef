"""Rprop."""

from typing import Any

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.errors import DtypeError, HyperparameterError
from arraygrad.kernels import rprop as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, within
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._slots import real_filled

__all__ = ["rprop"]

_CONVENTIONS = {
    "paper": kernels.rprop_backtracking,
    "torch": kernels.rprop_torch,
}


def rprop(
    learning_rate: Any = 0.01,
    *,
    eta_minus: Hyperparameter = 0.5,
    eta_plus: Hyperparameter = 1.2,
    smallest: Hyperparameter = 1e-6,
    largest: Hyperparameter = 50.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Rprop: steps that grow while the gradient keeps its sign, whatever its size.

    For gradients of the whole cost: the noise of mini-batches changes signs.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The size of the first step, in units of the parameters. No schedule.
    eta_minus : float, 0-d array or schedule
        η⁻: by what a step shrinks where the sign changed, in (0, 1).
    eta_plus : float, 0-d array or schedule
        η⁺: by what it grows where the sign stayed, more than 1.
    smallest, largest : float, 0-d array or schedule
        Bounds of its size.
    convention : {"paper", "torch"}
        What happens where the sign changed: the paper undoes the last step, torch stays.

    Returns
    -------
    KernelOptimizer
        With the slots `sizes` and `previous`, the last gradient.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.
    DtypeError
        By `init`, if a parameter is complex: signs are compared.

    Notes
    -----
    With p the last gradient, for each number in w by itself::

        s ← clip(η⁺s, smallest, largest)   where g·p > 0,
            clip(η⁻s, smallest, largest)   where g·p < 0
        w ← w - sign(g)·s,  p ← g          where g·p ≥ 0
        w ← w + sign(p)·s before it shrank,  p ← 0   where g·p < 0, in the convention "paper"
        w ← w,  p ← 0                                where g·p < 0, in "torch"

    The latter is iRprop⁻ of Igel & Hüsken. Optax computes it too, but as of 0.2.8 takes each step
    one call late.

    References
    ----------
    Riedmiller & Braun 1993, "A direct adaptive method for faster backpropagation learning: the
    RPROP algorithm", section II; Igel & Hüsken 2000, "Improving the Rprop learning algorithm".

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import rprop
    >>> optimizer, params = rprop(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> for sign in (1.0, -1.0):
    ...     params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0 * sign])}, state)
    >>> params["w"].round(3)
    array([0.78, 2.  ])
    """
    at_least_zero(
        learning_rate=learning_rate, eta_minus=eta_minus, smallest=smallest, largest=largest
    )
    within("in (0, 1)", lambda x: 0 < x < 1, eta_minus=eta_minus)
    within("more than 1", lambda x: x > 1, eta_plus=eta_plus)
    if callable(learning_rate):
        message = (
            "`learning_rate` is the size of the first step, and must be a number, got a schedule"
        )
        raise HyperparameterError(message)
    return KernelOptimizer(
        "rprop",
        chosen(convention, _CONVENTIONS),
        slots={"sizes": real_filled(learning_rate), "previous": _real_zeros},
        hyperparameters={
            "eta_minus": eta_minus,
            "eta_plus": eta_plus,
            "smallest": smallest,
            "largest": largest,
        },
    )


def _real_zeros(xp: Namespace, w: Array) -> Array:
    """Start from zeros, of real parameters alone."""
    if is_complex(xp, w.dtype):
        message = f"`params` must be real for rprop, which compares signs, got dtype {w.dtype}"
        raise DtypeError(message)
    return zeros(xp, w)
