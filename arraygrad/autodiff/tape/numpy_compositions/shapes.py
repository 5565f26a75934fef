"""Shapes: elements moved, axes added, edges padded, windows."""

from typing import Any

from arraygrad._typing import Array, Namespace
from arraygrad.autodiff.tape.numpy_compositions.arguments import (
    Function,
    as_array,
    axes_of,
    refuse,
    standard,
)
from arraygrad.autodiff.tape.numpy_compositions.integers import integers, places_of

__all__ = ["FUNCTIONS"]


def reshape(
    xp: Namespace, a: Any, shape: Any, order: str = "C", *, copy: bool | None = None
) -> Array:
    """Return the elements in another shape."""
    return as_array(xp, a).reshape(shape, order=order, copy=copy)


def transpose(xp: Namespace, a: Any, axes: Any = None) -> Array:
    """Return the array with its axes in another order."""
    return as_array(xp, a).transpose(*(() if axes is None else (tuple(axes),)))


def expand_dims(xp: Namespace, a: Any, axis: Any) -> Array:
    """Add axes of length 1."""
    x = as_array(xp, a)
    axes = integers(axis)
    for place in sorted(places_of(axes, x.ndim + len(axes))):
        x = xp.expand_dims(x, axis=place)
    return x


def roll(xp: Namespace, a: Any, shift: Any, axis: Any = None) -> Array:
    """Move elements around axes, each by its shift; without an axis, all elements."""
    x, shifts = as_array(xp, a), integers(shift)
    if axis is None:
        return xp.roll(x, sum(shifts))
    axes = axes_of(x, axis)
    count = max(len(shifts), len(axes))
    shifts, axes = (each * count if len(each) == 1 else each for each in (shifts, axes))
    return xp.roll(x, shifts, axis=axes)


def rollaxis(xp: Namespace, a: Any, axis: int, start: int = 0) -> Array:
    """Move an axis before another one; `start` counts the end as a place."""
    x = as_array(xp, a)
    (axis,) = axes_of(x, axis)
    place = start + x.ndim if start < 0 else start
    if not 0 <= place <= x.ndim:
        message = f"numpy.rollaxis: {start=} of an array of {x.ndim} axes"
        raise ValueError(message)
    return xp.moveaxis(x, axis, place - (place > axis))


def rot90(xp: Namespace, m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Rotate by quarter turns."""
    x = as_array(xp, m)
    for _ in range(k % 4):
        x = xp.flip(x.swapaxes(*axes), axis=axes[0])
    return x


def diag(xp: Namespace, v: Any, k: int = 0) -> Array:
    """Return a diagonal of a matrix, or the matrix of a diagonal."""
    x = as_array(xp, v)
    if x.ndim == 2:
        return x.diagonal(k)
    beside = xp.zeros(abs(k), dtype=x.dtype, device=x.device)
    row = xp.concat([beside, x] if k > 0 else [x, beside])
    chosen = xp.eye(row.shape[0], k=k, dtype=xp.bool, device=x.device)
    return xp.where(chosen, row[None, :], xp.zeros_like(row)[None, :])


def pad(xp: Namespace, array: Any, pad_width: Any, mode: Any = "constant", *,
        constant_values: Any = 0, reflect_type: str = "even") -> Array:  # fmt: skip
    """Add elements at the edges: constants, or those of the array again."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap") or reflect_type != "even":
        refuse("pad", mode=mode, reflect_type=reflect_type)
    x = as_array(xp, array)
    widths = _pad_widths(xp, pad_width, x.ndim)
    if mode == "constant":
        return _pad_constant(xp, x, widths, as_array(xp, constant_values))
    for axis, width in enumerate(widths):
        if any(width):
            places = xp.constant("pad", xp.arange(x.shape[axis]), width, mode)
            x = xp.take(x, places, axis=axis)
    return x


def _pad_widths(xp: Namespace, given: Any, ndim: int) -> list[tuple[int, int]]:
    """Return how much to add before and after, for each axis."""
    if isinstance(given, dict):
        of_axis = {axis % ndim: width for axis, width in given.items()}
        return [_pad_widths(xp, of_axis.get(axis, 0), 1)[0] for axis in range(ndim)]
    widths = xp.broadcast_to(as_array(xp, given), (ndim, 2))
    found = [(int(before), int(after)) for before, after in widths]
    if any(width < 0 for pair in found for width in pair):
        message = f"numpy.pad: a width in {found} is negative"
        raise ValueError(message)
    return found


def _pad_constant(xp: Namespace, x: Array, widths: Any, values: Array) -> Array:
    values = xp.broadcast_to(xp.astype(values, x.dtype), (x.ndim, 2))
    for axis, width in enumerate(widths):
        shapes = [(*x.shape[:axis], n, *x.shape[axis + 1 :]) for n in width]
        before, after = (xp.broadcast_to(values[axis, n], shapes[n]) for n in (0, 1))
        x = xp.concat([before, x, after], axis=axis)
    return x


def sliding_window_view(xp: Namespace, x: Any, window_shape: Any, axis: Any = None, *,
                        subok: bool = False, writeable: bool = False) -> Array:  # fmt: skip
    """Return all windows of a shape: their places first, what is in them last."""
    x = as_array(xp, x)
    for place, length in zip(axes_of(x, axis), integers(window_shape), strict=True):
        count = x.shape[place] - length + 1
        before = (slice(None),) * place
        x = xp.stack([x[(*before, slice(n, n + count), ...)] for n in range(length)], axis=-1)
    return x


FUNCTIONS: dict[str, Function] = {
    "broadcast_arrays": standard("broadcast_arrays"),
    "broadcast_to": lambda xp, array, shape, subok=False: xp.broadcast_to(
        as_array(xp, array), integers(shape)
    ),
    "diag": diag,
    "diagflat": lambda xp, v, k=0: diag(xp, as_array(xp, v).ravel(), k),
    "expand_dims": expand_dims,
    "flip": lambda xp, m, axis=None: xp.flip(m, axis=axis),
    "fliplr": lambda xp, m: xp.flip(m, axis=1),
    "flipud": lambda xp, m: xp.flip(m, axis=0),
    "lib.stride_tricks.sliding_window_view": sliding_window_view,
    "matrix_transpose": standard("matrix_transpose"),
    "meshgrid": standard("meshgrid"),
    "moveaxis": lambda xp, a, source, destination: xp.moveaxis(a, source, destination),
    "pad": pad,
    "reshape": reshape,
    "roll": roll,
    "rollaxis": rollaxis,
    "rot90": rot90,
    "tile": lambda xp, A, reps: xp.tile(as_array(xp, A), integers(reps)),
    "transpose": transpose,
    "tril": lambda xp, m, k=0: xp.tril(m, k=k),
    "triu": lambda xp, m, k=0: xp.triu(m, k=k),
}
