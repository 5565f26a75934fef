"""SOAP: Adam in the eigenvectors of Shampoo's matrices. Not one kernel: it takes eigenvectors."""

import functools
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.kernels import shampoo as kernels
from arraygrad.optimizers._axes import AxesOptimizer, Clock, identity
from arraygrad.optimizers._hyperparameters import at_least_zero, in_unit, whole
from arraygrad.optimizers._kernel_optimizer import real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["soap"]


def soap(
    learning_rate: Hyperparameter = 3e-3,
    *,
    beta1: Hyperparameter = 0.95,
    beta2: Hyperparameter = 0.95,
    gram_beta: Hyperparameter | None = None,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
    frequency: int = 10,
    max_size: int = 10_000,
) -> AxesOptimizer:
    """Make SOAP: Adam, with second moments in a basis where gradients are least correlated.

    A matrix stage: leaves of at least two axes have a basis for each, that of the eigenvectors of
    Shampoo's matrices; others move as with Adam. The first step finds the bases, and moves
    nothing.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the parameters.
    beta1, beta2 : float, 0-d array or schedule
        What each step keeps of the two means, in [0, 1).
    gram_beta : float, 0-d array or schedule, optional
        What each step keeps of the matrices, in [0, 1); by default `beta2`.
    epsilon : float, 0-d array or schedule
        Keeps the divisor away from zero.
    weight_decay : float, 0-d array or schedule
        What parameters lose in each step, times the learning rate.
    frequency : int
        Every how many steps the bases are turned.
    max_size : int
        Longer axes keep the standard basis.

    Returns
    -------
    Optimizer
        With the slots `mu`, `nu` (in the bases), and, tuples of one for each such axis, `grams`
        and `bases`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range.

    Notes
    -----
    For a matrix, with t the number of steps after the first::

        μ ← β₁μ + (1 - β₁)g
        ν ← β₂ν + (1 - β₂)|Pᴴ g Q*|²
        n = Pᴴ μ Q* / (1 - β₁ᵗ) / (√(ν / (1 - β₂ᵗ)) + ε)
        w ← w - lr · (P n Qᵀ + λw)
        L ← βL + (1 - β)g gᴴ,  R ← βR + (1 - β)gᵀ g*
        every `frequency` steps: P ← the orthonormal factor of L P, Q that of R Q (by `qr`)

    where P and Q start as the eigenvectors of the first L and R, and are sorted, ν with them, by
    their eigenvalues: as in the authors' code. Where the first gradient has less than full
    rank, the libraries choose eigenvectors of their own, and runs on two of them differ.

    Inside `jax.jit`, where the number of the step is not known, bases are computed in each step,
    and chosen. To spare that, jit `optimizer.step` with the static argument `refresh`: `"first"`
    in the first step, then whether bases are turned.

    References
    ----------
    Vyas et al. 2024, arXiv:2409.11321, algorithms 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import soap
    >>> optimizer, w = soap(0.1), np.zeros((2, 2))
    >>> g, state = np.asarray([[4.0, 0.0], [0.0, 1.0]]), optimizer.init(w)
    >>> for _ in range(2):
    ...     w, state = optimizer.step(w, g, state)
    >>> w.round(3) + 0.0
    array([[-0.1,  0. ],
           [ 0. , -0.1]])
    """
    in_unit(beta1=beta1, beta2=beta2, gram_beta=0.0 if gram_beta is None else gram_beta)
    at_least_zero(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)
    whole(frequency=frequency)
    at_least_zero(max_size=max_size)
    start = functools.partial(_identities, max_size=max_size)
    return AxesOptimizer(
        "soap",
        kernels.soap,
        slots={"mu": zeros, "nu": real_zeros},
        matrices={
            "grams": functools.partial(start, scale=0.0),
            "bases": functools.partial(start, scale=1.0),
        },
        axes_of=functools.partial(_axes_of, max_size=max_size),
        scalars=_scalars,
        hyperparameters={
            "learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon,
            "weight_decay": weight_decay, **({} if gram_beta is None else {"gram_beta": gram_beta}),
        },
        frequency=frequency,
    )  # fmt: skip


def _axes_of(w: Array, *, max_size: int) -> tuple[int, ...]:
    """Return the axes of a matrix or a stack that are not too long."""
    wanted = w.ndim > 1 and 0 not in w.shape
    return tuple(n for n, size in enumerate(w.shape) if wanted and size <= max_size)


def _identities(xp: Namespace, w: Array, *, scale: float, max_size: int) -> tuple[Array, ...]:
    """Return a multiple of the identity for each of these axes."""
    sizes = [w.shape[axis] for axis in _axes_of(w, max_size=max_size)]
    return tuple(identity(xp, w, size, scale=scale, diagonal=False) for size in sizes)


def _scalars(kept: dict[str, Any], step: Any, clock: Clock) -> dict[str, Any]:
    """Return the kernel's scalars."""
    scalars = dict(kept)
    keep = scalars.pop("gram_beta", scalars["beta2"])
    return {**scalars, **clock._asdict(), "keep": keep, "step": step}
