"""LAMB: Adam whose rate follows the ratio of weight to step, array by array."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.adam import adam_direction
from arraygrad.kernels.layerwise import norm_ratio
from arraygrad.kernels.moments import adam_ratio
from arraygrad.kernels.norms import norm, trust_ratio

__all__ = ["lamb", "lamb_ivy", "lamb_paper"]


def lamb(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    lr: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    max_trust_ratio: Array,
    decay_lambda: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·min(‖w‖/‖u‖, max)·u, where u = delta + λw, and the new moments."""
    delta, m, v = adam_direction(xp, g, m, v, step, beta1, beta2, epsilon)
    u = delta + decay_lambda * w
    ratio = xp.clip(trust_ratio(xp, norm(xp, w), norm(xp, u)), max=max_trust_ratio)
    return -lr * ratio * u, m, v


def lamb_ivy(
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
    weight_decay: Array,
    max_trust_ratio: Array,
) -> tuple[Array, Array, Array]:
    """Return what `lamb` does."""
    scalars = (learning_rate, step, beta1, beta2, epsilon, max_trust_ratio, weight_decay)
    return lamb(xp, w, g, m, v, *scalars)


def lamb_paper(
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
    weight_decay: Array,
    max_trust_ratio: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments; ε joins the root of the corrected v."""
    direction, m, v = adam_ratio(xp, g, m, v, step, beta1, beta2, epsilon)
    u = direction + weight_decay * w
    ratio = xp.clip(norm_ratio(xp, norm(xp, w), norm(xp, u)), max=max_trust_ratio)
    return -learning_rate * ratio * u, m, v
