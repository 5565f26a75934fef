"""LAMB: Adam whose rate follows the ratio of weight to step, array by array."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.adam import adam_direction
from arraygrad.kernels.norms import norm, trust_ratio

__all__ = ["lamb"]


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
