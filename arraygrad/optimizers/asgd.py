"""Averaged stochastic gradient descent."""

from arraygrad.kernels.asgd import asgd as kernel
from arraygrad.optimizers._hyperparameters import at_least_zero
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, copies
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["asgd"]


def asgd(
    learning_rate: Hyperparameter,
    *,
    decay: Hyperparameter = 1e-4,
    power: Hyperparameter = 0.75,
    start: Hyperparameter = 1e6,
    weight_decay: Hyperparameter = 0.0,
) -> KernelOptimizer:
    """Make averaged gradient descent: the average of its parameters is what to use in the end.

    That is `state.slots["average"]`.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of the first step, in units of the parameters by those of the gradients.
    decay : float, 0-d array or schedule
        λ: how fast steps and parameters shrink.
    power : float, 0-d array or schedule
        α: of what power the steps shrink.
    start : float, 0-d array or schedule
        After so many steps the average starts; until then it is the parameters.
    weight_decay : float, 0-d array or schedule
        Its product with w joins the gradient.

    Returns
    -------
    KernelOptimizer
        With the slot `average`.

    Raises
    ------
    HyperparameterError
        If a number is negative.

    Notes
    -----
    With t the number of the step, from 1::

        η = lr / (1 + λ·lr·(t - 1))^α
        w ← w - η·(g + λw)
        a ← a + (w - a) / max(1, t - 1 - start)

    as in torch, whose η with a changing learning rate lags one step behind. Complex parameters
    follow the same formulas.

    References
    ----------
    Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; the rate:
    Xu 2011, arXiv:1107.2490, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import asgd
    >>> optimizer, params = asgd(0.1, start=0), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> for _ in range(3):
    ...     params, state = optimizer.step(params, {"w": np.asarray([1.0, 0.0])}, state)
    >>> params["w"].round(3), state.slots["average"]["w"].round(3)
    (array([0.7, 2. ]), array([0.75, 2.  ]))
    """
    at_least_zero(learning_rate=learning_rate, decay=decay, power=power, start=start)
    return decaying(
        "asgd",
        kernel,
        weight_decay=weight_decay,
        slots={"average": copies},
        hyperparameters={
            "learning_rate": learning_rate, "decay": decay, "power": power, "start": start,
        },
        needs_params=True,
    )  # fmt: skip
