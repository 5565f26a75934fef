"""Methods that arrays of NumPy and CuPy have beside the standard's, for every traced array.

Names, signatures and defaults are NumPy's; each method is spelt with functions of the standard.
`x.sort()` and `x.fill(value)`, which change an array, make the name stand for the new values, as
`x[key] = value` does: other names of the old array keep the old values.
"""

from collections.abc import Callable
from typing import Any

from arraygrad._typing import Array, DType
from arraygrad.autodiff.tape.flat import Flat
from arraygrad.autodiff.tape.numpy_compositions.integers import integers, is_integer
from arraygrad.autodiff.tape.numpy_compositions.some_elements import (
    degrees_lost,
    mean_where,
    reduce_where,
    root,
    variance_where,
)
from arraygrad.errors import GraphBreakError, NoRuleError

__all__ = ["Methods", "refuse_out", "write_out"]


def refuse_out(out: Any, name: str) -> None:
    """Raise if a result is to be written into an array: its gradient would be lost there."""
    if out is not None:
        message = (
            f"`out` of {name}: writing a traced result into an array would lose its gradient; "
            "use what is returned, or write `x[key] = value`, `x = x + y`"
        )
        raise GraphBreakError(message)


def write_out(out: Any, y: Any, where: Any, name: str) -> Any:
    """Let a traced array stand for a result, where a mask holds."""
    space = out._space
    y = space.lift(y)
    if where is not True:
        y = space.where(space.asarray(where) != 0, y, out)
    if y.shape != out.shape:
        y = space.broadcast_to(y, out.shape)
    out._rebind(space.replacing(out, y, name))
    return out


def _reduction(name: str, doc: str) -> Callable[..., Any]:
    def method(self: Any, axis: Any = None, out: Any = None, keepdims: bool = False,
               initial: Any = None, where: Any = True) -> Array:  # fmt: skip
        refuse_out(out, name)
        axis = _axis_of(self, axis)
        if where is not True or initial is not None:
            return reduce_where(self, name, axis, keepdims, where, initial)
        return self._quick[name](self, axis=axis, keepdims=keepdims)

    method.__name__, method.__doc__ = name, doc
    return method


def _question(name: str, doc: str) -> Callable[..., Any]:
    def method(self: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *,
               where: Any = True) -> Array:  # fmt: skip
        refuse_out(out, name)
        axis = _axis_of(self, axis)
        if where is not True:
            return reduce_where(self, name, axis, keepdims, where)
        return self._quick[name](self, axis=axis, keepdims=keepdims)

    method.__name__, method.__doc__ = name, doc
    return method


def _place(name: str, doc: str) -> Callable[..., Any]:
    def method(self: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Array:
        refuse_out(out, name)
        axis = _axis_of(self, axis)
        return self._quick[name](self, axis=axis, keepdims=keepdims)

    method.__name__, method.__doc__ = name, doc
    return method


def _accumulation(name: str, doc: str) -> Callable[..., Any]:
    def method(self: Any, axis: Any = None, dtype: Any = None, out: Any = None,
               keepdims: bool = False, initial: Any = None,
               where: Any = True) -> Array:  # fmt: skip
        if out is not None:
            refuse_out(out, name)
        x = self if dtype is None else self.astype(dtype)
        axis = _axis_of(self, axis)
        if where is not True or initial is not None:
            return reduce_where(x, name, axis, keepdims, where, initial)
        return x._quick[name](x, axis=axis, keepdims=keepdims)

    method.__name__, method.__doc__ = name, doc
    return method


def _spread(name: str, doc: str) -> Callable[..., Any]:
    def method(self: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
               keepdims: bool = False, *, where: Any = True,
               correction: float | None = None) -> Array:  # fmt: skip
        refuse_out(out, name)
        x = self if dtype is None else self.astype(dtype)
        lost = degrees_lost(ddof, correction)
        if where is True:
            return x._quick[name](x, axis=axis, correction=lost, keepdims=keepdims)
        variance = variance_where(x, axis, lost, keepdims, where)
        return root(variance) if name == "std" else variance

    method.__name__, method.__doc__ = name, doc
    return method


def _running(name: str, doc: str) -> Callable[..., Any]:
    def method(self: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
        refuse_out(out, name)
        x = self.ravel() if axis is None else self
        return x._quick[name](x, axis=axis or 0, dtype=dtype)

    method.__name__, method.__doc__ = name, doc
    return method


def _axis_of(x: Any, axis: Any) -> Any:
    """Return an axis; none for the one that NumPy lets a 0-d array have."""
    if axis is None or x.shape or not is_integer(axis):
        return axis
    return None if axis in (0, -1) else axis


class Methods:
    """NumPy's methods, for a traced array to inherit."""

    __slots__ = ()

    # --- reductions --------------------------------------------------------------------------

    all = _question("all", "Return whether all elements along axes are true.")
    any = _question("any", "Return whether an element along axes is true.")
    argmax = _place("argmax", "Return the index of the first maximum.")
    argmin = _place("argmin", "Return the index of the first minimum.")
    max = _reduction("max", "Return the maximum along axes.")
    min = _reduction("min", "Return the minimum along axes.")
    prod = _accumulation("prod", "Return the product along axes.")
    sum = _accumulation("sum", "Return the sum along axes.")
    std = _spread("std", "Return the standard deviation along axes.")
    var = _spread("var", "Return the variance along axes.")
    cumprod = _running("cumulative_prod", "Return the running products along an axis.")
    cumsum = _running("cumulative_sum", "Return the running sums along an axis.")

    def mean(self: Any, axis: Any = None, dtype: Any = None, out: Any = None,
             keepdims: bool = False, *, where: Any = True) -> Array:  # fmt: skip
        """Return the mean along axes."""
        if out is not None:
            refuse_out(out, "mean")
        x = self if dtype is None else self.astype(dtype)
        if where is not True:
            return mean_where(x, axis, keepdims, where)
        return x._quick["mean"](x, axis=axis, keepdims=keepdims)

    def trace(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None,
              out: Any = None) -> Array:  # fmt: skip
        """Return the sum along a diagonal."""
        return self.diagonal(offset, axis1, axis2).sum(-1, dtype, out)

    # --- shapes ------------------------------------------------------------------------------

    def reshape(self: Any, *shape: Any, order: str = "C", copy: bool | None = None) -> Array:
        """Return the elements in another shape: a tuple, or some integers."""
        if order == "K":
            message = "reshape: `order` is 'C' or 'A'"
            raise ValueError(message)
        if order != "C" and not _in_rows(self, order):
            _refuse_order(order)
        lengths = shape[0] if len(shape) == 1 and not is_integer(shape[0]) else shape
        lengths = tuple(lengths) if isinstance(lengths, tuple | list) else integers(lengths)
        return self._quick["reshape"](self, lengths, copy=copy)

    @property
    def flat(self: Any) -> Flat:
        """The elements in one dimension, which may be assigned to."""
        return Flat(self)

    def ravel(self: Any, order: str = "C") -> Array:
        """Return the elements in one dimension."""
        if order != "C" and self.ndim > 1 and not _in_rows(self, order):
            _refuse_order(order)
        return self._quick["reshape"](self, (-1,) if self.size else (0,))

    flatten = ravel

    def transpose(self: Any, *axes: Any) -> Array:
        """Return the array with its axes in another order, by default reversed."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = order or tuple(range(self.ndim))[::-1]
        return self._quick["permute_dims"](self, tuple(order))

    def swapaxes(self: Any, axis1: int, axis2: int) -> Array:
        """Return the array with two axes exchanged."""
        order = list(range(self.ndim))
        order[axis1], order[axis2] = order[axis2], order[axis1]
        return self._quick["permute_dims"](self, tuple(order))

    def squeeze(self: Any, axis: Any = None) -> Array:
        """Return the array without its axes of length 1."""
        if axis is None:
            axis = tuple(i for i, length in enumerate(self.shape) if length == 1)
        return self._space.squeeze(self, axis=axis)

    def diagonal(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
        """Return a diagonal, as the last axis."""
        x = self
        if self.ndim != 2 or (axis1, axis2) != (0, 1):
            x = self._space.moveaxis(self, (axis1, axis2), (-2, -1))
        *batch, rows, columns = x.shape
        first = -offset if offset < 0 else 0
        step, start = columns + 1, first * (columns + 1) + offset
        count = sorted((0, rows - first, columns - first - offset))[1]  # the smaller, at least 0
        flat = self._space.reshape(x, (*batch, rows * columns))
        return flat[..., start : start + (count - 1) * step + 1 : step] if count else flat[..., :0]

    # --- elements ----------------------------------------------------------------------------

    def clip(self: Any, min: Any = None, max: Any = None, out: Any = None) -> Array:
        """Return the elements, limited to an interval."""
        refuse_out(out, "clip")
        if type(min) in _PLAIN and type(max) in _PLAIN and self._quick.floating:
            return self._space.clip(self, min, max)
        return self._space.clip(*_promoted(self, min, max))

    def conj(self: Any) -> Array:
        """Return the complex conjugate."""
        return self._space.conj(self) if self._space.is_complex(self.dtype) else self

    conjugate = conj

    def round(self: Any, decimals: int = 0, out: Any = None) -> Array:
        """Return the elements, rounded to decimals: a constant."""
        refuse_out(out, "round")
        if decimals == 0:
            return self._space.round(self)
        return self._space.round(self * 10.0**decimals) / 10.0**decimals

    def repeat(self: Any, repeats: Any, axis: int | None = None) -> Array:
        """Return the array with its elements repeated."""
        x = self if self.shape or axis is None else self._space.reshape(self, (1,))
        return self._space.repeat(x, repeats, axis=axis)

    def take(self: Any, indices: Any, axis: int | None = None, out: Any = None) -> Array:
        """Return elements along an axis."""
        refuse_out(out, "take")
        xp, x = self._space, self if axis is not None else self.ravel()
        indices, axis = xp.asarray(indices), (axis or 0) % x.ndim
        indices = xp.astype(indices, xp.int64) if indices._quick.truth else indices
        if indices.ndim == 1:
            return xp.take(x, indices, axis=axis)
        taken = xp.take(x, xp.reshape(indices, (-1,)), axis=axis)
        return xp.reshape(taken, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))

    def nonzero(self: Any) -> tuple[Array, ...]:
        """Return the indices of the elements that are not zero."""
        return self._space.nonzero(self)  # type: ignore[no-any-return]

    def argsort(self: Any, axis: int | None = -1, kind: Any = None) -> Array:
        """Return the indices that sort along an axis; equals keep their order, whatever `kind`."""
        x = self.ravel() if axis is None else self
        return self._space.argsort(x, axis=-1 if axis is None else axis)

    def sort(self: Any, axis: int = -1, kind: Any = None) -> None:
        """Make this name stand for the sorted array."""
        self._rebind(self._space.sort(self, axis=axis))

    def fill(self: Any, value: Any) -> None:
        """Make this name stand for an array filled with a value."""
        self._rebind(self._space.call("set_at", self, ..., value))

    # --- products, copies --------------------------------------------------------------------

    def dot(self: Any, b: Any, out: Any = None) -> Array:
        """Return the product of matrices; of more axes, the last by the last but one."""
        refuse_out(out, "dot")
        xp, a = self._space, self
        b = b if isinstance(b, Methods) else xp.asarray(b)
        if not a.ndim or not b.ndim:
            return xp.multiply(a, b)
        if b.ndim < 3:
            return xp.matmul(a, b)
        return xp.tensordot(a, b, axes=([a.ndim - 1], [b.ndim - 2]))

    def astype(self: Any, dtype: DType, order: str = "K", casting: str = "unsafe",
               subok: bool = True, copy: bool = True) -> Array:  # fmt: skip
        """Return the elements in another data type."""
        if order not in _LAYOUTS:
            _refuse_order(order)
        if casting != "unsafe":
            _refuse_cast(self.dtype, dtype, casting)
        return self._space.astype(self, dtype, copy=copy)

    def __divmod__(self: Any, other: Any) -> tuple[Array, Array]:
        return self // other, self % other

    def __rdivmod__(self: Any, other: Any) -> tuple[Array, Array]:
        return other // self, other % self

    def copy(self: Any, order: str = "C") -> Array:
        """Return a copy: the same record, so that gradients flow to the same place."""
        if order not in _LAYOUTS:
            _refuse_order(order)
        fresh = _copied(self._space, self._value)
        return self._space.wrap(fresh, self._index, self._tape)

    def __copy__(self: Any) -> Array:
        return self.copy()

    def __deepcopy__(self: Any, memo: Any) -> Array:
        return self.copy()

    def __format__(self: Any, spec: str) -> str:
        value = self._value
        return format(value, spec) if spec else repr(self)

    @property
    def itemsize(self: Any) -> int:
        """The number of bytes of an element."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self: Any) -> int:
        """The number of bytes of all elements."""
        return int(self.size * self.itemsize)


def _copied(space: Any, value: Array) -> Array:
    return value.copy() if isinstance(value, Methods) else space.base.asarray(value, copy=True)


def _refuse_order(order: str) -> None:
    message = f"`order={order!r}` has no derivative rule: transpose before and after"
    raise NoRuleError(message)


def _in_rows(x: Any, order: str) -> bool:
    """Say whether elements in an order are in row-major order too: in that of memory, some are."""
    if order not in ("A", "K"):
        return order == "C"
    while isinstance(x, Methods):
        x = x._value  # type: ignore[attr-defined]
    flags = getattr(x, "flags", None)
    if flags is None or flags.c_contiguous or order == "A":
        return flags is None or flags.c_contiguous or not flags.f_contiguous
    steps = [abs(step) for step, length in zip(x.strides, x.shape, strict=True) if length > 1]
    return 0 not in steps and steps == sorted(steps, reverse=True)


def _refuse_cast(dtype: Any, to: Any, casting: Any) -> None:
    import numpy as np

    if not np.can_cast(dtype, to, casting):
        message = f"cannot cast from {dtype} to {to} by the rule {casting!r}"
        raise TypeError(message)


_LAYOUTS = frozenset("ACK")  # what a copy may be laid out by: nobody sees it
_PLAIN = frozenset({float, int, type(None)})


def _promoted(x: Any, *bounds: Any) -> list[Any]:
    """Return an array and its bounds in their common dtype."""
    xp = x._space
    parts = [b if type(b) in _PLAIN else xp.asarray(b) for b in (x, *bounds)]
    dtype = xp.result_type(*(p for p in parts if p is not None))
    return [p if type(p) in _PLAIN else xp.astype(p, dtype, copy=False) for p in parts]
