"""Steps whose size follows norms of whole arrays: LARS, LAMB, NovoGrad and Fromage."""

import math

from arraygrad._namespace import device_of, is_complex
from arraygrad._numbers import is_number
from arraygrad._typing import Array, Namespace
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import lamb as lamb_kernels
from arraygrad.kernels import lars as lars_kernels
from arraygrad.kernels import layerwise as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["fromage", "lamb", "lars", "novograd"]

_LARS = {  # by convention: with momentum, with Nesterov's, with none
    "paper": (
        lars_kernels.lars_paper, lars_kernels.lars_paper_nesterov, lars_kernels.lars_paper_alone
    ),
    "optax": (
        lars_kernels.lars_optax, lars_kernels.lars_optax_nesterov, lars_kernels.lars_optax_alone
    ),
    "ivy": (None, None, lars_kernels.lars_ivy),
}  # fmt: skip


def lars(
    learning_rate: Hyperparameter,
    *,
    momentum: Hyperparameter | None = None,
    nesterov: bool = False,
    weight_decay: Hyperparameter = 0.0,
    trust_coefficient: Hyperparameter | None = None,
    epsilon: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make LARS: descent whose rate is the ratio of weight to gradient, array by array.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The step, relative to the norm of the array.
    momentum : float, 0-d array or schedule
        What each step keeps of the one before, in [0, 1): 0.9 by default. The number 0 saves the
        slot.
    nesterov : bool
        Whether momentum is Nesterov's.
    weight_decay : float, 0-d array or schedule
        λ: λw is added to the gradient.
    trust_coefficient : float, 0-d array or schedule
        η, the factor of the ratio: 0.001 by default.
    epsilon : float, 0-d array or schedule
        Added to the divisor of the ratio.
    convention : {"paper", "optax", "ivy"}
        The divisor of the ratio: see the notes.

    Returns
    -------
    KernelOptimizer
        With the slot `velocity`, where there is momentum. It looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown or without what is given.

    Notes
    -----
    With norms over all elements of an array::

        v ← momentum · v + lr · η‖w‖ / (‖g‖ + λ‖w‖ + ε) · (g + λw)
        w ← w - v

    and 1 for the whole ratio where either norm is zero. In the convention "optax" the divisor is
    ‖g + λw‖ + ε. The convention "ivy" is `arraygrad.lars_update`'s, which has neither momentum nor
    η, and the ε 1e-12.

    References
    ----------
    You, Gitman & Ginsburg 2017, arXiv:1708.03888, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import lars
    >>> optimizer = lars(0.1, trust_coefficient=1.0)
    >>> params = {"w": np.asarray([3.0, 4.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.0, -2.0])}, state)
    >>> params["w"].round(3)
    array([3. , 4.5])
    """
    at_least_zero(learning_rate=learning_rate, weight_decay=weight_decay, epsilon=epsilon)
    with_momentum, with_nesterov, alone = chosen(convention, _LARS)
    if convention == "ivy":
        given = momentum is not None or trust_coefficient is not None or epsilon != 0
        if given or nesterov:
            message = "LARS in the convention 'ivy' has only `learning_rate` and `weight_decay`"
            raise HyperparameterError(message)
        hyperparameters = {"learning_rate": learning_rate, "weight_decay": weight_decay}
        return KernelOptimizer("lars", alone, hyperparameters=hyperparameters, needs_params=True)
    momentum = 0.9 if momentum is None else momentum
    trust_coefficient = 0.001 if trust_coefficient is None else trust_coefficient
    in_unit(momentum=momentum)
    at_least_zero(trust_coefficient=trust_coefficient)
    rates = {
        "learning_rate": learning_rate, "weight_decay": weight_decay,
        "trust_coefficient": trust_coefficient, "epsilon": epsilon,
    }  # fmt: skip
    if is_number(momentum) and momentum == 0:
        return KernelOptimizer("lars", alone, hyperparameters=rates, needs_params=True)
    return KernelOptimizer(
        "lars",
        with_nesterov if nesterov else with_momentum,
        slots={"velocity": zeros},
        hyperparameters=rates | {"momentum": momentum},
        needs_params=True,
    )


_LAMB = {
    "paper": lamb_kernels.lamb_paper,
    "optax": lamb_kernels.lamb_paper,
    "ivy": lamb_kernels.lamb_ivy,
}


def lamb(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-6,
    weight_decay: Hyperparameter = 0.0,
    max_trust_ratio: Hyperparameter = math.inf,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make LAMB: Adam whose rate is the ratio of weight to step, array by array.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The step, relative to the norm of the array.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ: λw is added to Adam's direction.
    max_trust_ratio : float, 0-d array or schedule
        The largest ratio; `arraygrad.lamb_update` has 10.
    convention : {"paper", "optax", "ivy"}
        Where ε joins. `"ivy"` is `arraygrad.lamb_update`'s; the others are the same.

    Returns
    -------
    KernelOptimizer
        With the slots `mu` and `nu`. It looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With t the number of the step, from 1, and norms over all elements of an array::

        μ ← β₁μ + (1 - β₁)g
        ν ← β₂ν + (1 - β₂)|g|²
        u = (μ / (1 - β₁ᵗ)) / (√(ν / (1 - β₂ᵗ)) + ε) + λw
        w ← w - lr · min(‖w‖ / ‖u‖, max) · u

    and 1 for the ratio where either norm is zero. The paper's φ is the identity.

    References
    ----------
    You et al. 2019, arXiv:1904.00962, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import lamb
    >>> optimizer, params = lamb(0.1), {"w": np.asarray([3.0, 4.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.0, -2.0])}, state)
    >>> params["w"].round(3)
    array([3. , 4.5])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(
        learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay,
        max_trust_ratio=max_trust_ratio,
    )  # fmt: skip
    return KernelOptimizer(
        "lamb",
        chosen(convention, _LAMB),
        slots={"mu": zeros, "nu": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "weight_decay": weight_decay, "max_trust_ratio": max_trust_ratio,
        },
        needs_params=True,
    )  # fmt: skip


def novograd(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.95,
    beta2: Hyperparameter = 0.98,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
) -> KernelOptimizer:
    """Make NovoGrad: momentum of gradients that are divided by their mean norm, array by array.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the momentum, and of the mean squared norm, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ: λw joins the momentum.

    Returns
    -------
    KernelOptimizer
        With the slots `mu` and `nu`: one number for each array. It looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    With norms over all elements of an array; at the first step ν = ‖g‖²::

        ν ← β₂ν + (1 - β₂)‖g‖²
        μ ← β₁μ + g / (√ν + ε) + λw
        w ← w - lr · μ

    References
    ----------
    Ginsburg et al. 2019, arXiv:1905.11286, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import novograd
    >>> optimizer, params = novograd(0.1), {"w": np.asarray([3.0, 4.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.0, -2.0])}, state)
    >>> params["w"].round(3)
    array([3. , 4.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)
    return KernelOptimizer(
        "novograd",
        kernels.novograd,
        slots={"mu": zeros, "nu": _one_number},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "weight_decay": weight_decay,
        },
        needs_params=True,
    )  # fmt: skip


def _one_number(xp: Namespace, w: Array) -> Array:
    """Start from one zero, real where the parameter is complex."""
    real = xp.real(w) if is_complex(xp, w.dtype) else w
    return xp.zeros((), dtype=real.dtype, device=device_of(w))


def fromage(learning_rate: Hyperparameter, *, min_norm: Hyperparameter = 1e-6) -> KernelOptimizer:
    """Make Fromage: steps of one relative size for every array, which does not grow by them.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The step, relative to the norm of the array.
    min_norm : float, 0-d array or schedule
        The least that norms are taken to be.

    Returns
    -------
    KernelOptimizer
        Without slots. It looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is negative.

    Notes
    -----
    With norms over all elements of an array::

        w ← (w - lr · ‖w‖ / ‖g‖ · g) / √(1 + lr²)

    As optax does, both norms are `min_norm` at least; the paper's have no such bound. With
    `min_norm` 0 the ratio is 1 where either norm is zero.

    References
    ----------
    Bernstein et al. 2020, arXiv:2002.03432, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import fromage
    >>> optimizer, params = fromage(0.75), {"w": np.asarray([3.0, 4.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.0, -2.0])}, state)
    >>> params["w"].round(3)
    array([2.4, 6.2])
    """
    at_least_zero(learning_rate=learning_rate, min_norm=min_norm)
    return KernelOptimizer(
        "fromage",
        kernels.fromage,
        hyperparameters={"learning_rate": learning_rate, "min_norm": min_norm},
        needs_params=True,
    )
