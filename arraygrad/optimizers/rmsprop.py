"""RMSProp."""

from arraygrad._numbers import is_number
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import rmsprop as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, Slot, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["rmsprop"]

# by (centered, momentum), momentum being "", "momentum" or "nesterov"
_INSIDE = {
    (False, ""): kernels.rmsprop,
    (False, "momentum"): kernels.rmsprop_momentum,
    (False, "nesterov"): kernels.rmsprop_nesterov,
    (True, ""): kernels.centered,
    (True, "momentum"): kernels.centered_momentum,
    (True, "nesterov"): kernels.centered_nesterov,
}
_TORCH = {
    (False, ""): kernels.rmsprop_torch,
    (False, "momentum"): kernels.rmsprop_momentum_torch,
    (True, ""): kernels.centered_torch,
    (True, "momentum"): kernels.centered_momentum_torch,
}
_CONVENTIONS = {"paper": _INSIDE, "optax": _INSIDE, "keras": _INSIDE, "torch": _TORCH}


def rmsprop(
    learning_rate: Hyperparameter,
    *,
    decay: Hyperparameter = 0.9,
    epsilon: Hyperparameter = 1e-8,
    momentum: Hyperparameter = 0.0,
    nesterov: bool = False,
    centered: bool = False,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make RMSProp: a step divided by the root of the mean square of recent gradients.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    decay : float, 0-d array or schedule
        ρ: what each step keeps of the means, in [0, 1). Torch's default is 0.99.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    momentum : float, 0-d array or schedule
        m: what each step keeps of the last ones, in [0, 1). Without, there is no such slot.
    nesterov : bool
        Whether the momentum is Nesterov's; not in the convention "torch".
    centered : bool
        Whether the mean is subtracted: the divisor is then a standard deviation.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    convention : {"paper", "torch", "optax", "keras"}
        Where ε and the learning rate join: the others do as the paper, but for torch.

    Returns
    -------
    KernelOptimizer
        With the slots `nu`, `mu` where centered, and `velocity` where there is momentum.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, the convention unknown, or two things exclude each other.

    Notes
    -----
    With μ = 0 where not centered::

        ν ← ρν + (1 - ρ)|g|²
        μ ← ρμ + (1 - ρ)g
        b ← m·b - lr · g / √(ν - |μ|² + ε)
        w ← w + b                               nesterov: w + m·b - lr · g / √…

    In the convention "torch"::

        b ← m·b + g / (√(ν - |μ|²) + ε)
        w ← w - lr·b

    Where rounding makes ν - ``|μ|²`` negative, it counts as 0. Of complex parameters ``|·|²`` is
    the squared magnitude; torch takes real and imaginary parts for two parameters.

    References
    ----------
    Tieleman & Hinton 2012, "Neural networks for machine learning", lecture 6e; with ε, momentum
    and centered: Graves 2013, arXiv:1308.0850, eqs. 38-41.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import rmsprop
    >>> optimizer, params = rmsprop(0.1, momentum=0.5), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.684, 2.316])
    """
    in_unit(decay=decay, momentum=momentum)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    known = chosen(convention, _CONVENTIONS)
    rates = {"learning_rate": learning_rate, "decay": decay, "epsilon": epsilon}
    slots: dict[str, Slot] = {"nu": real_zeros}
    if centered:
        slots["mu"] = zeros
    moving = not (is_number(momentum) and momentum == 0)
    if moving:
        rates["momentum"], slots["velocity"] = momentum, zeros
    if nesterov and (not moving or convention == "torch"):
        message = '`nesterov` needs `momentum`, and a convention other than "torch"'
        raise HyperparameterError(message)
    kernel = known[bool(centered), "nesterov" if nesterov else "momentum" if moving else ""]
    return decaying(
        "rmsprop", kernel, weight_decay=weight_decay, slots=slots, hyperparameters=rates
    )
