"""RAdam."""

from arraygrad.kernels import radam as kernels
from arraygrad.kernels.weight_decay import coupled, decoupled
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit, within
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["radam"]

# kernel, threshold
_CONVENTIONS = {
    "paper": (kernels.radam, 4.0),
    "torch": (kernels.radam_torch, 5.0),
    "optax": (kernels.radam, 5.0),
}


def radam(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    threshold: Hyperparameter | None = None,
    weight_decay: Hyperparameter = 0.0,
    decoupled_weight_decay: bool = False,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make RAdam: Adam that divides only once the variance of its divisor is tractable.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1). For the variance to become tractable β₂
        must exceed 0.6, and 0.6667 where the threshold is 5.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    threshold : float, 0-d array or schedule, optional
        The length of the mean square from which on it divides: by default the paper's 4, or the 5
        of torch and optax. At least 4.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    decoupled_weight_decay : bool
        Whether lr·λw is subtracted beside the step instead.
    convention : {"paper", "torch", "optax"}
        Where ε joins, and the threshold.

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
    With `adam`'s means μ and ν, corrected μ̂ and ν̂, and with t the number of the step::

        ρ∞ = 2 / (1 - β₂) - 1
        ρ  = ρ∞ - 2tβ₂ᵗ / (1 - β₂ᵗ)
        r  = √((ρ - 4)(ρ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρ))
        w ← w - lr · r · μ̂ / (√ν̂ + ε)      where ρ > threshold
        w ← w - lr · μ̂                      else

    The paper has no ε; in the convention "torch" it joins √ν before the correction. Of complex
    parameters ``|g|²`` is the squared magnitude.

    References
    ----------
    Liu, Jiang, He, Chen, Liu, Gao & Han 2019, arXiv:1908.03265, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import radam
    >>> optimizer, params = radam(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.95, 2.2 ])
    """
    kernel, usual = chosen(convention, _CONVENTIONS)
    threshold = usual if threshold is None else threshold
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    within("at least 4", lambda x: x >= 4, threshold=threshold)
    return decaying(
        "radam",
        kernel,
        weight_decay=weight_decay,
        form=decoupled if decoupled_weight_decay else coupled,
        slots={"mu": zeros, "nu": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "threshold": threshold,
        },
    )  # fmt: skip
