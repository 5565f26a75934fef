"""Stochastic gradient descent, with and without momentum."""

from arraygrad._numbers import is_number
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import sgd as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["sgd"]

_VELOCITY = {False: kernels.velocity, True: kernels.nesterov_velocity}
_MOMENTUM = {False: kernels.momentum, True: kernels.nesterov}
_CONVENTIONS = {"paper": _VELOCITY, "keras": _VELOCITY, "torch": _MOMENTUM, "optax": _MOMENTUM}


def sgd(
    learning_rate: Hyperparameter,
    *,
    momentum: Hyperparameter = 0.0,
    nesterov: bool = False,
    dampening: Hyperparameter = 0.0,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make gradient descent: a step against the gradient, or against a sum of the last ones.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters by those of the gradients.
    momentum : float, 0-d array or schedule
        What each step keeps of the last ones, in [0, 1). Without, there is no slot.
    nesterov : bool
        Whether the momentum is Nesterov's.
    dampening : float, 0-d array or schedule
        What the sum lacks of each gradient but the first, in [0, 1). Torch's alone.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    convention : {"paper", "torch", "optax", "keras"}
        Where the learning rate joins. Torch and optax multiply the sum by it; the paper and keras
        sum moves. They differ where it changes from step to step.

    Returns
    -------
    KernelOptimizer
        With the slot `velocity` where there is momentum.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, the convention unknown, or two things exclude each other.

    Notes
    -----
    With momentum μ, in the conventions "paper" and "keras"::

        b ← μb - lr·g
        w ← w + b                       nesterov: w + μb - lr·g

    and in "torch" and "optax", with the dampening τ (0 at the first step)::

        b ← μb + (1 - τ)g
        w ← w - lr·b                    nesterov: w - lr·(g + μb)

    Complex parameters follow the same formulas.

    References
    ----------
    Polyak 1964, "Some methods of speeding up the convergence of iteration methods", eq. 9;
    Sutskever, Martens, Dahl & Hinton 2013, "On the importance of initialization and momentum in
    deep learning", eqs. 1-4.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import sgd
    >>> optimizer, params = sgd(0.1, momentum=0.9), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> for _ in range(2):
    ...     params, state = optimizer.step(params, {"w": np.asarray([1.0, 0.0])}, state)
    >>> params["w"].round(3)
    array([0.71, 2.  ])
    """
    at_least_zero(learning_rate=learning_rate)
    in_unit(momentum=momentum, dampening=dampening)
    by_nesterov = chosen(convention, _CONVENTIONS)
    without_momentum, without_dampening = (is_number(x) and x == 0 for x in (momentum, dampening))
    if not without_dampening and (nesterov or without_momentum or convention != "torch"):
        message = '`dampening` needs `momentum`, convention="torch" and nesterov=False'
        raise HyperparameterError(message)
    rates = {"learning_rate": learning_rate}
    if without_momentum:
        return decaying("sgd", kernels.sgd, weight_decay=weight_decay, hyperparameters=rates)
    rates["momentum"] = momentum
    kernel = by_nesterov[nesterov]
    if not without_dampening:
        kernel, rates["dampening"] = kernels.dampened_momentum, dampening
    return decaying(
        "sgd", kernel, weight_decay=weight_decay, slots={"velocity": zeros}, hyperparameters=rates
    )
