"""D-Adaptation and Prodigy: Adam whose rate grows to the distance from the start to the minimum.

The distance d is one number for all leaves; what it is made of are sums over all of them.
"""

from arraygrad._namespace import is_complex
from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean, one_minus_power
from arraygrad.kernels.norms import abs_squared, root

__all__ = [
    "absolute_sum",
    "correction",
    "dadapt_adamw",
    "grown",
    "inner_product",
    "prodigy",
    "scaled_inner_product",
    "weighted_sum",
]


def inner_product(xp: Namespace, g: Array, start: Array, w: Array) -> Array:
    """Return ⟨g, start - w⟩, real."""
    return _dot(xp, g, start - w)


def scaled_inner_product(xp: Namespace, g: Array, s: Array, v: Array, epsilon: Array) -> Array:
    """Return ⟨g, s⟩, real, where each product is divided by √v + ε."""
    return _dot(xp, g, s / (root(xp, v) + epsilon))


def absolute_sum(xp: Namespace, x: Array) -> Array:
    """Return the sum of magnitudes."""
    return xp.sum(xp.abs(x))


def correction(xp: Namespace, step: Array, beta1: Array, beta2: Array) -> Array:
    """Return what corrects the bias of Adam's two means: √(1 - β₂ᵗ) / (1 - β₁ᵗ)."""
    return one_minus_power(xp, beta2, step) ** 0.5 / one_minus_power(xp, beta1, step)


def grown(xp: Namespace, distance: Array, numerator: Array, denominator: Array) -> Array:
    """Return the larger of a distance and a new estimate of it, where that has a denominator."""
    sp = namespace_for(xp, distance, numerator, denominator)
    known = denominator > 0
    estimate = numerator / sp.where(known, denominator, sp.ones_like(denominator))
    return sp.where(known, sp.maximum(distance, estimate), distance)


def weighted_sum(xp: Namespace, s: Array, g: Array, *, kept: Array, rate: Array) -> tuple[Array]:
    """Return a sum of gradients, after one more."""
    return (kept * s + rate * g,)


def prodigy(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    weight_decay: Array,
    distance: Array,
    rate: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments, those of d·g; `epsilon` is multiplied by d."""
    m = moving_mean(m, distance * g, beta1)
    v = moving_mean(v, distance * distance * abs_squared(xp, g), beta2)
    return -rate * (m / (root(xp, v) + epsilon) + weight_decay * w), m, v


def dadapt_adamw(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    weight_decay: Array,
    rate: Array,
) -> tuple[Array, Array, Array]:
    """Return the update and the new moments, the first of rate·g."""
    m = moving_mean(m, rate * g, beta1)
    v = moving_mean(v, abs_squared(xp, g), beta2)
    return -m / (root(xp, v) + epsilon) - rate * weight_decay * w, m, v


def _dot(xp: Namespace, x: Array, y: Array) -> Array:
    """Return the real part of the inner product of all elements."""
    product = xp.conj(x) * y if is_complex(xp, x.dtype) else x * y
    total = xp.sum(product)
    return xp.real(total) if is_complex(xp, x.dtype) else total
