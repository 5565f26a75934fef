"""AMSGrad."""

from arraygrad.kernels import amsgrad as kernels
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["amsgrad"]

_CONVENTIONS = {
    "paper": kernels.amsgrad_paper,
    "torch": kernels.amsgrad_torch,
    "optax": kernels.amsgrad_optax,
    "keras": kernels.amsgrad_keras,
}


def amsgrad(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make AMSGrad: Adam divided by the largest mean square so far, which never shrinks.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw.
    convention : {"paper", "torch", "optax", "keras"}
        Where biases are corrected: see the notes. `"torch"` is `torch.optim.Adam(amsgrad=True)`.

    Returns
    -------
    KernelOptimizer
        With the slots `mu`, `nu` and `nu_max`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With `adam`'s means μ and ν, whose biases 1 - βᵗ divide them where they wear a hat::

        paper:  M ← max(M, ν)      w ← w - lr · μ / (√M + ε)
        torch:  M ← max(M, ν)      w ← w - lr · μ̂ / (√M̂ + ε)
        optax:  M ← max(M, ν̂)      w ← w - lr · μ̂ / (√M + ε)
        keras:  M ← max(M, ν)      w ← w - lr · μ̂ · √(1 - β₂ᵗ) / (√M + ε)

    The paper has no ε, and the rate lr / √t in its analysis. Of complex parameters ``|g|²`` is the
    squared magnitude.

    References
    ----------
    Reddi, Kale & Kumar 2018, "On the convergence of Adam and beyond", arXiv:1904.09237,
    algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import amsgrad
    >>> optimizer, params = amsgrad(0.1, convention="torch"), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return decaying(
        "amsgrad",
        chosen(convention, _CONVENTIONS),
        weight_decay=weight_decay,
        slots={"mu": zeros, "nu": real_zeros, "nu_max": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip
