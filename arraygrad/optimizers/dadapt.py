"""D-Adaptation: AdamW that finds its own rate. Not one kernel: it needs sums over all leaves."""

from typing import Any

from arraygrad import fusion
from arraygrad._namespace import array_namespace
from arraygrad._typing import Array
from arraygrad.kernels import adaptation as kernels
from arraygrad.optimizers._adaptation import Columns, DistanceOptimizer
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._sums import summed

__all__ = ["dadapt_adamw"]


def dadapt_adamw(
    learning_rate: Hyperparameter = 1.0,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    initial_distance: float = 1e-6,
    convention: str = "paper",
) -> DistanceOptimizer:
    """Make D-Adapt AdamW: the rate is a lower bound of the distance from start to minimum.

    A step needs sums over the whole tree: all leaves are of one library. `prodigy` grows faster.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        Multiplies the bound: 1, or a schedule that falls from 1.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        What parameters lose in each step, times the rate.
    initial_distance : float
        The first bound, too small on purpose.
    convention : {"paper", "optax"}
        optax corrects the bias of means in the rate, as Adam does, and weighs the inner product
        by the second moments of the step before.

    Returns
    -------
    Optimizer
        With the slots `mu`, `nu`, `sum`, and the 0-d arrays `distance`, `numerator`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With γ = lr and β₃ = √β₂; μ, ν, and A = √ν + ε elementwise, s per leaf, r and d for all::

        μ ← β₁μ + (1 - β₁)γd g,  ν ← β₂ν + (1 - β₂)|g|²
        w ← w - μ / A - γd λw
        r ← β₃r + (1 - β₃)γd ⟨g, s / A⟩,  then s ← β₃s + (1 - β₃)γd g
        d ← max(d, r / ((1 - β₃)‖s‖₁))

    Where s is 0, d stays. The inner product of complex arrays is the real part.

    References
    ----------
    Defazio & Mishchenko 2023, arXiv:2301.07733, algorithm 5.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import dadapt_adamw
    >>> optimizer, w = dadapt_adamw(), np.asarray([1.0, -2.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(300):
    ...     w, state = optimizer.step(w, 2 * w, state)
    >>> bool(state.slots["distance"] > 0.01)
    True
    """
    in_unit(beta1=beta1, beta2=beta2)
    at_least_zero(
        learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay,
        initial_distance=initial_distance,
    )  # fmt: skip
    chosen(convention, {"paper": None, "optax": None})
    return _DAdapt(
        "dadapt_adamw",
        slots={"mu": zeros, "nu": real_zeros, "sum": zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "weight_decay": weight_decay, "initial_distance": initial_distance,
        },
        convention=convention,
    )  # fmt: skip


class _DAdapt(DistanceOptimizer):
    """D-Adapt AdamW: see `dadapt_adamw`."""

    def _moved(
        self, columns: Columns, scalars: dict[str, Any], *, add: bool
    ) -> tuple[list[Array], Columns, dict[str, Any]]:
        """Return updates, or with `add` parameters, and the new slots."""
        xp = array_namespace(*columns["params"])
        beta3, old = scalars["beta2"] ** 0.5, scalars["distance"]
        rate = scalars["learning_rate"] * self._correction(scalars, xp) * old
        names = ("beta1", "beta2", "epsilon", "weight_decay")
        updates, mu, nu = fusion.evaluate(
            kernels.dadapt_adamw,
            [columns[name] for name in ("params", "grads", "mu", "nu")],
            {**{name: scalars[name] for name in names}, "rate": rate},
            slots=2,
            add=add,
        )
        along = summed(
            lambda xp, g, s, v: kernels.scaled_inner_product(xp, g, s, v, scalars["epsilon"]),
            columns["grads"],
            columns["sum"],
            nu if self.convention == "paper" else columns["nu"],
        )
        numerator = beta3 * scalars["numerator"] + (1 - beta3) * rate * along
        columns, size = self._with_sum(columns, beta3, (1 - beta3) * rate)
        new = kernels.grown(xp, old, numerator, (1 - beta3) * size)
        moved = {**columns, "mu": list(mu), "nu": list(nu)}
        return list(updates), moved, {"distance": new, "numerator": numerator}
