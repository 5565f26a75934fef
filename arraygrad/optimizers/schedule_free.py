"""Schedule-free steps: a mean of weights instead of a falling rate. Around another optimizer."""

from typing import Any, NamedTuple

from arraygrad import fusion
from arraygrad._namespace import array_namespace, is_array, lift_constants
from arraygrad._tree import unflatten
from arraygrad._typing import Tree
from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.kernels import averaging as kernels
from arraygrad.optimizers._checked import (
    TreeOptimizer,
    checked_optimizer,
    keywords_of,
    leaves_beside,
)
from arraygrad.optimizers._hyperparameters import at_least_zero, first_values, in_unit, within
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, copies, real_zeros
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer, checked_leaves
from arraygrad.optimizers._sums import scalar_like, wide_scalars, zero_d
from arraygrad.optimizers.sgd import sgd

__all__ = [
    "ScheduleFreeState",
    "schedule_free",
    "schedule_free_adamw",
    "schedule_free_params",
    "schedule_free_sgd",
]


class ScheduleFreeState(NamedTuple):
    """What `schedule_free` remembers.

    Attributes
    ----------
    count : int or 0-d array
        The number of steps done.
    hyperparameters : dict
        Those that the last step used.
    max_rate, weight_sum : 0-d array
        The largest learning rate so far, and the sum of the weights of the mean.
    z : tree
        The parameters of the inner optimizer.
    inner
        The state of the inner optimizer.
    """

    count: Any
    hyperparameters: dict[str, Any]
    max_rate: Any
    weight_sum: Any
    z: Tree
    inner: Any


def schedule_free(
    optimizer: Optimizer,
    learning_rate: Hyperparameter | None = None,
    *,
    beta1: Hyperparameter = 0.9,
    weight_power: Hyperparameter = 2.0,
) -> "ScheduleFree":
    """Make another optimizer schedule-free: its weights are averaged, instead of its rate reduced.

    A wrapper of an optimizer without momentum. The parameters are y, where gradients are taken;
    evaluate the model at `schedule_free_params(params, state)`.

    Parameters
    ----------
    optimizer : Optimizer
        Makes the steps of z; it has no momentum, and sees y as its parameters.
    learning_rate : float, 0-d array or schedule, optional
        Weighs the mean: by default the inner optimizer's hyperparameter of this name. It may warm
        up, and should not fall.
    beta1 : float, 0-d array or schedule
        How much of y is the mean x, in (0, 1].
    weight_power : float, 0-d array or schedule
        Weights of the mean are the largest rate so far, to this power.

    Returns
    -------
    Optimizer
        With the state `ScheduleFreeState`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or the inner optimizer has no learning rate.

    Notes
    -----
    With z and x the first parameters at first, and γ the rate::

        y = (1 - β₁)z + β₁x                    z ← z + the inner update for the gradient at y
        c = γ^p / Σγ^p                         x ← (1 - c)x + cz

    The paper has γ itself where γ is the largest so far here, which is the same where it does not
    fall. x is not stored. optax weighs a step by the rate of the step after it, which differs while
    a schedule rises.

    References
    ----------
    Defazio et al. 2024, arXiv:2405.15682, algorithm 1 and equations 3 to 5.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import schedule_free, schedule_free_params, sgd
    >>> optimizer, y = schedule_free(sgd(0.5)), np.asarray([1.0, -2.0])
    >>> state = optimizer.init(y)
    >>> for _ in range(50):
    ...     y, state = optimizer.step(y, y, state)
    >>> bool(np.max(np.abs(schedule_free_params(y, state))) < 0.1)
    True
    """
    checked_optimizer(optimizer, "optimizer", "init", "update")
    at_least_zero(weight_power=weight_power)
    within("in (0, 1]", lambda x: 0 < x <= 1, beta1=beta1)
    hyperparameters = {"beta1": beta1, "weight_power": weight_power}
    if learning_rate is not None:
        at_least_zero(learning_rate=learning_rate)
        hyperparameters["learning_rate"] = learning_rate
    return ScheduleFree(optimizer, hyperparameters)


def schedule_free_sgd(
    learning_rate: Hyperparameter,
    *,
    beta1: Hyperparameter = 0.9,
    weight_decay: Hyperparameter = 0.0,
    weight_power: Hyperparameter = 2.0,
) -> "ScheduleFree":
    """Make schedule-free gradient descent: `schedule_free` around `sgd`.

    A wrapper of another optimizer: see `schedule_free` for the parameters and the state, and for
    `schedule_free_params`, which evaluation needs.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step; larger than usual, and never reduced.
    beta1, weight_power : float, 0-d array or schedule
        Those of `schedule_free`.
    weight_decay : float, 0-d array or schedule
        λ: the gradient at y becomes g + λy.

    Returns
    -------
    Optimizer
        With the state `ScheduleFreeState`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    References
    ----------
    Defazio et al. 2024, arXiv:2405.15682, equations 3 to 5.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import schedule_free_params, schedule_free_sgd
    >>> optimizer, y = schedule_free_sgd(1.0), np.asarray([1.0])
    >>> y, state = optimizer.step(y, np.asarray([0.5]), optimizer.init(y))
    >>> y, schedule_free_params(y, state)
    (array([0.5]), array([0.5]))
    """
    inner = sgd(learning_rate, weight_decay=weight_decay)
    return schedule_free(inner, beta1=beta1, weight_power=weight_power)


def schedule_free_adamw(
    learning_rate: Hyperparameter = 0.0025,
    *,
    beta1: Hyperparameter = 0.9,
    beta2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    weight_power: Hyperparameter = 2.0,
) -> "ScheduleFree":
    """Make schedule-free AdamW: `schedule_free` around AdamW without its first moment.

    A wrapper of another optimizer: see `schedule_free` for the state, and for
    `schedule_free_params`, which evaluation needs.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters; it may warm up, and is never reduced.
    beta1, weight_power : float, 0-d array or schedule
        Those of `schedule_free`.
    beta2 : float, 0-d array or schedule
        What each step keeps of the mean square, in [0, 1).
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        What z loses in each step: this much of y, times the learning rate.

    Returns
    -------
    Optimizer
        With the state `ScheduleFreeState`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    With t the number of the step, from 1, and c as in `schedule_free`::

        ν ← β₂ν + (1 - β₂)|g|²
        z ← z - lr · (g / (√(ν / (1 - β₂ᵗ)) + ε) + λy)

    References
    ----------
    Defazio et al. 2024, arXiv:2405.15682, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import schedule_free_adamw
    >>> optimizer, y = schedule_free_adamw(0.1), np.asarray([1.0])
    >>> y, state = optimizer.step(y, np.asarray([5.0]), optimizer.init(y))
    >>> y.round(3)
    array([0.9])
    """
    in_unit(beta2=beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)
    inner = KernelOptimizer(
        "adamw",
        kernels.adam_without_mean,
        slots={"nu": real_zeros},
        hyperparameters={
            "learning_rate": learning_rate, "beta2": beta2, "epsilon": epsilon,
            "weight_decay": weight_decay,
        },
        needs_params=True,
    )  # fmt: skip
    return schedule_free(inner, beta1=beta1, weight_power=weight_power)


def schedule_free_params(params: Tree, state: ScheduleFreeState) -> Tree:
    """Return the mean x of a schedule-free run: the parameters for evaluation.

    Parameters
    ----------
    params : tree of arrays
        The parameters y of the run.
    state : ScheduleFreeState
        Its state.

    Returns
    -------
    tree of arrays

    Raises
    ------
    StructureError
        If the state is of another kind, or the tree another one.

    Examples
    --------
    See `schedule_free`.
    """
    if not isinstance(state, ScheduleFreeState):
        message = f"`state` must be that of a schedule-free optimizer, got {type(state).__name__}"
        raise StructureError(message)
    leaves, treedef = checked_leaves(params, "params")
    z = leaves_beside(params, state.z, "state.z")
    scalars = {"beta1": state.hyperparameters["beta1"]}
    (x,) = fusion.evaluate(kernels.averaged, [leaves, z], scalars, slots=0, add=False)
    return unflatten(treedef, x)


class ScheduleFree(TreeOptimizer):
    """Another optimizer, with a mean of weights: see `schedule_free`."""

    name = "schedule_free"

    def __init__(self, optimizer: Optimizer, hyperparameters: dict[str, Hyperparameter]) -> None:
        self._inner, self._hyperparameters = optimizer, hyperparameters
        self.takes, self.nested = keywords_of(optimizer), {"inner": optimizer}

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} around {self._inner!r}>"

    def init(self, params: Tree, /) -> ScheduleFreeState:
        """Return the state before the first step."""
        leaves, treedef = checked_leaves(params, "params")
        zero = scalar_like(0.0, leaves)
        z = unflatten(treedef, [copies(array_namespace(w), w) for w in leaves])
        first = first_values(self._hyperparameters)
        return ScheduleFreeState(0, first, zero, zero, z, self._inner.init(params))

    def _run(
        self, grads: Tree, state: ScheduleFreeState, params: Tree | None, *, add: bool, **extra: Any
    ) -> tuple[Tree, ScheduleFreeState]:
        """Return updates, or with `add` new parameters, and the next state."""
        weights, _, treedef = self._checked(params, grads)
        kept = self._current(state)
        moved, inner = self._inner.update(grads, state.inner, params, **extra)
        rate = kept["learning_rate"] if "learning_rate" in kept else _rate_of(inner)
        scalars = lift_constants(
            {**kept, "learning_rate": rate, "most": state.max_rate, "total": state.weight_sum}
        )
        scalars = wide_scalars(scalars, weights)
        found = [x for x in scalars.values() if is_array(x)]
        xp = array_namespace(*found) if found else None
        most = kernels.larger(xp, scalars["learning_rate"], scalars["most"])
        weight = most ** scalars["weight_power"]
        total = scalars["total"] + weight
        updates, z = fusion.evaluate(
            kernels.schedule_free,
            [
                weights,
                leaves_beside(params, moved, "updates"),
                leaves_beside(params, state.z, "state.z"),
            ],
            {"beta1": kept["beta1"], "portion": kernels.share(xp, weight, total)},
            slots=1,
            add=add,
        )
        sums = zero_d(most), zero_d(total)
        after = ScheduleFreeState(state.count + 1, kept, *sums, unflatten(treedef, z), inner)
        return unflatten(treedef, updates), after


def _rate_of(state: Any) -> Any:
    """Return the learning rate of the inner optimizer's last step."""
    kept = getattr(state, "hyperparameters", {})
    if "learning_rate" not in kept:
        message = "`schedule_free` needs the `learning_rate` of an optimizer that does not tell it"
        raise HyperparameterError(message)
    return kept["learning_rate"]
