"""Sharpness-aware minimization: gradients from uphill, for another optimizer, which it wraps."""

from collections.abc import Callable
from typing import Any, NamedTuple

from arraygrad import fusion
from arraygrad._namespace import array_namespace
from arraygrad._tree import unflatten
from arraygrad._typing import Tree
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import averaging as kernels
from arraygrad.optimizers._checked import TreeOptimizer, checked_optimizer, keywords_of
from arraygrad.optimizers._hyperparameters import at_least_zero, first_values
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer
from arraygrad.optimizers._sums import lifted, summed, wide_scalars

__all__ = ["SAM", "SAMState", "sam"]


class SAMState(NamedTuple):
    """What `sam` remembers.

    Attributes
    ----------
    count : int or 0-d array
        The number of steps done.
    hyperparameters : dict
        Those that the last step used.
    inner
        The state of the optimizer.
    """

    count: Any
    hyperparameters: dict[str, Any]
    inner: Any


def sam(
    optimizer: Optimizer,
    *,
    radius: Hyperparameter = 0.05,
    adaptive: bool = False,
    offset: Hyperparameter = 0.01,
) -> "SAM":
    """Make sharpness-aware steps: those of another optimizer, with gradients from a bit uphill.

    A wrapper of another optimizer. A step needs a second gradient, that of the same batch at
    other parameters, and takes it in one of two ways::

        optimizer.step(params, grads, state, gradient=lambda w: grad(loss)(w, batch))

        there = optimizer.perturbed(params, grads, state)
        optimizer.step(params, grads, state, perturbed_grads=grad(loss)(there, batch))

    Parameters
    ----------
    optimizer : Optimizer
        Takes the step from the parameters, with the second gradient.
    radius : float, 0-d array or schedule
        ρ: how far uphill the second gradient is taken; for adaptive steps about ten times as far.
    adaptive : bool
        Whether distances are in units of the parameters' sizes.
    offset : float, 0-d array or schedule
        η: keeps those sizes away from zero.

    Returns
    -------
    SAM
        An optimizer with the state `SAMState`, and the method `perturbed`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or `optimizer` is none.

    Notes
    -----
    With g the gradient at w, norms over the whole tree, and all leaves of one library::

        e = ρ g / ‖g‖               adaptive: e = ρ T²g / ‖Tg‖, T = |w| + η
        the step of the optimizer from w, with the gradient at w + e

    Where the gradient is 0, so is e.

    References
    ----------
    Foret et al. 2020, arXiv:2010.01412, algorithm 1. Adaptive: Kwon et al. 2021,
    arXiv:2102.11600, algorithm 1 for the 2-norm.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import sam, sgd
    >>> optimizer, w = sam(sgd(0.1), radius=0.5), np.asarray([3.0, 4.0])
    >>> def gradient(w):
    ...     return 2 * w
    >>> w, state = optimizer.step(w, gradient(w), optimizer.init(w), gradient=gradient)
    >>> w.round(3)
    array([2.34, 3.12])
    """
    checked_optimizer(optimizer, "optimizer", "init", "update", "step")
    at_least_zero(radius=radius, offset=offset)
    hyperparameters = {"radius": radius, **({"offset": offset} if adaptive else {})}
    return SAM(optimizer, hyperparameters, adaptive=adaptive)


class SAM(TreeOptimizer):
    """Another optimizer, with gradients from uphill: see `sam`."""

    name = "sam"

    def __init__(
        self, optimizer: Optimizer, hyperparameters: dict[str, Hyperparameter], *, adaptive: bool
    ) -> None:
        self._inner, self._hyperparameters, self._adaptive = optimizer, hyperparameters, adaptive
        theirs = keywords_of(optimizer)
        self.takes = None if theirs is None else theirs | {"gradient", "perturbed_grads"}

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} around {self._inner!r}>"

    def init(self, params: Tree, /) -> SAMState:
        """Return the state before the first step."""
        return SAMState(0, first_values(self._hyperparameters), self._inner.init(params))

    def perturbed(self, params: Tree, grads: Tree, state: SAMState) -> Tree:
        """Return the parameters a bit uphill, where the second gradient is to be taken.

        Parameters
        ----------
        params, grads : tree of arrays
            The parameters and their gradients.
        state : SAMState
            The state that `init` or the last step returned.

        Returns
        -------
        tree of arrays
        """
        weights, gradients, treedef = self._checked(params, grads)
        if not weights:
            return params
        columns, scalars = lifted({"w": weights, "g": gradients}, self._current(state))
        scalars = wide_scalars(scalars, columns["w"])
        xp = array_namespace(*columns["w"])
        if self._adaptive:
            total = summed(
                lambda xp, g, w: kernels.squares_by_size(xp, g, w, scalars["offset"]),
                columns["g"],
                columns["w"],
            )
        else:
            total = summed(kernels.squares, columns["g"])
        scalars["scale"] = kernels.ascent_scale(xp, scalars.pop("radius"), total)
        kernel: Callable[..., Any] = kernels.adaptive_ascent if self._adaptive else kernels.ascent
        (there,) = fusion.evaluate(kernel, [columns["w"], columns["g"]], scalars, slots=0)
        return unflatten(treedef, there)

    def _run(
        self,
        grads: Tree,
        state: SAMState,
        params: Tree | None,
        *,
        add: bool,
        gradient: Callable[[Tree], Tree] | None = None,
        perturbed_grads: Tree | None = None,
        **extra: Any,
    ) -> tuple[Tree, SAMState]:
        """Return updates, or with `add` new parameters, and the next state.

        `gradient` is a function of parameters to their gradients; `perturbed_grads` are the
        gradients at `perturbed(params, grads, state)`.

        Raises
        ------
        HyperparameterError
            If there is neither of the two, or both.
        """
        if (gradient is None) == (perturbed_grads is None):
            message = "sam needs one of `gradient` and `perturbed_grads`: pass it to the step"
            raise HyperparameterError(message)
        self._checked(params, grads)
        if gradient is not None:
            perturbed_grads = gradient(self.perturbed(params, grads, state))
        moved, inner = (
            self._inner.step(params, perturbed_grads, state.inner, **extra)
            if add
            else self._inner.update(perturbed_grads, state.inner, params, **extra)
        )
        return moved, SAMState(state.count + 1, self._current(state), inner)
