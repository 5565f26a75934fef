"""Steps that are clipped element by element: ADOPT and Sophia."""

from typing import Any

from arraygrad._typing import Tree
from arraygrad.kernels import clipped as kernels
from arraygrad.kernels.weight_decay import decoupled
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer, State
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["adopt", "sophia"]


def _fourth_root(count: Any) -> Any:
    """Return the bound of ADOPT's algorithm 2."""
    return count**0.25


def adopt(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.9999,
    epsilon: Hyperparameter = 1e-6,
    weight_decay: Hyperparameter = 0.0,
    clip: Hyperparameter = _fourth_root,
) -> KernelOptimizer:
    """Make ADOPT: Adam that divides each gradient before it joins the mean, by older squares.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        The least divisor.
    weight_decay : float, 0-d array or schedule
        The parameters shrink by this times the learning rate at each step.
    clip : float, 0-d array or schedule
        What the divided gradient is clipped to: by default the fourth root of the number of steps
        done, as in algorithm 2. `math.inf` is algorithm 1.

    Returns
    -------
    KernelOptimizer
        With the slots `mu` and `nu`. With weight decay it looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    The first step only makes ν = ``|g|²``; from the second on::

        μ ← β₁μ + (1 - β₁) clip(g / max(√ν, ε), ±c)
        w ← w - lr · (μ + λw)
        ν ← β₂ν + (1 - β₂)|g|²

    Of complex numbers the magnitude is clipped. Weights decay at the first step too.

    References
    ----------
    Taniguchi et al. 2024, arXiv:2411.02853, algorithm 2 (clipped).

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adopt
    >>> optimizer, params = adopt(0.1), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> for _ in range(2):
    ...     params, state = optimizer.step(params, {"w": np.asarray([0.5, -2.0])}, state)
    >>> params["w"].round(3)
    array([0.99, 2.01])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon, clip=clip)
    return decaying(
        "adopt",
        kernels.adopt,
        weight_decay=weight_decay,
        form=decoupled,
        slots={"mu": zeros, "nu": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "clip": clip,
        },
    )  # fmt: skip


_SOPHIA = {
    "paper": (kernels.sophia_paper, kernels.sophia_paper_held),
    "optax": (kernels.sophia_optax, kernels.sophia_optax_held),
}


class _Sophia(Optimizer):
    """Two kernels that share a state: at steps with a Hessian's diagonal, and at the others."""

    takes = frozenset({"hessian_diagonal"})

    def __init__(self, renewing: KernelOptimizer, holding: KernelOptimizer) -> None:
        self._renewing, self._holding = renewing, holding
        self.name, self.kernel = holding.name, holding.kernel

    def __repr__(self) -> str:
        return repr(self._holding)

    def init(self, params: Tree, /) -> State:
        """Return the state before the first step."""
        return self._holding.init(params)

    def update(
        self, grads: Tree, state: State, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, State]:
        """Return what to add to the parameters, and the next state."""
        kernel, extra = self._chosen(extra)
        return kernel.update(grads, state, params, **extra)

    def step(
        self, params: Tree, grads: Tree, state: State, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the parameters after one step, and the next state."""
        kernel, extra = self._chosen(extra)
        return kernel.step(params, grads, state, donate=donate, **extra)

    def _chosen(self, extra: dict[str, Any]) -> tuple[KernelOptimizer, dict[str, Any]]:
        """Return the kernel of this step, and what it is given beside."""
        self._check_keywords(extra)
        if extra.get("hessian_diagonal") is None:
            return self._holding, {}
        return self._renewing, extra


def sophia(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.965,
    beta2: Hyperparameter = 0.99,
    gamma: Hyperparameter = 0.01,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    clip: Hyperparameter = 1.0,
    convention: str = "paper",
) -> Optimizer:
    """Make Sophia: mean gradients divided by an estimate of the Hessian's diagonal, and clipped.

    The caller estimates the diagonal and passes it every few steps: `step(params, grads, state,
    hessian_diagonal=tree)`, real and shaped like the parameters. At steps without one the last
    mean stays. By Hutchinson's method it is u times `arraygrad.hvp(cost, params, u)`, of random
    signs u; by Gauss, Newton and Bartlett the square of a gradient for sampled labels.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the mean gradient, each estimate of the mean diagonal, in [0, 1).
    gamma : float, 0-d array or schedule
        The factor of the diagonal: larger, fewer elements are clipped.
    epsilon : float, 0-d array or schedule
        The least divisor: where the diagonal is not positive, the step is a sign's.
    weight_decay : float, 0-d array or schedule
        The parameters shrink by this times the learning rate at each step.
    clip : float, 0-d array or schedule
        What each element of the direction is clipped to.
    convention : {"paper", "optax"}
        Which diagonal divides what: see the notes.

    Returns
    -------
    Optimizer
        With the slots `mu` and `hessian`. With weight decay it looks at the parameters.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With ĥ the given diagonal::

        μ ← β₁μ + (1 - β₁)g
        h ← β₂h + (1 - β₂)ĥ, where ĥ is given
        w ← w - lr · (clip(μ / max(γh, ε), ±ρ) + λw)

    In the convention "optax" μ's bias is corrected in the last line, which uses the h of before.
    Of complex numbers the magnitude is clipped.

    References
    ----------
    Liu et al. 2023, arXiv:2305.14342, algorithm 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import sophia
    >>> optimizer, params = sophia(0.1, gamma=1.0), {"w": np.asarray([1.0, 2.0])}
    >>> state = optimizer.init(params)
    >>> grads, diagonal = {"w": np.asarray([0.5, -2.0])}, {"w": np.asarray([4.0, 1.0])}
    >>> params, state = optimizer.step(params, grads, state, hessian_diagonal=diagonal)
    >>> params["w"].round(3)
    array([0.956, 2.1  ])
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(
        learning_rate=learning_rate, gamma=gamma, epsilon=epsilon, weight_decay=weight_decay,
        clip=clip,
    )  # fmt: skip
    renewing, holding = chosen(convention, _SOPHIA)
    hyperparameters = {
        "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "gamma": gamma,
        "epsilon": epsilon, "clip": clip,
    }  # fmt: skip
    slots = {"mu": zeros, "hessian": real_zeros}
    return _Sophia(
        decaying(
            "sophia",
            renewing,
            weight_decay=weight_decay,
            form=decoupled,
            slots=slots,
            hyperparameters=hyperparameters,
            arrays=("hessian_diagonal",),
        ),
        decaying(
            "sophia",
            holding,
            weight_decay=weight_decay,
            form=decoupled,
            slots=slots,
            hyperparameters=hyperparameters,
        ),
    )
