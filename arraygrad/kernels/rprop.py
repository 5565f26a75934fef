"""Rprop: steps that grow while the gradient keeps its sign, whatever its size."""

from arraygrad._typing import Array, Namespace

__all__ = ["rprop_backtracking", "rprop_torch"]


def rprop_backtracking(
    xp: Namespace,
    w: Array,
    g: Array,
    sizes: Array,
    previous: Array,
    *,
    eta_minus: Array,
    eta_plus: Array,
    smallest: Array,
    largest: Array,
) -> tuple[Array, Array, Array]:
    """Return the update, the new sizes, and g: 0 where its sign changed and the step was undone."""
    turned, new = _resized(xp, g, sizes, previous, eta_minus, eta_plus, smallest, largest)
    g = xp.where(turned, xp.zeros_like(g), g)
    return xp.where(turned, xp.sign(previous) * sizes, -xp.sign(g) * new), new, g


def rprop_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    sizes: Array,
    previous: Array,
    *,
    eta_minus: Array,
    eta_plus: Array,
    smallest: Array,
    largest: Array,
) -> tuple[Array, Array, Array]:
    """Return the update, the new sizes, and g: 0 where its sign changed, and no step is taken."""
    turned, new = _resized(xp, g, sizes, previous, eta_minus, eta_plus, smallest, largest)
    g = xp.where(turned, xp.zeros_like(g), g)
    return -xp.sign(g) * new, new, g


def _resized(
    xp: Namespace,
    g: Array,
    sizes: Array,
    previous: Array,
    eta_minus: Array,
    eta_plus: Array,
    smallest: Array,
    largest: Array,
) -> tuple[Array, Array]:
    """Return where the sign of the gradient changed, and the new sizes of steps."""
    agreement = xp.sign(g) * xp.sign(previous)  # of signs: a product could underflow to 0
    turned = agreement < 0
    new = xp.where(turned, eta_minus * sizes, sizes)
    new = xp.where(agreement > 0, eta_plus * sizes, new)
    return turned, xp.clip(new, smallest, largest)
