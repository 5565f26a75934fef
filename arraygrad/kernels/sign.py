"""Steps along a sign: every parameter moves by the same amount."""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean

__all__ = ["lion", "signsgd", "signum"]


def signsgd(xp: Namespace, w: Array, g: Array, *, learning_rate: Array) -> tuple[Array]:
    """Return the update -lr·sign(g)."""
    return (-learning_rate * xp.sign(g),)


def signum(
    xp: Namespace, w: Array, g: Array, m: Array, *, learning_rate: Array, momentum: Array
) -> tuple[Array, Array]:
    """Return the update -lr·sign(m), and the new mean gradient."""
    m = moving_mean(m, g, momentum)
    return -learning_rate * xp.sign(m), m


def lion(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    *,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
    weight_decay: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·(sign(β₁m + (1 - β₁)g) + λw), and m moved by β₂."""
    direction = xp.sign(moving_mean(m, g, beta1))
    return -learning_rate * (direction + weight_decay * w), moving_mean(m, g, beta2)
