"""AdEMAMix."""

import functools
import math
from typing import Any

from arraygrad._numbers import is_number, namespace_for
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import ademamix as kernels
from arraygrad.kernels.weight_decay import decoupled
from arraygrad.optimizers._hyperparameters import at_least_one, at_least_zero, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["ademamix"]


def ademamix(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    beta3: Hyperparameter = 0.9999,
    alpha: Hyperparameter = 5.0,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    warmup: int | None = None,
) -> KernelOptimizer:
    """Make AdEMAMix: Adam whose direction mixes a fast and a slow mean of gradients.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2, beta3 : float, 0-d array or schedule
        What each step keeps of the fast mean, of squares, and of the slow mean, in [0, 1).
    alpha : float, 0-d array or schedule
        How much of the slow mean is added.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        The parameters shrink by this times the learning rate at each step.
    warmup : int, optional
        The number of steps, T, over which α grows from 0 and β₃ from β₁: the paper's schedules.
        β₁, β₃ and α must be numbers then.

    Returns
    -------
    KernelOptimizer
        With the slots `mu`, `slow` and `nu`. With weight decay it looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or `warmup` is given beside schedules.

    Notes
    -----
    With t the number of the step, from 1::

        μ ← β₁μ + (1 - β₁)g
        s ← β₃s + (1 - β₃)g
        ν ← β₂ν + (1 - β₂)|g|²
        w ← w - lr · ((μ / (1 - β₁ᵗ) + αs) / (√(ν / (1 - β₂ᵗ)) + ε) + λw)

    With `warmup`, α is min(α, αt / T), and the half-life of s grows evenly.

    References
    ----------
    Pagliardini et al. 2024, arXiv:2409.03137, algorithm 1; the schedules are in section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import ademamix
    >>> optimizer, params = ademamix(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2, beta3=beta3)
    at_least_zero(learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
    if warmup is not None:
        alpha, beta3 = _warmed(warmup, beta1, beta3, alpha)
    return decaying(
        "ademamix",
        kernels.ademamix,
        weight_decay=weight_decay,
        form=decoupled,
        slots={"mu": zeros, "slow": zeros, "nu": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "beta3": beta3,
            "alpha": alpha, "epsilon": epsilon,
        },
    )  # fmt: skip


def _warmed(steps: int, beta1: Any, beta3: Any, alpha: Any) -> tuple[Any, Any]:
    """Return α and β₃ as schedules that reach their values after so many steps."""
    if not all(map(is_number, (beta1, beta3, alpha))) or beta1 <= 0 or beta3 <= 0:
        message = "`warmup` needs positive numbers for `beta1`, `beta3` and `alpha`"
        raise HyperparameterError(message)
    at_least_one(warmup=steps)
    return (
        functools.partial(_rising, top=alpha, steps=steps),
        functools.partial(_lengthening, first=beta1, last=beta3, steps=steps),
    )


def _part(count: Any, steps: int) -> Any:
    """Return how much of the warm-up is done at the step after so many, 1 after it."""
    done = (count + 1) / steps
    return namespace_for(None, done).clip(done, max=1.0)


def _rising(count: Any, *, top: float, steps: int) -> Any:
    return top * _part(count, steps)


def _lengthening(count: Any, *, first: float, last: float, steps: int) -> Any:
    """Return the β whose 1/log β lies between those of the first and the last."""
    part = _part(count, steps)
    rate = 1 / ((1 - part) / math.log(first) + part / math.log(last))
    return namespace_for(None, part).exp(rate)
