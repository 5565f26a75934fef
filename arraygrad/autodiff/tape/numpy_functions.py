"""What serves NumPy's functions on traced arrays: a table.

Each entry takes the traced namespace first, then NumPy's own arguments, under NumPy's names. What
is also a method of the array, with the same arguments, is found there.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from arraygrad._typing import Namespace
from arraygrad.autodiff.tape import numpy_compositions as composed
from arraygrad.autodiff.tape.general import strip
from arraygrad.autodiff.tape.numpy_elementwise import without_rule
from arraygrad.errors import GraphBreakError

__all__ = ["FUNCTIONS", "serves", "serving"]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "angle": composed.angle,
    "append": composed.append,
    "array_split": composed.array_split,
    "astype": lambda xp, x, dtype, /, *, copy=True: xp.astype(x, dtype, copy=copy),
    "atleast_1d": composed.atleast_1d,
    "atleast_2d": composed.atleast_2d,
    "atleast_3d": composed.atleast_3d,
    "average": composed.average,
    "broadcast_arrays": composed.standard("broadcast_arrays"),
    "broadcast_to": lambda xp, array, shape, subok=False: xp.broadcast_to(
        array, (shape,) if isinstance(shape, int) else tuple(shape)
    ),
    "clip": composed.clip,
    "column_stack": composed.column_stack,
    "concatenate": composed.concatenate,
    "copy": lambda xp, a, order="K", subok=False: composed.as_array(xp, a).copy(),
    "cross": composed.cross,
    "cumulative_prod": composed.standard("cumulative_prod"),
    "cumulative_sum": composed.standard("cumulative_sum"),
    "diag": composed.diag,
    "diff": composed.diff,
    "dsplit": composed.split_along(2),
    "dstack": lambda xp, tup: xp.concat([composed.atleast_3d(xp, x) for x in tup], axis=2),
    "expand_dims": composed.expand_dims,
    "fix": lambda xp, x: xp.trunc(x),
    "flip": lambda xp, m, axis=None: xp.flip(m, axis=axis),
    "fliplr": lambda xp, m: xp.flip(m, axis=1),
    "flipud": lambda xp, m: xp.flip(m, axis=0),
    "full_like": lambda xp, a, fill_value, dtype=None: xp.full_like(a, fill_value, dtype=dtype),
    "hsplit": composed.split_along(1),
    "hstack": composed.hstack,
    "imag": lambda xp, val: composed.as_array(xp, val).imag,
    "inner": composed.inner,
    "kron": composed.kron,
    "linalg.matmul": composed.standard("matmul"),
    "linalg.matrix_transpose": composed.standard("matrix_transpose"),
    "linalg.tensordot": composed.tensordot,
    "linalg.vecdot": composed.standard("vecdot"),
    "linspace": composed.linspace,
    "matrix_transpose": composed.standard("matrix_transpose"),
    "meshgrid": composed.standard("meshgrid"),
    "moveaxis": lambda xp, a, source, destination: xp.moveaxis(a, source, destination),
    "nan_to_num": composed.nan_to_num,
    "nanmean": composed.nanmean,
    "nansum": composed.nansum,
    "outer": composed.outer,
    "ptp": composed.ptp,
    "real": lambda xp, val: composed.as_array(xp, val).real,
    "reshape": composed.reshape,
    "roll": lambda xp, a, shift, axis=None: xp.roll(a, shift, axis=axis),
    "rot90": composed.rot90,
    "select": composed.select,
    "sort": composed.sort,
    "split": composed.split,
    "stack": composed.stack,
    "take_along_axis": composed.take_along_axis,
    "tensordot": composed.tensordot,
    "tile": lambda xp, A, reps: xp.tile(A, (reps,) if isinstance(reps, int) else tuple(reps)),
    "transpose": composed.transpose,
    "trapezoid": composed.trapezoid,
    "tril": lambda xp, m, k=0: xp.tril(m, k=k),
    "triu": lambda xp, m, k=0: xp.triu(m, k=k),
    "unique": lambda xp, ar: xp.sort(xp.unique_values(ar)),
    "unique_all": composed.standard("unique_all"),
    "unique_counts": composed.standard("unique_counts"),
    "unique_inverse": composed.standard("unique_inverse"),
    "unique_values": composed.standard("unique_values"),
    "unstack": composed.standard("unstack"),
    "vdot": lambda xp, a, b: xp.vecdot(
        composed.as_array(xp, a).ravel(), composed.as_array(xp, b).ravel()
    ),
    "vsplit": composed.split_along(0),
    "vstack": lambda xp, tup: xp.concat([composed.atleast_2d(xp, x) for x in tup], axis=0),
    "where": composed.where,
}

# What is a method of the array, by NumPy's name of the function.
_METHODS = frozenset(
    "cumprod cumsum diagonal dot max mean min prod ravel repeat round squeeze std sum swapaxes take"
    " trace var".split()
)
_ALIASES = {"amax": "max", "amin": "min", "around": "round"}

# What has no derivative, or a derivative of zero: the library computes it from the values.
_CONSTANT = frozenset(
    "all allclose any argmax argmin argpartition argsort argwhere array2string array_equal"
    " array_equiv array_repr array_str can_cast common_type count_nonzero digitize empty_like"
    " flatnonzero isclose iscomplex iscomplexobj isin isneginf isposinf isreal isrealobj lexsort"
    " may_share_memory min_scalar_type nanargmax nanargmin ndim nonzero ones_like result_type"
    " searchsorted shape shares_memory size zeros_like".split()
)
_WRITING = frozenset("copyto fill_diagonal place put put_along_axis putmask".split())


# --- looking up -----------------------------------------------------------------------------------


def serves(name: str) -> Callable[..., Any] | None:
    """Return what serves a function of NumPy that the standard lacks, if its gradient is known."""
    name = _ALIASES.get(name, name)
    return FUNCTIONS.get(name) or (_method(name) if name in _METHODS else None)


def serving(name: str, known: Callable[..., Any]) -> Callable[..., Any]:
    """Return what serves NumPy's function `known` of a name: `(xp, *arguments, **keywords)`."""
    served = serves(name)
    if served is not None:
        return served
    if name in _CONSTANT:
        return lambda xp, *args, **kwargs: xp.lift_all(known(*strip(args), **strip(kwargs)))
    if name in _WRITING:
        return _writing(name)
    return lambda xp, *args, **kwargs: without_rule(xp, name, known, args, kwargs)


def _method(name: str) -> Callable[..., Any]:
    def function(xp: Namespace, a: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(composed.as_array(xp, a), name)(*args, **kwargs)

    return function


def _writing(name: str) -> Callable[..., Any]:
    def function(xp: Namespace, *args: Any, **kwargs: Any) -> NoReturn:
        message = (
            f"numpy.{name} writes into an array, where gradients are lost: "
            "write `x[key] = value` to a traced `x` instead, such as `xp.zeros_like(x)`"
        )
        raise GraphBreakError(message)

    return function
