"""Adam and AdamW."""

from arraygrad.kernels import adam as kernels
from arraygrad.kernels.weight_decay import decoupled, decoupled_from_rate
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["adam", "adamw"]

_CONVENTIONS = {
    "paper": kernels.adam_paper,
    "torch": kernels.adam_paper,
    "optax": kernels.adam_paper,
    "keras": kernels.adam_keras,
    "ivy": kernels.adam_ivy,
}
_DECAYS = {
    "paper": (kernels.adam_paper, decoupled_from_rate),
    "torch": (kernels.adam_paper, decoupled),
    "optax": (kernels.adam_paper, decoupled),
    "keras": (kernels.adam_keras, decoupled),
}
_SLOTS = {"mu": zeros, "nu": real_zeros}


def adam(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Adam: a step along the mean gradient, divided by the root of its mean square.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ: the gradient becomes g + λw. For a decay beside the gradient see `adamw`.
    convention : {"paper", "torch", "optax", "keras", "ivy"}
        Where ε joins. The paper, torch and optax agree; `"ivy"` is `arraygrad.adam_update`'s.

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
    With t the number of the step, from 1::

        μ ← β₁μ + (1 - β₁)g
        ν ← β₂ν + (1 - β₂)|g|²
        w ← w - lr · (μ / (1 - β₁ᵗ)) / (√(ν / (1 - β₂ᵗ)) + ε)

    In the convention "keras" ε joins √ν before its bias is corrected, and in "ivy" 1 - β₁ᵗ too.

    Of complex parameters ``|g|²`` is the squared magnitude, as in optax; torch takes real and
    imaginary parts for two parameters.

    References
    ----------
    Kingma & Ba 2014, arXiv:1412.6980, algorithm 1; for "keras" and "ivy", the end of section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> optimizer, params = adam(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.9, 2.1])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    return decaying(
        "adam",
        chosen(convention, _CONVENTIONS),
        weight_decay=weight_decay,
        slots=_SLOTS,
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip


def adamw(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 1e-2,
    convention: str = "torch",
) -> KernelOptimizer:
    """Make AdamW: Adam whose parameters decay beside the gradient, not through its means.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        λ: 0.01 is torch's default; optax's is 0.0001.
    convention : {"torch", "optax", "keras", "paper"}
        How parameters decay. Libraries agree, but for keras's ε, which is where `adam` puts it;
        the paper's decay is much stronger.

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
    With `adam`'s step u::

        w ← w + u - lr·λw

    In the convention "paper" the last term is -λw: the paper writes ηₜ(αu + λw), where `adam`'s
    learning rate is ηₜα. Give ηₜλ as `weight_decay`, a schedule where ηₜ is one. All libraries mean
    lr·λ, so the default is theirs.

    References
    ----------
    Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adamw
    >>> optimizer, params = adamw(0.1, weight_decay=0.5), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.85, 2.  ])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    kernel, form = chosen(convention, _DECAYS)
    return decaying(
        "adamw",
        kernel,
        weight_decay=weight_decay,
        form=form,
        slots=_SLOTS,
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
        },
    )  # fmt: skip
