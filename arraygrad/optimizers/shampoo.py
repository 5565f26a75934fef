"""Shampoo: full second moments along each axis. Not one kernel: it takes roots of matrices."""

import functools
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.kernels import shampoo as kernels
from arraygrad.optimizers._axes import AxesOptimizer, Clock, identity
from arraygrad.optimizers._hyperparameters import at_least_zero, in_unit, whole
from arraygrad.optimizers._kernel_optimizer import zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["shampoo"]


def shampoo(
    learning_rate: Hyperparameter,
    *,
    momentum: Hyperparameter = 0.0,
    beta2: Hyperparameter | None = None,
    epsilon: Hyperparameter = 1e-4,
    frequency: int = 1,
    max_size: int = 1024,
) -> AxesOptimizer:
    """Make Shampoo: the gradient, multiplied along each axis by a root of its second moments.

    A matrix stage: a leaf of k axes has k symmetric matrices. It takes any number of axes; a 0-d
    leaf counts as one of one element, and of vectors it is AdaGrad with a full matrix.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step.
    momentum : float, 0-d array or schedule
        What each step keeps of the last one, in [0, 1).
    beta2 : float, 0-d array or schedule, optional
        What second moments keep in each step, in [0, 1); by default they are sums, as in the
        paper.
    epsilon : float, 0-d array or schedule
        What is added to the diagonal of each matrix.
    frequency : int
        Every how many steps roots are taken, from the first one on.
    max_size : int
        Longer axes have only the diagonal of their matrix.

    Returns
    -------
    Optimizer
        With the slots `mu`, and, tuples of one for each axis, `grams` and `roots`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    For a matrix::

        L ← L + g gᴴ,  R ← R + gᴴ g        (with beta2: L ← β₂L + (1 - β₂)g gᴴ)
        μ ← momentum · μ + (L + εI)^(-1/4) g (R + εI)^(-1/4)
        w ← w - lr · μ

    Of k axes, exponents are -1/(2k). Roots are computed by `eigh`. Inside `jax.jit`, where the
    number of the step is not known, they are computed in each step, and chosen; to spare that, jit
    a step for each value of the argument `refresh`: `optimizer.step(w, g, state, refresh=False)`.

    References
    ----------
    Gupta, Koren & Singer 2018, arXiv:1802.09568, algorithms 1 and 2; section 4.4 for diagonals.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import shampoo
    >>> optimizer, w = shampoo(0.1), np.zeros((2, 2))
    >>> w, state = optimizer.step(w, np.asarray([[4.0, 0.0], [0.0, 1.0]]), optimizer.init(w))
    >>> w.round(3) + 0.0
    array([[-0.1,  0. ],
           [ 0. , -0.1]])
    """
    in_unit(momentum=momentum, beta2=0.0 if beta2 is None else beta2)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon)
    whole(frequency=frequency)
    at_least_zero(max_size=max_size)
    hyperparameters = {
        "learning_rate": learning_rate, "momentum": momentum, "epsilon": epsilon,
        **({} if beta2 is None else {"beta2": beta2}),
    }  # fmt: skip
    start = functools.partial(_identities, max_size=max_size)
    return AxesOptimizer(
        "shampoo",
        kernels.shampoo,
        slots={"mu": zeros},
        matrices={
            "grams": functools.partial(start, scale=0.0),
            "roots": functools.partial(start, scale=1.0),
        },
        axes_of=_axes_of,
        scalars=_scalars,
        hyperparameters=hyperparameters,
        frequency=frequency,
    )


def _axes_of(w: Array) -> tuple[int, ...]:
    """Return all axes: a 0-d leaf has one of length 1, an empty one none."""
    return () if 0 in w.shape else tuple(range(max(1, w.ndim)))


def _identities(xp: Namespace, w: Array, *, scale: float, max_size: int) -> tuple[Array, ...]:
    """Return a multiple of the identity for each axis, of long ones the diagonal."""
    sizes = [(w.shape or (1,))[axis] for axis in _axes_of(w)]
    return tuple(identity(xp, w, size, scale=scale, diagonal=size > max_size) for size in sizes)


def _scalars(kept: dict[str, Any], step: Any, clock: Clock) -> dict[str, Any]:
    """Return the kernel's scalars: sums keep everything."""
    scalars = dict(kept)
    beta2 = scalars.pop("beta2", None)
    return {
        **scalars, "phase": clock.phase, "keep": 1.0 if beta2 is None else beta2,
        "add": 1.0 if beta2 is None else 1 - beta2,
    }  # fmt: skip
