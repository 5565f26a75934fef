"""AMSGrad: Adam whose divisor never shrinks."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import corrected_ratio, moments, one_minus_power
from arraygrad.kernels.norms import root

__all__ = ["amsgrad_keras", "amsgrad_optax", "amsgrad_paper", "amsgrad_torch"]


def amsgrad_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    top: Array,
    *,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update -lr·m / (√max ν + ε) and the new moments: no bias is corrected."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    top = xp.maximum(top, v)
    return -learning_rate * m / (root(xp, top) + epsilon), m, v, top


def amsgrad_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    top: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update and the new moments; the bias of the maximum is corrected."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    top = xp.maximum(top, v)
    update = corrected_ratio(xp, m, top, step, beta1, beta2, epsilon, rate=-learning_rate)
    return update, m, v, top


def amsgrad_optax(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    top: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update and the new moments; the maximum is that of corrected ones."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    top = xp.maximum(top, v / one_minus_power(xp, beta2, step))
    rate = learning_rate / one_minus_power(xp, beta1, step)
    return -rate * m / (root(xp, top) + epsilon), m, v, top


def amsgrad_keras(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    top: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update and the new moments; ε joins the root before its correction."""
    m, v = moments(xp, g, m, v, beta1, beta2)
    top = xp.maximum(top, v)
    rate = one_minus_power(xp, beta2, step) ** 0.5 / one_minus_power(xp, beta1, step)
    return -learning_rate * rate * m / (root(xp, top) + epsilon), m, v, top
