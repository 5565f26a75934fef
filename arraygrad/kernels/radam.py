"""RAdam: Adam that waits until the variance of its divisor is tractable."""

from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moments, one_minus_power, unbiased_root
from arraygrad.kernels.norms import root

__all__ = ["radam", "radam_torch"]


def radam(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    threshold: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments; ε joins the root of the corrected ν."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    adaptive, plain = _rectification(xp, v, step, beta2, threshold)
    rate = learning_rate / one_minus_power(xp, beta1, step)
    return -rate * m * (adaptive / (unbiased_root(xp, v, step, beta2) + epsilon) + plain), m, v


def radam_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    threshold: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments; ε joins √ν before its correction."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    adaptive, plain = _rectification(xp, v, step, beta2, threshold)
    rate = learning_rate / one_minus_power(xp, beta1, step)
    spread = adaptive * one_minus_power(xp, beta2, step) ** 0.5
    return -rate * m * (spread / (root(xp, v) + epsilon) + plain), m, v


def _rectification(
    xp: Namespace, v: Array, step: Array, beta2: Array, threshold: Array
) -> tuple[Array, Array]:
    """Return the weights of the adaptive step and of the plain one: (r, 0) or (0, 1).

    ρ is the length of the mean of squares that β₂ stands for after `step` steps.
    """
    sp = namespace_for(xp, step, beta2, threshold)
    missing = one_minus_power(xp, beta2, step)
    longest = 2 / (1 - beta2) - 1
    rho = longest - 2 * step * (1 - missing) / missing
    tractable = sp.astype(rho > threshold, v.dtype)
    short = 1 - tractable  # beside which the ratio is 1: no root of what is negative
    ratio = (tractable * _growth(rho) + short) / (tractable * _growth(longest) + short)
    return tractable * ratio**0.5, short


def _growth(rho: Array) -> Array:
    """Return what the inverse variance of the divisor is proportional to."""
    return (rho - 4) * (rho - 2) / rho
