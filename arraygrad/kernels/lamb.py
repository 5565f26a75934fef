"""LAMB: Adam whose rate follows the ratio of weight to step, array by array."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.adam import adam_direction
from arraygrad.kernels.layerwise import norm_ratio
from arraygrad.kernels.moments import corrected_ratio, moments
from arraygrad.kernels.norms import norm, trust_ratio

__all__ = ["lamb_ivy", "lamb_paper"]


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
    """Return the update -lr·min(‖w‖/‖u‖, max)·u, where u = delta + λw, and the new moments."""
    delta, m, v = adam_direction(xp, g, m, v, step=step, beta1=beta1, beta2=beta2, epsilon=epsilon)
    u = delta + weight_decay * w
    ratio = xp.clip(trust_ratio(xp, norm(xp, w), norm(xp, u)), max=max_trust_ratio)
    return -learning_rate * ratio * u, m, v


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
    m, v = moments(xp, g, m, v, beta1, beta2)
    direction = corrected_ratio(xp, m, v, step, beta1, beta2, epsilon)
    u = direction + weight_decay * w
    ratio = xp.clip(norm_ratio(xp, norm(xp, w), norm(xp, u)), max=max_trust_ratio)
    return -learning_rate * ratio * u, m, v
