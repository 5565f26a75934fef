"""Adan."""

from arraygrad.kernels.adan import adan_optax, adan_paper
from arraygrad.kernels.weight_decay import decoupled
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["adan"]

_SLOTS = {"mu": zeros, "difference": zeros, "nu": real_zeros, "previous": zeros}


def adan(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.98,
    beta2: Hyperparameter = 0.92,
    beta3: Hyperparameter = 0.99,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Adan: Adam with Nesterov's momentum, estimated from differences of gradients.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2, beta3 : float, 0-d array or schedule
        What each step keeps of the means of gradients, of their differences, and of squares, in
        [0, 1). The paper's β are 1 less these.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        The parameters shrink by this times the learning rate at each step.
    convention : {"paper", "optax"}
        See the notes.

    Returns
    -------
    KernelOptimizer
        With the slots `mu`, `difference`, `nu` and `previous`, the last gradient. It looks at
        the parameters, in the convention "optax" only with weight decay.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With d = g - previous, which is 0 at the first step::

        μ ← β₁μ + (1 - β₁)g
        δ ← β₂δ + (1 - β₂)d
        ν ← β₃ν + (1 - β₃)|g + β₂d|²
        w ← (w - lr · (μ + β₂δ) / (√ν + ε)) / (1 + lr · λ)

    and at the first step μ = g, ν = ``|g|²``. In the convention "optax" the means start from
    zeros and their biases are corrected (`eps_root` is 0), 1 - β₂ stands for β₂ as the factor of d
    and δ, and the weights decay by lr · λw.

    References
    ----------
    Xie et al. 2022, arXiv:2208.06677, algorithm 1, without restarts.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adan
    >>> optimizer, params = adan(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2, beta3=beta3)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)
    kernel = chosen(convention, {"paper": adan_paper, "optax": adan_optax})
    hyperparameters = {
        "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "beta3": beta3,
        "epsilon": epsilon,
    }  # fmt: skip
    if convention == "optax":
        return decaying(
            "adan",
            kernel,
            weight_decay=weight_decay,
            form=decoupled,
            slots=_SLOTS,
            hyperparameters=hyperparameters,
        )
    hyperparameters["weight_decay"] = weight_decay
    return KernelOptimizer(
        "adan", kernel, slots=_SLOTS, hyperparameters=hyperparameters, needs_params=True
    )
