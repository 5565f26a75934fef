"""Sums over all leaves of a tree, and scalars that meet them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from arraygrad._namespace import array_namespace, device_of, is_array, is_complex, lift_constants
from arraygrad._numbers import as_number
from arraygrad._typing import Array, DType, Namespace
from arraygrad.errors import ShapeError

__all__ = ["lifted", "scalar_like", "summed", "wide_scalars", "zero_d"]

Rows = Sequence[Sequence[Array]]


def lifted(
    columns: Mapping[str, Sequence[Array]], scalars: Mapping[str, Any]
) -> tuple[dict[str, list[Array]], dict[str, Any]]:
    """Return columns of leaves and scalars, all traced where one of them is."""
    places = [(name, n) for name, column in columns.items() for n in range(len(column))]
    leaves: dict[Any, Any] = {(name, n): columns[name][n] for name, n in places}
    together = lift_constants({**leaves, **scalars})
    found: dict[str, list[Array]] = {name: [] for name in columns}
    for place in places:
        found[place[0]].append(together[place])  # type: ignore[index]
    return found, {name: together[name] for name in scalars}


def summed(function: Callable[..., Array], *columns: Sequence[Array]) -> Any:
    """Return the sum, over all leaves, of a function `(xp, *row)` to real 0-d arrays.

    Computed in the widest dtype of all leaves, in float32 at least; 0 for no leaves.
    """
    rows = list(zip(*columns, strict=True))
    if not rows:
        return 0.0
    xp = array_namespace(*(x for row in rows for x in row))
    real = _real(xp, rows)
    totals = [function(xp, *(_wide(xp, x, real) for x in row)) for row in rows]
    total = totals[0]
    for x in totals[1:]:
        total = total + x
    return total


def wide_scalars(scalars: Mapping[str, Any], leaves: Sequence[Array]) -> dict[str, Any]:
    """Return scalars, arrays in the dtype of sums over these leaves, NumPy's as numbers.

    Raises
    ------
    ShapeError
        If one has dimensions, which sums over all leaves have not.
    """
    for name, x in scalars.items():
        if is_array(x) and x.shape:
            message = f"`{name}` must be a number or a 0-d array here, got shape {tuple(x.shape)}"
            raise ShapeError(message)
    scalars = {name: as_number(x) for name, x in scalars.items()}
    if not leaves:
        return scalars
    xp = array_namespace(*leaves)
    real = _real(xp, [leaves])
    return {
        name: xp.astype(x, real) if is_array(x) and x.dtype != real else x
        for name, x in scalars.items()
    }


def scalar_like(value: float, leaves: Sequence[Array]) -> Any:
    """Return a 0-d array with which sums over these leaves may be kept; a number for no leaves."""
    if not leaves:
        return value
    xp = array_namespace(*leaves)
    return xp.asarray(value, dtype=_real(xp, [leaves]), device=device_of(leaves[0]))


def zero_d(total: Any) -> Any:
    """Return a sum as the state keeps it: a 0-d array, where NumPy makes scalars."""
    return total[...] if is_array(total) and not total.shape else total


def _real(xp: Namespace, rows: Rows) -> DType:
    """Return the widest real dtype of the leaves."""
    wide = xp.result_type(xp.float32, *(x.dtype for row in rows for x in row))
    if not is_complex(xp, wide):
        return wide
    return xp.float32 if wide == xp.complex64 else xp.float64


def _wide(xp: Namespace, x: Array, real: DType) -> Array:
    """Return a leaf in the precision of the sum."""
    wide = xp.result_type(x.dtype, real)
    return x if x.dtype == wide else xp.astype(x, wide)
