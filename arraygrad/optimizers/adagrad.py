"""Adagrad and Adadelta."""

from typing import Any

from arraygrad.kernels import adagrad as kernels
from arraygrad.kernels.adadelta import adadelta as adadelta_kernel
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._slots import real_filled
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["adadelta", "adagrad"]

_CONVENTIONS = {
    "paper": kernels.adagrad,
    "torch": kernels.adagrad,
    "optax": kernels.adagrad_inside,
    "keras": kernels.adagrad_inside,
}


def adagrad(
    learning_rate: Hyperparameter,
    *,
    learning_rate_decay: Hyperparameter = 0.0,
    initial_accumulator: Any = 0.0,
    epsilon: Hyperparameter = 1e-10,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Adagrad: a step divided by the root of the sum of all squares so far.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of the first step, in units of the parameters.
    learning_rate_decay : float, 0-d array or schedule
        η: the learning rate of step t is lr / (1 + (t - 1)η).
    initial_accumulator : float or 0-d array
        Where the sum starts: 0 as in the paper and torch, 0.1 in optax and keras.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero: 1e-10 is torch's default, 1e-7 optax's and keras's.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    convention : {"paper", "torch", "optax", "keras"}
        Where ε joins: the root, or in "optax" and "keras" what is under it.

    Returns
    -------
    KernelOptimizer
        With the slot `sum`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    ::

        s ← s + |g|²
        w ← w - lr · g / (√s + ε)       "optax", "keras": lr · g / √(s + ε)

    Of complex parameters ``|g|²`` is the squared magnitude; torch takes real and imaginary parts
    for two parameters.

    References
    ----------
    Duchi, Hazan & Singer 2011, "Adaptive subgradient methods for online learning and stochastic
    optimization", figure 1 with diagonal matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adagrad
    >>> optimizer, params = adagrad(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> for _ in range(2):
    ...     params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.829, 2.171])
    """
    at_least_zero(
        learning_rate=learning_rate,
        learning_rate_decay=learning_rate_decay,
        initial_accumulator=initial_accumulator,
        epsilon=epsilon,
    )
    return decaying(
        "adagrad",
        chosen(convention, _CONVENTIONS),
        weight_decay=weight_decay,
        slots={"sum": real_filled(initial_accumulator)},
        hyperparameters={
            "learning_rate": learning_rate,
            "learning_rate_decay": learning_rate_decay,
            "epsilon": epsilon,
        },
    )


def adadelta(
    learning_rate: Hyperparameter = 1.0,
    *,
    decay: Hyperparameter = 0.9,
    epsilon: Hyperparameter = 1e-6,
    weight_decay: Hyperparameter = 0.0,
) -> KernelOptimizer:
    """Make Adadelta: steps as long as the last ones, relative to the size of the gradient.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        A factor of each step, without units: 1 in the paper.
    decay : float, 0-d array or schedule
        ρ: what each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Under both roots: what the first steps come from.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.

    Returns
    -------
    KernelOptimizer
        With the slots `nu`, of gradients, and `moves`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    ::

        ν ← ρν + (1 - ρ)|g|²
        d = √(m + ε) / √(ν + ε) · g
        m ← ρm + (1 - ρ)|d|²
        w ← w - lr · d

    Torch, optax and keras agree. Of complex parameters ``|·|²`` is the squared magnitude; torch
    takes real and imaginary parts for two parameters.

    References
    ----------
    Zeiler 2012, arXiv:1212.5701, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adadelta
    >>> optimizer, params = adadelta(), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(4)
    array([0.9968, 2.0032])
    """
    in_unit(decay=decay)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return decaying(
        "adadelta",
        adadelta_kernel,
        weight_decay=weight_decay,
        slots={"nu": real_zeros, "moves": real_zeros},
        hyperparameters={"learning_rate": learning_rate, "decay": decay, "epsilon": epsilon},
    )
