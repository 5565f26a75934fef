"""Steps that are clipped element by element: ADOPT and Sophia."""

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import after_first, copied, moving_mean, one_minus_power
from arraygrad.kernels.norms import abs_squared, root

__all__ = [
    "adopt",
    "clip_magnitude",
    "sophia_optax",
    "sophia_optax_held",
    "sophia_paper",
    "sophia_paper_held",
]


def clip_magnitude(xp: Namespace, x: Array, bound: Array) -> Array:
    """Return x where |x| is at most the bound, else x shortened to it."""
    if not is_complex(xp, x.dtype):
        return xp.clip(x, min=-bound, max=bound)
    size = xp.abs(x)
    smallest = float(xp.finfo(size.dtype).smallest_normal)
    return x * (xp.clip(size, max=bound) / xp.clip(size, min=smallest))


def adopt(
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
    clip: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments: g is divided by the v of the step before.

    The first step only makes v.
    """
    later = after_first(xp, step)
    ratio = clip_magnitude(xp, g / xp.clip(root(xp, v), min=epsilon), clip)
    m = m + later * (1 - beta1) * (ratio - m)
    v = moving_mean(v, abs_squared(xp, g), later * beta2)
    return -(later * learning_rate) * m, m, v


def sophia_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    h: Array,
    hessian_diagonal: Array,
    *,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    gamma: Array,
    clip: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments: m is divided by the new h."""
    m, h = moving_mean(m, g, beta1), moving_mean(h, hessian_diagonal, beta2)
    ratio = clip_magnitude(xp, m / xp.clip(gamma * h, min=epsilon), clip)
    return -learning_rate * ratio, m, h


def sophia_paper_held(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    h: Array,
    *,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    gamma: Array,
    clip: Array,
) -> tuple[Array, Array, Array]:
    """Return `sophia_paper` of a step at which h stays as it is."""
    m = moving_mean(m, g, beta1)
    ratio = clip_magnitude(xp, m / xp.clip(gamma * h, min=epsilon), clip)
    return -learning_rate * ratio, m, copied(h)


def sophia_optax(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    h: Array,
    hessian_diagonal: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    gamma: Array,
    clip: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments: m, unbiased, is divided by h as it was before."""
    m = moving_mean(m, g, beta1)
    ratio = _unbiased_ratio(xp, m, h, step, beta1, epsilon, gamma, clip)
    h = moving_mean(h, hessian_diagonal, beta2)
    return -learning_rate * ratio, m, h


def sophia_optax_held(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    h: Array,
    *,
    learning_rate: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    gamma: Array,
    clip: Array,
) -> tuple[Array, Array, Array]:
    """Return `sophia_optax` of a step at which h stays as it is."""
    m = moving_mean(m, g, beta1)
    ratio = _unbiased_ratio(xp, m, h, step, beta1, epsilon, gamma, clip)
    return -learning_rate * ratio, m, copied(h)


def _unbiased_ratio(
    xp: Namespace,
    m: Array,
    h: Array,
    step: Array,
    beta1: Array,
    epsilon: Array,
    gamma: Array,
    clip: Array,
) -> Array:
    """Return the unbiased m over max(γh, ε), clipped."""
    unbiased = m / one_minus_power(xp, beta1, step)
    return clip_magnitude(xp, unbiased / xp.clip(gamma * h, min=epsilon), clip)
