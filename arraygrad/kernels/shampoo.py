"""Shampoo and SOAP: what gradients were along each axis says how far to go there."""

import functools

from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.axes import adjoint, along, eigenvectors, gram, power, renewed, turned
from arraygrad.kernels.moments import moving_mean, one_minus_power, unbiased_root
from arraygrad.kernels.norms import abs_squared

__all__ = ["shampoo", "soap"]


def shampoo(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    *matrices: Array,
    learning_rate: Array,
    momentum: Array,
    epsilon: Array,
    keep: Array,
    add: Array,
    phase: Array,
    axes: tuple[int, ...],
) -> tuple[Array, ...]:
    """Return the update, the new momentum, and for each axis a Gram matrix, then a root of it."""
    x = xp.reshape(g, w.shape or (1,))
    grams, roots = _halves(matrices)
    grams = [
        keep * h + add * gram(xp, x, axis, diagonal=h.ndim == 1)
        for h, axis in zip(grams, axes, strict=True)
    ]
    exponent = -0.5 / max(1, len(axes))
    for n, axis in enumerate(axes):
        make = functools.partial(power, xp, grams[n], exponent, epsilon)
        roots[n] = renewed(xp, phase == 0, make, roots[n])
        x = along(xp, roots[n], x, axis)
    m = momentum * m + xp.reshape(x, w.shape)
    return -learning_rate * m, m, *grams, *roots


def soap(
    xp: Namespace,
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *matrices: Array,
    learning_rate: Array,
    beta1: Array,
    beta2: Array,
    keep: Array,
    epsilon: Array,
    weight_decay: Array,
    step: Array,
    done: Array,
    phase: Array,
    axes: tuple[int, ...],
) -> tuple[Array, ...]:
    """Return the update, the new moments, and for each axis a Gram matrix, then a basis.

    The first step only finds the bases, and moves nothing.
    """
    grams, bases = _halves(matrices)
    first, moves = done == 0, namespace_for(xp, step).maximum(step - 1, 1)
    new_m = moving_mean(m, g, beta1)
    new_v = moving_mean(v, abs_squared(xp, _within(xp, bases, g, axes)), beta2)
    x = _within(xp, bases, new_m, axes) / (unbiased_root(xp, new_v, moves, beta2) + epsilon)
    x = _back(xp, bases, x, axes) / one_minus_power(xp, beta1, moves) + weight_decay * w
    new_m, new_v = renewed(xp, first, lambda: m, new_m), renewed(xp, first, lambda: v, new_v)
    for n, axis in enumerate(axes):
        grams[n] = moving_mean(grams[n], gram(xp, g, axis), keep)
        bases[n], new_v = _turned(xp, grams[n], bases[n], new_v, axis, phase == 0, first)
    update = renewed(xp, first, lambda: xp.zeros_like(x), -learning_rate * x)
    return update, new_m, new_v, *grams, *bases


def _halves(matrices: tuple[Array, ...]) -> tuple[list[Array], list[Array]]:
    """Return the Gram matrices of all axes, and what is made of them."""
    half = len(matrices) // 2
    return list(matrices[:half]), list(matrices[half:])


def _within(xp: Namespace, bases: list[Array], x: Array, axes: tuple[int, ...]) -> Array:
    """Return the coordinates of x in the bases."""
    for basis, axis in zip(bases, axes, strict=True):
        x = along(xp, adjoint(xp, basis), x, axis)
    return x


def _back(xp: Namespace, bases: list[Array], x: Array, axes: tuple[int, ...]) -> Array:
    """Return the array of which x are the coordinates."""
    for basis, axis in zip(bases, axes, strict=True):
        x = along(xp, basis, x, axis)
    return x


def _turned(
    xp: Namespace,
    h: Array,
    basis: Array,
    v: Array,
    axis: int,
    due: Array | bool,
    first: Array | bool,
) -> tuple[Array, Array]:
    """Return the basis for the coming steps, and v in the order of its vectors."""
    if due is False and first is False:
        return basis, v
    if first is True:
        return eigenvectors(xp, h), v
    new, order = turned(xp, h, basis)
    v = renewed(xp, due, lambda: renewed(xp, first, lambda: v, xp.take(v, order, axis=axis)), v)
    basis = renewed(xp, due, lambda: new, basis)
    return renewed(xp, first, lambda: eigenvectors(xp, h), basis), v
