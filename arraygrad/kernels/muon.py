"""Muon: momentum, replaced by nearly the orthogonal matrix that is nearest to it."""

from collections.abc import Callable, Sequence

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean, nesterov_mean, one_minus_power
from arraygrad.kernels.norms import norm

__all__ = ["FACTORS", "QUINTIC", "muon_corrected", "muon_paper", "orthogonalized"]

QUINTIC = (3.4445, -4.7750, 2.0315)  # so steep at 0 that singular values end in [0.68, 1.13]

FACTORS: dict[str, Callable[[int, int], float]] = {
    "width": lambda outputs, inputs: max(1.0, outputs / inputs) ** 0.5,
    "rms": lambda outputs, inputs: 0.2 * float(max(outputs, inputs)) ** 0.5,
    "none": lambda outputs, inputs: 1.0,
}
"""What makes the steps of matrices of all shapes alike."""


def orthogonalized(
    xp: Namespace, x: Array, epsilon: Array, *, polynomials: Sequence[tuple[float, float, float]]
) -> Array:
    """Return nearly u vᴴ, where x = u s vᴴ: each polynomial a s + b s³ + c s⁵ brings s to 1."""
    tall = x.shape[0] > x.shape[1]
    x = xp.matrix_transpose(x) if tall else x  # the smaller square
    x = x / (norm(xp, x) + epsilon)
    for a, b, c in polynomials:
        square = x @ xp.matrix_transpose(xp.conj(x) if is_complex(xp, x.dtype) else x)
        x = a * x + (b * square + c * (square @ square)) @ x
    return xp.matrix_transpose(x) if tall else x


def muon_paper(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    weight_decay: Array,
    epsilon: Array,
    nesterov: bool,
    polynomials: Sequence[tuple[float, float, float]],
    scaling: str,
) -> tuple[Array, Array]:
    """Return the update of a matrix that is outputs by inputs, and the new momentum."""
    m = moving_mean(m, g, momentum)
    x = moving_mean(m, g, momentum) if nesterov else m
    x = FACTORS[scaling](*w.shape) * orthogonalized(xp, x, epsilon, polynomials=polynomials)
    return -learning_rate * (x + weight_decay * w), m


def muon_corrected(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    *,
    learning_rate: Array,
    momentum: Array,
    weight_decay: Array,
    epsilon: Array,
    step: Array,
    nesterov: bool,
    polynomials: Sequence[tuple[float, float, float]],
    scaling: str,
) -> tuple[Array, Array]:
    """Return what `muon_paper` does of unbiased means, for a matrix that is inputs by outputs."""
    m = moving_mean(m, g, momentum)
    if nesterov:
        x = nesterov_mean(xp, g, m, step, momentum)
    else:
        x = m / one_minus_power(xp, momentum, step)
    x = FACTORS[scaling](*w.shape[::-1]) * orthogonalized(xp, x, epsilon, polynomials=polynomials)
    return -learning_rate * (x + weight_decay * w), m
