"""Adam with another second moment: AdaBelief and Yogi."""

import functools

from arraygrad._typing import Array, Namespace
from arraygrad.kernels import belief as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, Slot, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["adabelief", "yogi"]


def adabelief(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-16,
    nesterov: bool = False,
) -> KernelOptimizer:
    """Make AdaBelief: Adam whose divisor is how far gradients lie from their mean.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Added to σ at every step, and to its root. 1e-16 is that of the authors' code.
    nesterov : bool
        Whether the direction is the mean gradient of the next step, as in Nadam.

    Returns
    -------
    KernelOptimizer
        With the slots `mu` and `sigma`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    With t the number of the step, from 1::

        μ ← β₁μ + (1 - β₁)g
        σ ← β₂σ + (1 - β₂)|g - μ|² + ε
        w ← w - lr · (μ / (1 - β₁ᵗ)) / (√(σ / (1 - β₂ᵗ)) + ε)

    With `nesterov`, β₁μ / (1 - β₁ᵗ⁺¹) + (1 - β₁)g / (1 - β₁ᵗ) stands for μ / (1 - β₁ᵗ). Same as
    optax's, whose two ε are `eps` and `eps_root`.

    References
    ----------
    Zhuang et al. 2020, arXiv:2010.07468, algorithm 2; Dozat 2016 for `nesterov`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adabelief
    >>> optimizer, params = adabelief(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.889, 2.111])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return KernelOptimizer(
        "adabelief",
        kernels.adabelief_nesterov if nesterov else kernels.adabelief,
        slots={"mu": zeros, "sigma": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip


_YOGI = {"paper": kernels.yogi_paper, "optax": kernels.yogi_optax}


def yogi(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-3,
    initial_accumulator: float = 1e-6,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Yogi: Adam whose mean square moves by steps that do not depend on itself.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the mean, and 1 less how fast the square moves, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    initial_accumulator : float
        What ν is at first; in the convention "optax" μ as well.
    convention : {"paper", "optax"}
        Whether bias is corrected: not in the paper's algorithm, both moments' by optax.

    Returns
    -------
    KernelOptimizer
        With the slots `mu` and `nu`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    ::

        μ ← β₁μ + (1 - β₁)g
        ν ← ν - (1 - β₂) sign(ν - |g|²)|g|²
        w ← w - lr · μ / (√ν + ε)

    In the convention "optax", μ / (1 - β₁ᵗ) and ν / (1 - β₂ᵗ) take part in the last line.

    References
    ----------
    Zaheer et al. 2018, "Adaptive methods for nonconvex optimization", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import yogi
    >>> optimizer, params = yogi(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.703, 2.311])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(
        learning_rate=learning_rate, epsilon=epsilon, initial_accumulator=initial_accumulator
    )
    kernel = chosen(convention, _YOGI)
    filled = functools.partial(_filled, value=initial_accumulator)
    return KernelOptimizer(
        "yogi",
        kernel,
        slots={
            "mu": functools.partial(filled, like=zeros) if convention == "optax" else zeros,
            "nu": functools.partial(filled, like=real_zeros),
        },
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip


def _filled(xp: Namespace, w: Array, *, like: Slot, value: float) -> Array:
    """Start from a number everywhere."""
    return xp.full_like(like(xp, w), value)
