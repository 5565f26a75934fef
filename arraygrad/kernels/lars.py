"""LARS: gradient descent whose rate follows the ratio of weight to gradient, array by array."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.layerwise import norm_ratio
from arraygrad.kernels.norms import norm, trust_ratio

__all__ = [
    "lars_ivy",
    "lars_optax",
    "lars_optax_alone",
    "lars_optax_nesterov",
    "lars_paper",
    "lars_paper_alone",
    "lars_paper_nesterov",
]


def lars_ivy(
    xp: Namespace, w: Array, g: Array, *, learning_rate: Array, weight_decay: Array
) -> tuple[Array]:
    """Return the update -lr·‖w‖/(‖g‖ + λ‖w‖)·(g + λw)."""
    g = xp.broadcast_to(g, w.shape)
    weight = norm(xp, w)
    ratio = trust_ratio(xp, weight, norm(xp, g) + weight_decay * weight)
    return (-learning_rate * ratio * (g + weight_decay * w),)


def lars_paper_alone(
    xp: Namespace,
    w: Array,
    g: Array,
    *,
    learning_rate: Array,
    weight_decay: Array,
    trust_coefficient: Array,
    epsilon: Array,
) -> tuple[Array]:
    """Return the update of `lars_paper` without momentum."""
    return (-learning_rate * _paper_step(xp, w, g, weight_decay, trust_coefficient, epsilon),)


def lars_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    weight_decay: Array,
    trust_coefficient: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return the update -v, and v; the ratio is η‖w‖/(‖g‖ + λ‖w‖)."""
    local = _paper_step(xp, w, g, weight_decay, trust_coefficient, epsilon)
    v = momentum * v + learning_rate * local
    return -v, v


def lars_paper_nesterov(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    weight_decay: Array,
    trust_coefficient: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return `lars_paper` with Nesterov's momentum."""
    local = learning_rate * _paper_step(xp, w, g, weight_decay, trust_coefficient, epsilon)
    v = momentum * v + local
    return -(local + momentum * v), v


def lars_optax_alone(
    xp: Namespace,
    w: Array,
    g: Array,
    *,
    learning_rate: Array,
    weight_decay: Array,
    trust_coefficient: Array,
    epsilon: Array,
) -> tuple[Array]:
    """Return the update of `lars_optax` without momentum."""
    return (-learning_rate * _optax_step(xp, w, g, weight_decay, trust_coefficient, epsilon),)


def lars_optax(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    weight_decay: Array,
    trust_coefficient: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return the update -v, and v; the ratio is η‖w‖/‖g + λw‖."""
    local = _optax_step(xp, w, g, weight_decay, trust_coefficient, epsilon)
    v = momentum * v + learning_rate * local
    return -v, v


def lars_optax_nesterov(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    weight_decay: Array,
    trust_coefficient: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return `lars_optax` with Nesterov's momentum."""
    local = learning_rate * _optax_step(xp, w, g, weight_decay, trust_coefficient, epsilon)
    v = momentum * v + local
    return -(local + momentum * v), v


def _paper_step(
    xp: Namespace, w: Array, g: Array, decay: Array, coefficient: Array, epsilon: Array
) -> Array:
    """Return g + λw, scaled by the paper's ratio."""
    weight = norm(xp, w)
    step = norm(xp, g) + decay * weight
    return norm_ratio(xp, weight, step, scale=coefficient, epsilon=epsilon) * (g + decay * w)


def _optax_step(
    xp: Namespace, w: Array, g: Array, decay: Array, coefficient: Array, epsilon: Array
) -> Array:
    """Return g + λw, scaled by the ratio of ‖w‖ to its own norm."""
    step = g + decay * w
    return norm_ratio(xp, norm(xp, w), norm(xp, step), scale=coefficient, epsilon=epsilon) * step
