"""Steps along a sign: every parameter moves by the same amount."""

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean

__all__ = ["direction", "lion", "signsgd", "signum"]


def direction(xp: Namespace, x: Array) -> Array:
    """Return the sign, of complex numbers x/|x|; without dividing by zero as libraries do."""
    if not is_complex(xp, x.dtype):
        return xp.sign(x)
    size = xp.abs(x)
    return x / xp.clip(size, min=float(xp.finfo(size.dtype).smallest_normal))


def signsgd(xp: Namespace, w: Array, g: Array, *, learning_rate: Array) -> tuple[Array]:
    """Return the update -lr·sign(g)."""
    return (-learning_rate * direction(xp, g),)


def signum(
    xp: Namespace, w: Array, g: Array, m: Array, *, learning_rate: Array, momentum: Array
) -> tuple[Array, Array]:
    """Return the update -lr·sign(m), and the new mean gradient."""
    m = moving_mean(m, g, momentum)
    return -learning_rate * direction(xp, m), m


def lion(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    *,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·sign(β₁m + (1 - β₁)g), and m moved by β₂."""
    return -learning_rate * direction(xp, moving_mean(m, g, beta1)), moving_mean(m, g, beta2)
