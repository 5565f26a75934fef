"""SM3."""

from arraygrad._namespace import device_of, is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.kernels import sm3 as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["sm3"]


def sm3(
    learning_rate: Hyperparameter,
    *,
    momentum: Hyperparameter = 0.9,
    epsilon: Hyperparameter = 1e-8,
) -> KernelOptimizer:
    """Make SM3: AdaGrad that remembers a number for each row and column, not for each element.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of the first step, in units of the parameters.
    momentum : float, 0-d array or schedule
        What each step keeps of the mean direction, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero, as optax does; 0 is the paper's.

    Returns
    -------
    KernelOptimizer
        With the slots `mu`, and `covers`: vectors with one number for each slice of each axis, the
        axes one after the other (a matrix of shape (m, n) has m + n).

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    For an element in the slices r, one of each axis::

        ν = minᵣ coverᵣ + |g|²
        coverᵣ ← max ν over the slice r
        μ ← momentum · μ + (1 - momentum) g / √(ν + ε)
        w ← w - lr · μ

    where 0 / 0 is 0.

    References
    ----------
    Anil et al. 2019, arXiv:1901.11150, algorithm SM3-II; momentum is in section 5.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import sm3
    >>> optimizer, params = sm3(0.1, momentum=0.0), {"w": np.asarray([[1.0, 2.0]])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([[0.5, -2.0]])}, state)
    >>> params["w"].round(3)
    array([[0.9, 2.1]])
    >>> state.slots["covers"]["w"]
    array([4.  , 0.25, 4.  ])
    """
    in_unit(momentum=momentum)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return KernelOptimizer(
        "sm3",
        kernels.sm3,
        slots={"mu": zeros, "covers": _covers},
        hyperparameters={
            "learning_rate": learning_rate, "momentum": momentum, "epsilon": epsilon,
        },
    )  # fmt: skip


def _covers(xp: Namespace, w: Array) -> Array:
    """Start from a zero for each slice of each axis; a scalar has one."""
    real = xp.real(w) if is_complex(xp, w.dtype) else w
    return xp.zeros((sum(w.shape) if w.shape else 1,), dtype=real.dtype, device=device_of(w))
