"""Differences, integrals, interpolation; sequences of numbers."""

import math
from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    as_arrays,
    as_floating,
    as_operand,
    axes_of,
    standard,
)

__all__ = ["FUNCTIONS"]


def diff(xp: Namespace, a: Any, n: int = 1, axis: int = -1, prepend: Any = None,
         append: Any = None) -> Array:  # fmt: skip
    """Subtract neighbours, `n` times."""
    x = as_array(xp, a)
    if n < 0 or not x.ndim:
        message = f"numpy.diff: {n} times along {x.ndim} axes"
        raise ValueError(message)
    if n == 0:
        return x
    (axis,) = axes_of(x, axis)
    if prepend is None and append is None:
        return xp.diff(x, n=n, axis=axis)
    edge = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    given = [as_array(xp, part) for part in (prepend, x, append) if part is not None]
    parts = [part if part.ndim else xp.broadcast_to(part, edge) for part in given]
    return xp.diff(xp.concat(as_arrays(xp, *parts), axis=axis), n=n, axis=axis)


def ediff1d(xp: Namespace, ary: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    """Subtract neighbours among all elements; put others at the ends."""
    middle = xp.diff(as_array(xp, ary).ravel())
    ends = (None if e is None else as_array(xp, e).ravel() for e in (to_begin, to_end))
    before, after = ends
    return xp.concat([part for part in (before, middle, after) if part is not None])


def trapezoid(xp: Namespace, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """Integrate by the trapezoidal rule."""
    y = xp.moveaxis(as_array(xp, y), axis, -1)
    if x is not None:
        x = as_array(xp, x)
        dx = xp.diff(x if x.ndim == 1 else xp.moveaxis(x, axis, -1))
    return (dx * (y[..., 1:] + y[..., :-1]) / 2.0).sum(axis=-1)


def gradient(xp: Namespace, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return slopes along axes, from second-order differences."""
    x = as_floating(xp, f)
    axes = axes_of(x, axis)
    steps = [as_array(xp, h) for h in varargs or (1.0,)]
    steps = steps * len(axes) if len(steps) == 1 and not steps[0].ndim else steps
    if len(steps) != len(axes):
        message = f"numpy.gradient: {len(steps)} spacings for {len(axes)} axes"
        raise TypeError(message)
    found = tuple(_slopes(xp, x, h, a, edge_order) for h, a in zip(steps, axes, strict=True))
    return found[0] if len(found) == 1 else found


def _slopes(xp: Namespace, x: Array, spacing: Array, axis: int, edge_order: int) -> Array:
    """Return slopes along one axis; the spacing is a number, or the places of the elements."""
    if x.shape[axis] <= edge_order:
        message = f"numpy.gradient: {x.shape[axis]} elements are too few for {edge_order=}"
        raise ValueError(message)
    y = xp.moveaxis(x, axis, -1)
    h = xp.diff(spacing) if spacing.ndim else xp.broadcast_to(spacing, (y.shape[-1] - 1,))
    h = xp.astype(h, y.dtype)
    near, far = h[:-1], h[1:]
    inner = (
        y[..., 2:] * (near / (far * (near + far)))
        + y[..., 1:-1] * ((far - near) / (near * far))
        - y[..., :-2] * (far / (near * (near + far)))
    )
    first = _edge(xp, y, h, edge_order)
    last = -_edge(xp, xp.flip(y, axis=-1), xp.flip(h), edge_order)
    return xp.moveaxis(xp.concat([first, inner, last], axis=-1), -1, axis)


def _edge(xp: Namespace, y: Array, h: Array, order: int) -> Array:
    """Return the slope at the first element."""
    slope = (y[..., 1:2] - y[..., :1]) / h[0]
    if order == 1:
        return slope
    next_slope = (y[..., 2:3] - y[..., 1:2]) / h[1]
    return slope - (next_slope - slope) * (h[0] / (h[0] + h[1]))


def interp(space: Namespace, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None,
           period: Any = None) -> Array:  # fmt: skip
    """Return the values of a piecewise linear function; `xp` are its knots, as NumPy calls them."""
    x, knots, values = (as_array(space, a) for a in (x, xp, fp))
    wide = space.complex128 if space.is_complex(values.dtype) else space.float64
    x, knots = space.astype(x, space.float64), space.astype(knots, space.float64)
    values = space.astype(values, wide)
    if period is not None:
        x, knots, values = _periodic(space, x, knots, values, as_array(space, period))
    last = knots.shape[0] - 1
    below = space.clip(space.searchsorted(knots, x, side="right") - 1, 0, max(last - 1, 0))
    above = space.clip(below + 1, 0, last)
    start, y = knots[below], values[below]
    width = knots[above] - start
    slope = (values[above] - y) / space.where(width == 0, 1.0, width)
    y = y + slope * (x - start)
    if period is None:
        y = space.where(x < knots[0], values[0] if left is None else left, y)
        y = space.where(x > knots[last], values[last] if right is None else right, y)
    return y


def _periodic(space: Namespace, x: Array, knots: Array, values: Array, period: Array) -> Any:
    """Return all within one period, with a knot more at either end."""
    period = abs(period)
    x, knots = x % period, knots % period
    order = space.argsort(knots)
    knots, values = knots[order], values[order]
    knots = space.concat([knots[-1:] - period, knots, knots[:1] + period])
    return x, knots, space.concat([values[-1:], values, values[:1]])


def unwrap(xp: Namespace, p: Any, discont: float | None = None, axis: int = -1, *,
           period: Any = 2 * math.pi) -> Array:  # fmt: skip
    """Add whole periods, so that neighbours differ by less than one half."""
    x = xp.moveaxis(as_floating(xp, p), axis, -1)
    steps, half = xp.diff(x), period / 2
    turns = xp.floor((steps + half) / period)
    turns = xp.where((steps - period * turns == -half) & (steps > 0), turns - 1, turns)
    small = abs(steps) < (half if discont is None else discont)
    added = xp.cumulative_sum(xp.where(small, 0.0, -period * turns), axis=-1)
    return xp.moveaxis(xp.concat([x[..., :1], x[..., 1:] + added], axis=-1), -1, axis)


def linspace(xp: Namespace, start: Any, stop: Any, num: int = 50, endpoint: bool = True,
             retstep: bool = False, dtype: Any = None, axis: int = 0, *,
             device: Any = None) -> Any:  # fmt: skip
    """Return evenly spaced numbers."""
    start, stop = as_operand(xp, start), as_operand(xp, stop)
    y = xp.linspace(start, stop, num, endpoint=endpoint, dtype=dtype, device=device)
    y = xp.moveaxis(y, 0, axis) if axis else y
    if not retstep:
        return y
    gaps = num - 1 if endpoint else num
    return y, (as_array(xp, stop) - as_array(xp, start)) / (gaps or math.nan)


def logspace(xp: Namespace, start: Any, stop: Any, num: int = 50, endpoint: bool = True,
             base: Any = 10.0, dtype: Any = None, axis: int = 0) -> Array:  # fmt: skip
    """Return powers of a base, whose exponents are evenly spaced."""
    start, stop, base = (as_operand(xp, x) for x in (start, stop, base))
    if getattr(base, "ndim", 0):  # its axes decide what `axis` means
        ndim = max(getattr(x, "ndim", 0) for x in (start, stop, base))
        start, stop = (_of_ndim(xp, as_array(xp, x), ndim) for x in (start, stop))
        base = xp.expand_dims(_of_ndim(xp, base, ndim), axis=axis)
    y = base ** linspace(xp, start, stop, num, endpoint, axis=axis)
    return y if dtype is None else xp.astype(y, dtype)


def _of_ndim(xp: Namespace, x: Array, ndim: int) -> Array:
    return xp.reshape(x, (1,) * (ndim - x.ndim) + x.shape)


def geomspace(xp: Namespace, start: Any, stop: Any, num: int = 50, endpoint: bool = True,
              dtype: Any = None, axis: int = 0) -> Array:  # fmt: skip
    """Return numbers, each the same multiple of the one before."""
    start, stop = as_floating(xp, start), as_floating(xp, stop)
    y = start * (stop / start) ** _fractions(xp, num, endpoint, max(start.ndim, stop.ndim))
    y = y if dtype is None else xp.astype(y, dtype)
    return xp.moveaxis(y, 0, axis) if axis else y


def _fractions(xp: Namespace, num: int, endpoint: bool, ndim: int) -> Array:
    """Return evenly spaced numbers from 0 to 1, along a new first axis."""
    return xp.reshape(xp.linspace(0.0, 1.0, num, endpoint=endpoint), (-1,) + (1,) * ndim)


FUNCTIONS: dict[str, Function] = {
    "cumulative_prod": standard("cumulative_prod"),
    "cumulative_sum": standard("cumulative_sum"),
    "diff": diff,
    "ediff1d": ediff1d,
    "geomspace": geomspace,
    "gradient": gradient,
    "interp": interp,
    "linspace": linspace,
    "logspace": logspace,
    "trapezoid": trapezoid,
    "unwrap": unwrap,
}
