"""RMSProp: a step divided by the root of the mean square of recent gradients.

Here ε is under the root, and the momentum sums moves; in the kernels named after torch ε joins the
root, and the momentum sums directions.
"""

from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean
from arraygrad.kernels.norms import abs_squared, root

__all__ = [
    "centered",
    "centered_momentum",
    "centered_momentum_torch",
    "centered_nesterov",
    "centered_torch",
    "rmsprop",
    "rmsprop_momentum",
    "rmsprop_momentum_torch",
    "rmsprop_nesterov",
    "rmsprop_torch",
]


def rmsprop(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·g / √(ν + ε), and ν."""
    v = _mean_square(xp, g, v, decay)
    return -learning_rate * g / root(xp, v + epsilon), v


def rmsprop_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
) -> tuple[Array, Array]:
    """Return the update -lr·g / (√ν + ε), and ν."""
    v = _mean_square(xp, g, v, decay)
    return -learning_rate * g / (root(xp, v) + epsilon), v


def rmsprop_momentum(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    b: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
    momentum: Array,
) -> tuple[Array, Array, Array]:
    """Return the update b ← mb + u, where u is `rmsprop`'s; ν and b."""
    u, v = rmsprop(xp, w, g, v, learning_rate=learning_rate, decay=decay, epsilon=epsilon)
    b = momentum * b + u
    return b, v, b


def rmsprop_nesterov(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    b: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
    momentum: Array,
) -> tuple[Array, Array, Array]:
    """Return the update mb + u after b ← mb + u, where u is `rmsprop`'s; ν and b."""
    u, v = rmsprop(xp, w, g, v, learning_rate=learning_rate, decay=decay, epsilon=epsilon)
    b = momentum * b + u
    return momentum * b + u, v, b


def rmsprop_momentum_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    b: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
    momentum: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·b, where b ← mb + g / (√ν + ε); ν and b."""
    v = _mean_square(xp, g, v, decay)
    b = momentum * b + g / (root(xp, v) + epsilon)
    return -learning_rate * b, v, b


def centered(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    m: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·g / √(ν - |μ|² + ε), and the means."""
    v, m, variance = _variance(xp, g, v, m, decay)
    return -learning_rate * g / root(xp, variance + epsilon), v, m


def centered_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    m: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
) -> tuple[Array, Array, Array]:
    """Return the update -lr·g / (√(ν - |μ|²) + ε), and the means."""
    v, m, variance = _variance(xp, g, v, m, decay)
    return -learning_rate * g / (root(xp, variance) + epsilon), v, m


def centered_momentum(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    m: Array,
    b: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
    momentum: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update b ← mb + u, where u is `centered`'s; the means and b."""
    u, v, m = centered(xp, w, g, v, m, learning_rate=learning_rate, decay=decay, epsilon=epsilon)
    b = momentum * b + u
    return b, v, m, b


def centered_nesterov(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    m: Array,
    b: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
    momentum: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update mb + u after b ← mb + u, where u is `centered`'s; the means and b."""
    u, v, m = centered(xp, w, g, v, m, learning_rate=learning_rate, decay=decay, epsilon=epsilon)
    b = momentum * b + u
    return momentum * b + u, v, m, b


def centered_momentum_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    v: Array,
    m: Array,
    b: Array,
    *,
    learning_rate: Array,
    decay: Array,
    epsilon: Array,
    momentum: Array,
) -> tuple[Array, Array, Array, Array]:
    """Return the update -lr·b, where b ← mb + g / (√(ν - |μ|²) + ε); the means and b."""
    v, m, variance = _variance(xp, g, v, m, decay)
    b = momentum * b + g / (root(xp, variance) + epsilon)
    return -learning_rate * b, v, m, b


def _mean_square(xp: Namespace, g: Array, v: Array, decay: Array) -> Array:
    return moving_mean(v, abs_squared(xp, g), decay)


def _variance(
    xp: Namespace, g: Array, v: Array, m: Array, decay: Array
) -> tuple[Array, Array, Array]:
    """Return the mean square, the mean, and the variance."""
    v, m = _mean_square(xp, g, v, decay), moving_mean(m, g, decay)
    return v, m, v - abs_squared(xp, m)
