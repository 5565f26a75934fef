"""Steps whose size follows norms of whole arrays: NovoGrad and Fromage."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import after_first, moving_mean
from arraygrad.kernels.norms import abs_squared, norm, root

__all__ = ["fromage", "norm_ratio", "novograd"]


def norm_ratio(
    xp: Namespace, weight: Array, step: Array, *, scale: Array = 1.0, epsilon: Array = 0.0
) -> Array:
    """Return scale·weight/(step + ε) of two norms, 1 where either is zero."""
    zero = (weight == 0) | (step == 0)
    guard = xp.astype(zero, step.dtype)
    return xp.where(zero, xp.ones_like(weight), scale * weight / (step + epsilon + guard))


def novograd(
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
) -> tuple[Array, Array, Array]:
    """Return the update -lr·m and the new moments; v, one number, starts as ‖g‖²."""
    v = moving_mean(v, xp.sum(abs_squared(xp, g)), after_first(xp, step) * beta2)
    m = beta1 * m + (g / (root(xp, v) + epsilon) + weight_decay * w)
    return -learning_rate * m, m, v


def fromage(
    xp: Namespace, w: Array, g: Array, *, learning_rate: Array, min_norm: Array
) -> tuple[Array]:
    """Return the update to (w - lr·‖w‖/‖g‖·g) / √(1 + lr²), norms of `min_norm` at least."""
    weight, slope = (xp.clip(norm(xp, x), min=min_norm) for x in (w, g))
    shrink = (1 + learning_rate * learning_rate) ** -0.5
    step = shrink * learning_rate * norm_ratio(xp, weight, slope)
    return ((shrink - 1) * w - step * g,)
