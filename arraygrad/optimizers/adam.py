"""Adam and AdamW."""

from arraygrad.kernels.adam import adam_ivy, adam_paper
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["adam"]

_CONVENTIONS = {"paper": adam_paper, "torch": adam_paper, "optax": adam_paper, "ivy": adam_ivy}


def adam(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Adam: a step along the mean gradient, divided by the root of its mean square.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    convention : {"paper", "torch", "optax", "ivy"}
        Where ε joins. `"ivy"` is `arraygrad.adam_update`'s; the others are the same.

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
    With t the number of the step, from 1::

        μ ← β₁μ + (1 - β₁)g
        ν ← β₂ν + (1 - β₂)|g|²
        w ← w - lr · (μ / (1 - β₁ᵗ)) / (√(ν / (1 - β₂ᵗ)) + ε)

    In the convention "ivy" ε joins √ν before its bias is corrected, and 1 - β₁ᵗ.

    References
    ----------
    Kingma & Ba 2014, arXiv:1412.6980, algorithm 1; for "ivy", the end of section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> optimizer, params = adam(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return KernelOptimizer(
        "adam",
        chosen(convention, _CONVENTIONS),
        slots={"mu": zeros, "nu": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip
