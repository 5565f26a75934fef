"""Adamax and AdamaxW."""

from arraygrad.kernels import adamax as kernels
from arraygrad.kernels.weight_decay import decoupled
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["adamax", "adamaxw"]

_CONVENTIONS = {
    "paper": kernels.adamax,
    "keras": kernels.adamax,
    "torch": kernels.adamax_torch,
    "optax": kernels.adamax_torch,
}
_SLOTS = {"mu": zeros, "nu": real_zeros}


def adamax(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Adamax: a step along the mean gradient, divided by the largest recent magnitude.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the mean and of the largest magnitude, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    convention : {"paper", "torch", "optax", "keras"}
        Where ε joins: see the notes.

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
    In the conventions "paper", which has no ε, and "keras"::

        μ ← β₁μ + (1 - β₁)g
        ν ← max(β₂ν, |g|)
        w ← w - lr / (1 - β₁ᵗ) · μ / (ν + ε)

    In "torch" and "optax" ε joins ``|g|``, not ν. Of complex parameters ``|g|`` is the magnitude.

    References
    ----------
    Kingma & Ba 2014, arXiv:1412.6980, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adamax
    >>> optimizer, params = adamax(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return decaying(
        "adamax",
        chosen(convention, _CONVENTIONS),
        weight_decay=weight_decay,
        slots=_SLOTS,
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip


def adamaxw(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 1e-4,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make AdamaxW: Adamax whose parameters decay beside the gradient, not through its mean.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the mean and of the largest magnitude, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ, which the learning rate multiplies.
    convention : {"paper", "torch", "optax", "keras"}
        Where ε joins, as for `adamax`.

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
    With `adamax`'s step u::

        w ← w + u - lr·λw

    References
    ----------
    Loshchilov & Hutter 2017, arXiv:1711.05101, section 2, applied to Adamax.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adamaxw
    >>> optimizer, params = adamaxw(0.1, weight_decay=0.5), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.85, 2.  ])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return decaying(
        "adamaxw",
        chosen(convention, _CONVENTIONS),
        weight_decay=weight_decay,
        form=decoupled,
        slots=_SLOTS,
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip
