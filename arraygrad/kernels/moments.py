"""Moving means: what the kernels of Adam's relatives share."""

from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.norms import abs_squared, root

__all__ = [
    "after_first",
    "copied",
    "corrected_ratio",
    "moments",
    "moving_mean",
    "nesterov_mean",
    "one_minus_power",
    "unbiased_root",
]


def moving_mean(mean: Array, x: Array, beta: Array) -> Array:
    """Return the mean after x: of the old one, beta is kept."""
    return beta * mean + (1 - beta) * x


def moments(
    xp: Namespace, g: Array, m: Array, v: Array, beta1: Array, beta2: Array
) -> tuple[Array, Array]:
    """Return the running means of the gradient and of its squared magnitude."""
    return moving_mean(m, g, beta1), moving_mean(v, abs_squared(xp, g), beta2)


def unbiased_root(xp: Namespace, v: Array, step: Array, beta: Array) -> Array:
    """Return √(v / (1 - βᵗ)): v started from zeros."""
    return one_minus_power(xp, beta, step) ** -0.5 * root(xp, v)


def nesterov_mean(xp: Namespace, g: Array, m: Array, step: Array, beta: Array) -> Array:
    """Return the unbiased mean of the next step, whose gradient is taken to be g once more."""
    ahead = beta / one_minus_power(xp, beta, step + 1)
    return ahead * m + (1 - beta) / one_minus_power(xp, beta, step) * g


def corrected_ratio(
    xp: Namespace,
    m: Array,
    v: Array,
    step: Array,
    beta1: Array,
    beta2: Array,
    epsilon: Array,
    *,
    rate: Array = 1,
) -> Array:
    """Return rate·m̂ / (√v̂ + ε), both biases corrected."""
    spread = one_minus_power(xp, beta2, step) ** 0.5  # in numerator and ε: one pass less over v
    return rate * spread / one_minus_power(xp, beta1, step) * m / (root(xp, v) + epsilon * spread)


def after_first(xp: Namespace, step: Array) -> Array:
    """Return 0 at step 1, and 1 from step 2 on."""
    return namespace_for(xp, step).clip(step - 1, min=0, max=1)


def copied(x: Array) -> Array:
    """Return x in memory of its own: what the caller holds must not become a slot."""
    negated = -x
    return -negated


def one_minus_power(xp: Namespace, base: Array, exponent: Array) -> Array:
    """Return 1 - base**exponent for a base in [0, 1), without cancellation."""
    sp = namespace_for(xp, base, exponent)
    logarithm = namespace_for(xp, base).log(base)
    return -sp.expm1(exponent * logarithm)
