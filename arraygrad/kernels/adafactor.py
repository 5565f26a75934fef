"""Adafactor: a divisor from the mean squares of rows and columns alone.

The squares of a factored leaf are kept as two slots, `rows` and `columns`: its shape with 1 for the
one axis or the other. Of any other leaf `rows` is the mean square itself, and `columns` is empty.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

from arraygrad._numbers import namespace_for
from arraygrad._typing import Array, Namespace
from arraygrad.kernels.moments import moving_mean
from arraygrad.kernels.norms import abs_squared, norm, root

__all__ = ["Axes", "Factoring", "adafactor", "adafactor_torch", "last_axes", "longest_axes"]

Axes = tuple[int, int]
"""The axes over which `rows` and `columns` are means."""

Factoring = Callable[[tuple[int, ...]], Axes | None]
"""Which axes of a shape are factored, if any."""


def last_axes(shape: tuple[int, ...]) -> Axes | None:
    """Return the last two axes: a leaf is a stack of matrices."""
    return None if len(shape) < 2 or 0 in shape else (len(shape) - 1, len(shape) - 2)


@functools.cache
def longest_axes(smallest: int) -> Factoring:
    """Return what finds the two longest axes, if both have `smallest` elements."""
    return functools.partial(_longest_axes, smallest=smallest)


def _longest_axes(shape: tuple[int, ...], *, smallest: int) -> Axes | None:
    if len(shape) < 2 or 0 in shape:
        return None
    *_, second, longest = sorted(range(len(shape)), key=lambda axis: shape[axis])
    return (longest, second) if shape[second] >= smallest else None


def adafactor(
    axes_of: Factoring, *, relative: bool, scaled: bool, averaged: bool
) -> Callable[..., tuple[Array, ...]]:
    """Return a kernel: ε joins the squares.

    A `relative` step is at most 1 / √t, a `scaled` one is relative to the size of the parameters,
    and an `averaged` one has a third slot and the scalar `momentum`.
    """
    kernel = _Adafactor(axes_of, relative, scaled)
    return _Averaged(kernel) if averaged else kernel


@dataclass(frozen=True)
class _Adafactor:
    """The kernel: an object, so that it can be pickled."""

    axes_of: Factoring
    relative: bool
    scaled: bool

    @property
    def __name__(self) -> str:
        return "adafactor_relative" if self.relative else "adafactor"

    def __call__(
        self,
        xp: Namespace,
        w: Array,
        g: Array,
        rows: Array,
        columns: Array,
        *,
        learning_rate: Array,
        step: Array,
        decay_power: Array,
        epsilon: Array,
        minimum_scale: Array,
        clipping_threshold: Array,
    ) -> tuple[Array, ...]:
        axes = self.axes_of(w.shape)
        square = abs_squared(xp, g) + epsilon
        rows, columns = _means(xp, square, rows, columns, axes, 1 - step**-decay_power)
        u = g / root(xp, _estimate(xp, rows, columns, axes, None))
        rate = _at_most(xp, learning_rate, step**-0.5) if self.relative else learning_rate
        if self.scaled:
            rate = rate * xp.maximum(_rms(xp, w), minimum_scale)
        return -rate * _clipped(xp, u, clipping_threshold), rows, columns


@dataclass(frozen=True)
class _Averaged:
    """The kernel whose updates are averaged."""

    kernel: _Adafactor

    @property
    def __name__(self) -> str:
        return f"averaged_{self.kernel.__name__}"

    def __call__(
        self,
        xp: Namespace,
        w: Array,
        g: Array,
        rows: Array,
        columns: Array,
        mean: Array,
        *,
        momentum: Array,
        learning_rate: Array,
        step: Array,
        decay_power: Array,
        epsilon: Array,
        minimum_scale: Array,
        clipping_threshold: Array,
    ) -> tuple[Array, ...]:
        update, rows, columns = self.kernel(
            xp, w, g, rows, columns, learning_rate=learning_rate, step=step,
            decay_power=decay_power, epsilon=epsilon, minimum_scale=minimum_scale,
            clipping_threshold=clipping_threshold,
        )  # fmt: skip
        mean = moving_mean(mean, update, momentum)
        return mean, rows, columns, mean


def adafactor_torch(
    xp: Namespace,
    w: Array,
    g: Array,
    rows: Array,
    columns: Array,
    *,
    learning_rate: Array,
    step: Array,
    decay_power: Array,
    minimum_scale: Array,
    clipping_threshold: Array,
    epsilon: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Return the update, rows and columns: ε bounds the mean of rows, and ε² the squares."""
    axes = last_axes(w.shape)
    epsilon = float(xp.finfo(w.dtype).eps) if epsilon is None else epsilon
    square = abs_squared(xp, g)
    rows, columns = _means(xp, square, rows, columns, axes, 1 - step**-decay_power)
    estimate = _estimate(xp, rows, columns, axes, epsilon)
    u = g / xp.sqrt(xp.maximum(estimate, epsilon * epsilon))
    rate = _at_most(xp, learning_rate, step**-0.5) * xp.maximum(_rms(xp, w), minimum_scale)
    return -rate * _clipped(xp, u, clipping_threshold), rows, columns


def _means(
    xp: Namespace, square: Array, rows: Array, columns: Array, axes: Axes | None, beta: Array
) -> tuple[Array, Array]:
    """Return the new mean squares."""
    if axes is None:
        return moving_mean(rows, square, beta), columns
    row, column = (xp.mean(square, axis=axis, keepdims=True) for axis in axes)
    return moving_mean(rows, row, beta), moving_mean(columns, column, beta)


def _estimate(
    xp: Namespace, rows: Array, columns: Array, axes: Axes | None, smallest: Array | None
) -> Array:
    """Return the mean square of every element, as far as rows and columns tell."""
    if axes is None:
        return rows
    total = xp.mean(rows, axis=axes[1], keepdims=True)
    if smallest is not None:
        total = xp.maximum(total, smallest)
    return rows / total * columns  # in this order nothing underflows


def _rms(xp: Namespace, x: Array) -> Array:
    """Return the root of the mean square; of no elements, 0."""
    return norm(xp, x) / max(1, math.prod(x.shape)) ** 0.5


def _clipped(xp: Namespace, u: Array, threshold: Array) -> Array:
    """Return u, shortened where its root mean square exceeds the threshold."""
    return u / xp.maximum(_rms(xp, u) / threshold, 1.0)


def _at_most(xp: Namespace, x: Array, bound: Array) -> Array:
    """Return the lesser of two scalars."""
    return namespace_for(xp, x, bound).minimum(x, bound)
