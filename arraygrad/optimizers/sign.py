"""Steps along a sign: signSGD, Signum and Lion."""

from arraygrad.kernels import sign as kernels
from arraygrad.kernels.weight_decay import decoupled
from arraygrad.optimizers._hyperparameters import at_least_zero, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["lion", "signsgd", "signum"]


def signsgd(learning_rate: Hyperparameter) -> KernelOptimizer:
    """Make signSGD: a step of the same size for every parameter, against its gradient.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.

    Returns
    -------
    KernelOptimizer
        Without slots.

    Raises
    ------
    HyperparameterError
        If the learning rate is negative.

    Notes
    -----
    The sign of a complex gradient is its direction, g / ``|g|``::

        w ← w - lr · sign(g)

    References
    ----------
    Bernstein et al. 2018, arXiv:1802.04434, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import signsgd
    >>> optimizer, params = signsgd(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    at_least_zero(learning_rate=learning_rate)
    return KernelOptimizer(
        "signsgd", kernels.signsgd, hyperparameters={"learning_rate": learning_rate}
    )


def signum(learning_rate: Hyperparameter, *, momentum: Hyperparameter = 0.9) -> KernelOptimizer:
    """Make Signum: a step of the same size for every parameter, against its mean gradient.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    momentum : float, 0-d array or schedule
        What each step keeps of the mean, in [0, 1).

    Returns
    -------
    KernelOptimizer
        With the slot `mu`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    The sign of a complex mean is its direction, μ / ``|μ|``::

        μ ← momentum · μ + (1 - momentum)g
        w ← w - lr · sign(μ)

    References
    ----------
    Bernstein et al. 2018, arXiv:1802.04434, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import signum
    >>> optimizer, params = signum(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(momentum=momentum)
    at_least_zero(learning_rate=learning_rate)
    return KernelOptimizer(
        "signum",
        kernels.signum,
        slots={"mu": zeros},
        hyperparameters={"learning_rate": learning_rate, "momentum": momentum},
    )


def lion(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.99,
    weight_decay: Hyperparameter = 0.0,
) -> KernelOptimizer:
    """Make Lion: a step along the sign of a mean that leans to the newest gradient.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters: a tenth to a third of Adam's.
    beta1, beta2 : float, 0-d array or schedule
        What the direction, and what the mean that is remembered, keep of the mean: in [0, 1).
    weight_decay : float, 0-d array or schedule
        The parameters shrink by this times the learning rate at each step.

    Returns
    -------
    KernelOptimizer
        With the slot `mu`. With weight decay it looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    The sign of a complex number is its direction::

        w ← w - lr · (sign(β₁μ + (1 - β₁)g) + λw)
        μ ← β₂μ + (1 - β₂)g

    References
    ----------
    Chen et al. 2023, arXiv:2302.06675, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import lion
    >>> optimizer, params = lion(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate)
    return decaying(
        "lion",
        kernels.lion,
        weight_decay=weight_decay,
        form=decoupled,
        slots={"mu": zeros},
        hyperparameters={"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2},
    )
