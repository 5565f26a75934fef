"""Adafactor."""

import functools
from collections.abc import Callable
from typing import Any

from arraygrad._numbers import is_number
from arraygrad._typing import Array, Namespace
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import adafactor as kernels
from arraygrad.kernels.weight_decay import Kernel, decoupled, decoupled_from_rate
from arraygrad.optimizers._hyperparameters import at_least_zero, chosen, in_unit, positive
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, Slot, real_zeros, zeros
from arraygrad.optimizers._protocol import Hyperparameter
from arraygrad.optimizers._weight_decay import decaying

__all__ = ["adafactor"]

_FORMS: dict[str, Callable[[Kernel], Kernel]] = {
    "paper": decoupled,
    "keras": decoupled,
    "torch": decoupled,
    "optax": decoupled_from_rate,
}


def adafactor(
    learning_rate: Hyperparameter = 0.01,
    *,
    decay_power: Hyperparameter = 0.8,
    epsilon: Hyperparameter | None = None,
    minimum_scale: Hyperparameter = 1e-3,
    clipping_threshold: Hyperparameter = 1.0,
    momentum: Hyperparameter = 0.0,
    weight_decay: Hyperparameter = 0.0,
    smallest_factored: int = 128,
    scale_by_parameters: bool = True,
    convention: str = "paper",
) -> KernelOptimizer:
    """Make Adafactor: RMSProp that remembers a number for each row and column of a matrix.

    Its steps are relative to the size of the parameters.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step, in units of the root mean square of the parameters.
    decay_power : float, 0-d array or schedule
        c: step t keeps 1 - 1/t^c of the mean squares.
    epsilon : float, 0-d array or schedule, optional
        ε₁: keeps the divisor away from zero. By default 1e-30, and in the convention "torch" the
        distance from 1 to the next number of the parameter's dtype.
    minimum_scale : float, 0-d array or schedule
        ε₂: the least size of the parameters that a step is relative to.
    clipping_threshold : float, 0-d array or schedule
        d: the largest root mean square of a step, before its rate.
    momentum : float, 0-d array or schedule
        What each step keeps of the last ones, in [0, 1). Without, there is no such slot; torch has
        none.
    weight_decay : float, 0-d array or schedule
        λ: beside the step, lr·λw is subtracted; in the convention "optax", λw.
    smallest_factored : int
        In the convention "optax", the least length of axes that are factored.
    scale_by_parameters : bool
        In the convention "optax", whether steps are relative to the size of the parameters.
    convention : {"paper", "torch", "optax", "keras"}
        The paper and keras agree; see the notes.

    Returns
    -------
    KernelOptimizer
        With the slots `rows` and `columns`, whose leaves have 1 for one axis of their parameter's;
        where nothing is factored, `rows` is like the parameter and `columns` is empty. And
        `velocity` where there is momentum.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, the convention unknown, or has no such thing.

    Notes
    -----
    A parameter of two or more axes is a stack of matrices. With t the number of the step, from 1::

        β = 1 - 1 / t^c
        R ← βR + (1 - β) mean(|g|² + ε₁) over rows,  C ← the same over columns
        V = R·C / mean(R)                            V ← βV + (1 - β)(|g|² + ε₁) for vectors
        u = g / √V
        w ← w - min(lr, 1/√t) · max(ε₂, rms(w)) · u / max(1, rms(u) / d)

    In the convention "torch" ε₁ does not join the squares: mean(R) is ε₁ at least, and V is ε₁². In
    "optax" the rate is lr, whatever t, and the two longest axes are factored, where both are
    `smallest_factored` at least. Of complex parameters ``|·|²`` is the squared magnitude.

    References
    ----------
    Shazeer & Stern 2018, arXiv:1804.04235, algorithms 4-6.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adafactor
    >>> optimizer, params = adafactor(0.1), np.ones((2, 3))
    >>> state = optimizer.init(params)
    >>> state.slots["rows"].shape, state.slots["columns"].shape
    ((2, 1), (1, 3))
    >>> params, state = optimizer.step(params, np.full((2, 3), 7.0), state)
    >>> params.round(3)
    array([[0.9, 0.9, 0.9],
           [0.9, 0.9, 0.9]])
    """
    form = chosen(convention, _FORMS)
    in_unit(momentum=momentum)
    at_least_zero(
        learning_rate=learning_rate, decay_power=decay_power, minimum_scale=minimum_scale,
        epsilon=0.0 if epsilon is None else epsilon,
    )  # fmt: skip
    positive(clipping_threshold=clipping_threshold)
    averaged = not (is_number(momentum) and momentum == 0)
    _refuse_strangers(convention, averaged, smallest_factored, scale_by_parameters)
    axes_of, kernel = _kernel(convention, averaged, smallest_factored, scale_by_parameters)
    rates: dict[str, Any] = {
        "learning_rate": learning_rate,
        "decay_power": decay_power,
        "minimum_scale": minimum_scale,
        "clipping_threshold": clipping_threshold,
    }
    if epsilon is not None or convention != "torch":
        rates["epsilon"] = 1e-30 if epsilon is None else epsilon
    means = functools.partial(_means, axes_of=axes_of)
    slots: dict[str, Slot] = {
        "rows": functools.partial(means, which=0),
        "columns": functools.partial(means, which=1),
    }
    if averaged:
        rates["momentum"], slots["velocity"] = momentum, zeros
    return decaying(
        "adafactor", kernel, weight_decay=weight_decay, form=form, slots=slots,
        hyperparameters=rates, needs_params=True,
    )  # fmt: skip


def _refuse_strangers(
    convention: str, averaged: bool, smallest_factored: int, scale_by_parameters: bool
) -> None:
    """Refuse what a convention does not have."""
    if averaged and convention == "torch":
        message = '`momentum` must be 0 in convention="torch"'
        raise HyperparameterError(message)
    if convention != "optax" and (smallest_factored != 128 or not scale_by_parameters):
        message = '`smallest_factored` and `scale_by_parameters` need convention="optax"'
        raise HyperparameterError(message)


def _kernel(
    convention: str, averaged: bool, smallest_factored: int, scale_by_parameters: bool
) -> tuple[kernels.Factoring, Kernel]:
    """Return which axes are factored, and the formula."""
    if convention == "torch":
        return kernels.last_axes, kernels.adafactor_torch
    if convention != "optax":
        kernel = kernels.adafactor(kernels.last_axes, relative=True, scaled=True, averaged=averaged)
        return kernels.last_axes, kernel
    axes_of = kernels.longest_axes(smallest_factored)
    kernel = kernels.adafactor(
        axes_of, relative=False, scaled=scale_by_parameters, averaged=averaged
    )
    return axes_of, kernel


def _means(xp: Namespace, w: Array, *, axes_of: kernels.Factoring, which: int) -> Array:
    """Start mean squares over one of the factored axes; see `kernels.adafactor`."""
    like, axes = real_zeros(xp, w), axes_of(w.shape)
    if axes is not None:
        return xp.sum(like, axis=axes[which], keepdims=True)
    return like if which == 0 else xp.zeros_like(xp.reshape(like, (-1,))[:0])
