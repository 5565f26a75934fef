"""Optimistic steps, for games: gradient descent and Adam."""

from arraygrad.kernels import optimistic as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["optimistic_adam", "optimistic_gradient_descent"]


def optimistic_gradient_descent(
    learning_rate: Hyperparameter,
    *,
    alpha: Hyperparameter = 1.0,
    beta: Hyperparameter = 1.0,
) -> KernelOptimizer:
    """Make optimistic gradient descent, which expects the gradient to go on as it just changed.

    It finds saddle points where gradient descent circles.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The length of a step over the gradient's.
    alpha : float, 0-d array or schedule
        The factor of the gradient.
    beta : float, 0-d array or schedule
        The factor of its change.

    Returns
    -------
    KernelOptimizer
        With the slot `previous`, the last gradient.

    Raises
    ------
    HyperparameterError
        If a number is negative.

    Notes
    -----
    At the first step `previous` is g::

        w ← w - lr · (αg + β(g - previous))

    References
    ----------
    Daskalakis et al. 2017, arXiv:1711.00141, section 2; Mokhtari et al. 2019, arXiv:1901.08511,
    for α and β.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import optimistic_gradient_descent
    >>> optimizer, game = optimistic_gradient_descent(0.3), np.asarray([1.0, 1.0])
    >>> state = optimizer.init(game)
    >>> for _ in range(200):  # x minimizes, y maximizes xy
    ...     x, y = game
    ...     game, state = optimizer.step(game, np.asarray([y, -x]), state)
    >>> abs(game).max() < 1e-3
    np.True_
    """
    at_least_zero(learning_rate=learning_rate, alpha=alpha, beta=beta)
    return KernelOptimizer(
        "optimistic_gradient_descent",
        kernels.optimistic_gradient_descent,
        slots={"previous": zeros},
        hyperparameters={"learning_rate": learning_rate, "alpha": alpha, "beta": beta},
    )


def optimistic_adam(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    alpha: Hyperparameter = 1.0,
    beta: Hyperparameter = 1.0,
    nesterov: bool = False,
) -> KernelOptimizer:
    """Make optimistic Adam, which expects Adam's direction to go on as it just changed.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    alpha : float, 0-d array or schedule
        The factor of the direction.
    beta : float, 0-d array or schedule
        The factor of its change.
    nesterov : bool
        Whether the direction is that of Nadam, as in optax by default.

    Returns
    -------
    KernelOptimizer
        With the slots `mu`, `nu` and `previous`, the last direction.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    With t the number of the step, from 1; at the first step `previous` is r::

        μ ← β₁μ + (1 - β₁)g
        ν ← β₂ν + (1 - β₂)|g|²
        r = (μ / (1 - β₁ᵗ)) / (√(ν / (1 - β₂ᵗ)) + ε)
        w ← w - lr · (αr + β(r - previous))

    Optax calls this `optimistic_adam_v2`.

    References
    ----------
    Daskalakis et al. 2017, arXiv:1711.00141, algorithm 1; Dozat 2016 for `nesterov`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import optimistic_adam
    >>> optimizer, params = optimistic_adam(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon, alpha=alpha, beta=beta)
    return KernelOptimizer(
        "optimistic_adam",
        kernels.optimistic_adam_nesterov if nesterov else kernels.optimistic_adam,
        slots={"mu": zeros, "nu": real_zeros, "previous": zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "alpha": alpha, "beta": beta,
        },
    )  # fmt: skip
