"""Gradient descent with noise, and with the step that a known minimum allows."""

import functools
from typing import Any

from arraygrad._namespace import array_namespace, device_of, is_complex
from arraygrad._tree import flatten, map_leaves
from arraygrad._typing import Array, Tree
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import stochastic as kernels
from arraygrad.kernels.norms import abs_squared
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, real
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer
from arraygrad.optimizers._protocol import Hyperparameter, State

__all__ = ["noisy_sgd", "polyak_sgd"]


def noisy_sgd(
    learning_rate: Hyperparameter, *, eta: Hyperparameter = 0.01, gamma: Hyperparameter = 0.55
) -> KernelOptimizer:
    """Make gradient descent with annealed Gaussian noise in the gradient.

    The standard has no random numbers, so each step asks for them: `rng=`, a NumPy `Generator`, or
    `noise=`, a tree like the parameters of numbers from the standard normal distribution. Inside
    `jax.jit` pass `noise`: there a generator would draw once, when the function is traced.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The length of a step over the gradient's.
    eta : float, 0-d array or schedule
        The variance of the noise at the first step.
    gamma : float, 0-d array or schedule
        How fast the variance falls.

    Returns
    -------
    KernelOptimizer
        Without slots.

    Raises
    ------
    HyperparameterError
        If a number is negative; from a step, if it is given neither `rng` nor `noise`.

    Notes
    -----
    With t the number of the step, from 1, and n ~ N(0, 1), complex where g is::

        w ← w - lr · (g + √(η / tᵞ) · n)

    References
    ----------
    Neelakantan et al. 2015, arXiv:1511.06807, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import noisy_sgd
    >>> optimizer, params = noisy_sgd(0.1), np.asarray([1.0, 2.0])
    >>> state, rng = optimizer.init(params), np.random.default_rng(0)
    >>> params, state = optimizer.step(params, np.asarray([0.5, -2.0]), state, rng=rng)
    >>> params.round(3)
    array([0.949, 2.201])
    """
    at_least_zero(learning_rate=learning_rate, eta=eta, gamma=gamma)
    return _NoisySGD(
        "noisy_sgd",
        kernels.noisy_sgd,
        hyperparameters={"learning_rate": learning_rate, "eta": eta, "gamma": gamma},
        arrays=("noise",),
    )


class _NoisySGD(KernelOptimizer):
    """Draws the noise where it is not given."""

    takes = frozenset({"noise", "rng"})

    def update(
        self, grads: Tree, state: State, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, State]:
        """Return what to add to the parameters, and the next state."""
        return super().update(grads, state, params, **self._with_noise(grads, extra))

    def step(
        self, params: Tree, grads: Tree, state: State, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the parameters after one step, and the next state."""
        extra = self._with_noise(grads, extra)
        return super().step(params, grads, state, donate=donate, **extra)

    def _with_noise(self, grads: Tree, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the noise of a step, drawn if it is not given."""
        self._check_keywords(extra)
        noise, rng = extra.get("noise"), extra.get("rng")
        if noise is None and rng is None:
            message = "noisy_sgd needs `noise` or `rng`: pass one to the step as rng=..."
            raise HyperparameterError(message)
        if noise is None:
            noise = map_leaves(functools.partial(_drawn, rng), grads)
        return {"noise": noise}


def _drawn(rng: Any, g: Array) -> Array:
    """Return standard normal noise like an array; half of the variance is imaginary."""
    xp = array_namespace(g)
    drawn = rng.standard_normal(g.shape)
    if is_complex(xp, g.dtype):
        drawn = (drawn + 1j * rng.standard_normal(g.shape)) * 0.5**0.5
    return xp.asarray(drawn, dtype=g.dtype, device=device_of(g))


_POLYAK = {"sps": kernels.polyak_sgd, "sps+": kernels.polyak_sgd_positive}


def polyak_sgd(
    max_learning_rate: Hyperparameter = 1.0,
    *,
    scaling: Hyperparameter = 1.0,
    f_min: Hyperparameter = 0.0,
    epsilon: Hyperparameter = 0.0,
    variant: str = "sps",
) -> KernelOptimizer:
    """Make gradient descent by Polyak's step: as far as the least cost seems to be.

    Each step asks for the cost at the parameters: `step(params, grads, state, value=cost)`.

    Parameters
    ----------
    max_learning_rate : float, 0-d array or schedule
        The largest rate.
    scaling : float, 0-d array or schedule
        The factor of the rate.
    f_min : float, 0-d array or schedule
        The least that the cost can be.
    epsilon : float, 0-d array or schedule
        Added to the divisor.
    variant : {"sps", "sps+"}
        Whether the step is against the gradient's side where the cost is below `f_min`, or 0.

    Returns
    -------
    KernelOptimizer
        Without slots.

    Raises
    ------
    HyperparameterError
        If a number is negative or the variant unknown; from a step, if it is given no `value`.

    Notes
    -----
    With the norm over all arrays of the tree::

        w ← w - scaling · min((value - f_min) / (‖g‖² + ε), max) · g

    and no step where ‖g‖² + ε is zero. (optax takes the norm of scaling · g.)

    References
    ----------
    Polyak 1987, "Introduction to optimization", section 5.3; Loizou et al. 2021,
    arXiv:2002.10542, equation 3; Garrigos et al. 2023, arXiv:2307.14528, for "sps+".

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import polyak_sgd
    >>> optimizer, w = polyak_sgd(), np.asarray([1.0, 2.0])
    >>> state = optimizer.init(w)
    >>> w, state = optimizer.step(w, 2 * w, state, value=np.sum(w**2))
    >>> w
    array([0.5, 1. ])
    """
    at_least_zero(max_learning_rate=max_learning_rate, scaling=scaling, epsilon=epsilon)
    real(f_min=f_min)
    return _PolyakSGD(
        "polyak_sgd",
        chosen(variant, _POLYAK, "variant"),
        hyperparameters={
            "scaling": scaling, "max_learning_rate": max_learning_rate, "f_min": f_min,
            "epsilon": epsilon,
        },
        values=("value", "squared_norm"),
    )  # fmt: skip


class _PolyakSGD(KernelOptimizer):
    """Takes the norm over all leaves."""

    takes = frozenset({"value"})

    def update(
        self, grads: Tree, state: State, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, State]:
        """Return what to add to the parameters, and the next state."""
        return super().update(grads, state, params, **self._with_norm(grads, extra))

    def step(
        self, params: Tree, grads: Tree, state: State, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the parameters after one step, and the next state."""
        return super().step(params, grads, state, donate=donate, **self._with_norm(grads, extra))

    def _with_norm(self, grads: Tree, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the keywords that the kernel takes."""
        self._check_keywords(extra)
        own = {"value": extra["value"]} if "value" in extra else {}
        return own | {"squared_norm": _squared_norm(grads)}


def _squared_norm(grads: Tree) -> Array:
    """Return the sum of |g|² over all leaves, in single precision at least; 0 for no leaves."""
    sums = []
    for g in flatten(grads)[0]:
        xp = array_namespace(g)
        squares = abs_squared(xp, g)
        wide = xp.result_type(squares.dtype, xp.float32)
        sums.append(xp.sum(xp.astype(squares, wide)))
    return functools.reduce(lambda x, y: x + y, sums, 0.0)
