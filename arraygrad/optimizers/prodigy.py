"""Prodigy: Adam that finds its own rate. Not one kernel: it needs sums over all leaves."""

from typing import Any

from arraygrad import fusion
from arraygrad._namespace import array_namespace
from arraygrad._typing import Array
from arraygrad.kernels import adaptation as kernels
from arraygrad.optimizers._adaptation import Columns, DistanceOptimizer
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit
from arraygrad.optimizers._kernel_optimizer import copies, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._sums import summed

__all__ = ["prodigy"]


def prodigy(
    learning_rate: Hyperparameter = 1.0,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    beta3: Hyperparameter | None = None,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    initial_distance: float = 1e-6,
    growth: Hyperparameter = 1.0,
    convention: str = "paper",
) -> DistanceOptimizer:
    """Make Prodigy: Adam whose rate is an estimate of the distance from the start to the minimum.

    A step needs sums over the whole tree: all leaves are of one library.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        Multiplies the estimate: 1, or a schedule that falls from 1.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    beta3 : float, 0-d array or schedule, optional
        What each step keeps of the sums, in [0, 1); √β₂ by default.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        What parameters lose in each step, times the rate.
    initial_distance : float
        The first estimate, too small on purpose.
    growth : float, 0-d array or schedule
        Multiplies new estimates: above 1 for larger rates.
    convention : {"paper", "optax"}
        optax corrects the bias of means, as Adam does, wherever the rate enters; and its ε is
        multiplied by the new estimate, not by the old one.

    Returns
    -------
    Optimizer
        With the slots `mu`, `nu`, `sum`, `start`, and the 0-d arrays `distance`, `numerator`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the convention unknown.

    Notes
    -----
    With d₀ the initial distance, w₀ the first parameters, and γ = lr::

        r ← β₃r + γd² ⟨g, w₀ - w⟩ / d₀,  s ← β₃s + γd² g / d₀        over all leaves
        μ ← β₁μ + (1 - β₁)dg,  ν ← β₂ν + (1 - β₂)d²|g|²
        w ← w - γd (μ / (√ν + dε) + λw)
        d ← max(d, growth · r / ‖s‖₁)

    The paper's factors 1 - β₃ of r and s cancel; where s is 0, d stays. The inner product of
    complex arrays is the real part.

    References
    ----------
    Mishchenko & Defazio 2023, arXiv:2306.06101, algorithm 4.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import prodigy
    >>> optimizer, w = prodigy(), np.asarray([1.0, -2.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(300):
    ...     w, state = optimizer.step(w, 2 * w, state)
    >>> bool(np.max(np.abs(w)) < 0.01)
    True
    """
    in_unit(beta1=beta1, beta2=beta2, beta3=0.0 if beta3 is None else beta3)
    at_least_zero(
        learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay,
        initial_distance=initial_distance, growth=growth,
    )  # fmt: skip
    chosen(convention, {"paper": None, "optax": None})
    return _Prodigy(
        "prodigy",
        slots={"mu": zeros, "nu": real_zeros, "sum": zeros, "start": copies},
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "weight_decay": weight_decay, "initial_distance": initial_distance, "growth": growth,
            **({} if beta3 is None else {"beta3": beta3}),
        },
        convention=convention,
    )  # fmt: skip


class _Prodigy(DistanceOptimizer):
    """Prodigy: see `prodigy`."""

    def _moved(
        self, columns: Columns, scalars: dict[str, Any], *, add: bool
    ) -> tuple[list[Array], Columns, dict[str, Any]]:
        """Return updates, or with `add` parameters, and the new slots."""
        xp = array_namespace(*columns["params"])
        old, relative = scalars["distance"], scalars["distance"] / scalars["initial_distance"]
        beta3 = scalars["beta3"] if "beta3" in scalars else scalars["beta2"] ** 0.5
        rate = scalars["learning_rate"] * self._correction(scalars, xp) * old
        toward = summed(
            kernels.inner_product, columns["grads"], columns["start"], columns["params"]
        )
        numerator = beta3 * scalars["numerator"] + relative * rate * toward
        columns, size = self._with_sum(columns, beta3, relative * rate)
        new = kernels.grown(xp, old, scalars["growth"] * numerator, size)
        scale = old if self.convention == "paper" else new
        updates, mu, nu = fusion.evaluate(
            kernels.prodigy,
            [columns[name] for name in ("params", "grads", "mu", "nu")],
            {
                "beta1": scalars["beta1"], "beta2": scalars["beta2"],
                "epsilon": scale * scalars["epsilon"], "weight_decay": scalars["weight_decay"],
                "distance": old, "rate": rate,
            },
            slots=2,
            add=add,
        )  # fmt: skip
        moved = {**columns, "mu": list(mu), "nu": list(nu)}
        return list(updates), moved, {"distance": new, "numerator": numerator}
