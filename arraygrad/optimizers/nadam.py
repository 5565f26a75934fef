"""Nadam and NadamW."""

from collections.abc import Callable

from arraygrad.errors import HyperparameterError
from arraygrad.kernels import nadam as kernels
from arraygrad.kernels.weight_decay import Kernel, coupled, decoupled
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, Slot, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._slots import one
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["nadam", "nadamw"]

_CONVENTIONS = {
    "paper": kernels.nadam_paper,
    "torch": kernels.nadam_torch,
    "keras": kernels.nadam_torch,
    "optax": kernels.nadam_optax,
}
_MOMENTUM_DECAYS = {"torch": 4e-3, "keras": 1.0, "paper": 4e-3}


def nadam(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    momentum_decay: Hyperparameter | None = None,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Nadam: Adam that looks ahead, as Nesterov's momentum does.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    momentum_decay : float, 0-d array or schedule, optional
        ψ: how fast the momentum rises. By default 0.004, as in the paper and torch; keras has 1,
        and optax none.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    convention : {"paper", "torch", "optax", "keras"}
        Which of the formulas in the notes.

    Returns
    -------
    KernelOptimizer
        With the slots `mu` and `nu`, and but for optax `mu_product`, a number for each leaf.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With `adam`'s means μ and ν, and the momentum ρₜ = β₁(1 - 0.96^(ψt) / 2)::

        w ← w - lr · (ρₜ₊₁μ / (1 - ρ₁⋯ρₜ₊₁) + (1 - ρₜ)g / (1 - ρ₁⋯ρₜ)) / (√ν̂ + ε)

    in the conventions "torch" and "keras". In "paper" μ ← ρₜμ + (1 - ρₜ)g too, and ν̂ is
    β₂ν / (1 - β₂ᵗ). In "optax" each ρ is β₁. Of complex parameters ``|g|²`` is the squared
    magnitude.

    References
    ----------
    Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2 and section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import nadam
    >>> optimizer, params = nadam(0.1, convention="optax"), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.853, 2.147])
    """
    return _nadam(
        "nadam", coupled, learning_rate, beta1, beta2, epsilon, momentum_decay, weight_decay,
        convention,
    )  # fmt: skip


def nadamw(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    momentum_decay: Hyperparameter | None = None,
    weight_decay: Hyperparameter = 1e-2,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make NadamW: Nadam whose parameters decay beside the gradient, not through its means.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    momentum_decay : float, 0-d array or schedule, optional
        As for `nadam`.
    weight_decay : float, 0-d array or schedule
        λ, which the learning rate multiplies.
    convention : {"paper", "torch", "optax", "keras"}
        As for `nadam`; `"torch"` is `torch.optim.NAdam(decoupled_weight_decay=True)`.

    Returns
    -------
    KernelOptimizer
        With the slots of `nadam`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With `nadam`'s step u::

        w ← w + u - lr·λw

    References
    ----------
    Loshchilov & Hutter 2017, arXiv:1711.05101, section 2, applied to Nadam.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import nadamw
    >>> optimizer = nadamw(0.1, weight_decay=0.5, convention="optax")
    >>> params = {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.803, 2.047])
    """
    return _nadam(
        "nadamw", decoupled, learning_rate, beta1, beta2, epsilon, momentum_decay, weight_decay,
        convention,
    )  # fmt: skip


def _nadam(
    name: str,
    form: Callable[[Kernel], Kernel],
    learning_rate: Hyperparameter,
    beta1: Hyperparameter,
    beta2: Hyperparameter,
    epsilon: Hyperparameter,
    momentum_decay: Hyperparameter | None,
    weight_decay: Hyperparameter,
    convention: str,
) -> KernelOptimizer:
    """Make Nadam with a form of weight decay."""
    kernel = chosen(convention, _CONVENTIONS)
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    at_least_zero(momentum_decay=0.0 if momentum_decay is None else momentum_decay)
    rates = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    slots: dict[str, Slot] = {"mu": zeros, "nu": real_zeros}
    if convention == "optax":
        if momentum_decay is not None:
            message = '`momentum_decay` has no meaning in convention="optax"'
            raise HyperparameterError(message)
    else:
        default = _MOMENTUM_DECAYS[convention]
        rates["momentum_decay"] = default if momentum_decay is None else momentum_decay
        slots["mu_product"] = one
    return decaying(
        name, kernel, weight_decay=weight_decay, form=form, slots=slots, hyperparameters=rates
    )
