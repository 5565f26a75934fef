"""LARS: gradient descent whose rate follows the ratio of weight to gradient, array by array."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.norms import norm, trust_ratio

__all__ = ["lars"]


def lars(xp: Namespace, w: Array, g: Array, lr: Array, decay_lambda: Array) -> Array:
    """Return the update -lr·‖w‖/(‖g‖ + λ‖w‖)·(g + λw)."""
    g = xp.broadcast_to(g, w.shape)
    weight = norm(xp, w)
    ratio = trust_ratio(xp, weight, norm(xp, g) + decay_lambda * weight)
    return -lr * ratio * (g + decay_lambda * w)
