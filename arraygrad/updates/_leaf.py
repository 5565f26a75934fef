"""One leaf of an update: its arrays and hyperparameters, checked, and the dtypes they meet in.

A leaf is computed in the widest of its arrays' dtypes, in float32 at least. Each result has the
dtype of the array it replaces.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from arraygrad._namespace import (
    array_namespace,
    cast,
    check_together,
    is_array,
    is_complex,
    is_floating,
    lift_constants,
    real_dtype,
)
from arraygrad._tree import Path, format_path
from arraygrad._typing import Array, DType, Namespace
from arraygrad.errors import DtypeError, ShapeError
from arraygrad.updates._hyperparameters import is_number, settle

__all__ = ["Leaf"]

_GRADIENTS = {"dcdw", "effective_grad"}  # may be integers
_SQUARES = {"vw", "vw_tm1"}  # are real


class Leaf:
    """What the arguments of one call have at one path, checked.

    Raises
    ------
    DtypeError, HyperparameterError, MixedLibraryError, DeviceError, ShapeError
        If they do not go together; the message names argument and path.
    """

    def __init__(self, path: Path, row: Mapping[str, Any], arrays: Sequence[str]) -> None:
        self._path = path
        row = lift_constants(
            {n: float(x) if is_number(x) and n not in arrays else x for n, x in row.items()}
        )
        self._arrays = {name: row[name] for name in arrays}
        self._check_arrays()
        self._check_home(row)
        self.xp: Namespace = array_namespace(row[arrays[0]])
        self._hyperparameters = {
            name: settle(name, value, self._where(name))
            for name, value in row.items()
            if name not in self._arrays
        }
        self._check_shapes()

    def _dtypes(self) -> tuple[DType, DType]:
        """Return the dtype in which to compute, and the real one of its precision."""
        xp = self.xp
        floating = [x.dtype for x in self._arrays.values() if is_floating(xp, x.dtype)]
        wide = xp.result_type(xp.float32, *floating)
        return wide, real_dtype(xp, wide)

    def operands(self) -> Iterator[Any]:
        """Return the arrays, in one precision."""
        xp, (wide, real) = self.xp, self._dtypes()
        for name, x in self._arrays.items():
            if is_complex(xp, x.dtype):
                yield cast(xp, xp.real(x), real) if name in _SQUARES else cast(xp, x, wide)
            else:
                yield cast(xp, x, real)

    def rates(self) -> dict[str, Any]:
        """Return the hyperparameters, arrays among them in the precision of the rest."""
        xp, (_, real) = self.xp, self._dtypes()
        return {
            name: cast(xp, x, real) if is_array(x) else x
            for name, x in self._hyperparameters.items()
        }

    def check_results(self, replaced: Sequence[str]) -> None:
        """Make sure that nothing real would have to take a complex value's place."""
        turned = {n for n, x in self._arrays.items() if is_complex(self.xp, x.dtype)}
        turned -= _SQUARES
        for name in set(replaced) - turned - _SQUARES:
            # A moment is made of gradients, everything else of all there is.
            if turned & _GRADIENTS or (turned and not name.startswith("mw")):
                dtype = self._arrays[name].dtype
                message = f"{self._where(name)} is real ({dtype}), but its new value is complex"
                raise DtypeError(message)

    def fit(self, value: Array, *, like: str) -> Array:
        """Return a result in the dtype of the array it replaces."""
        kept = self._arrays[like]
        if not is_floating(self.xp, kept.dtype):  # an integer gradient
            kept = next(x for x in self._arrays.values() if is_floating(self.xp, x.dtype))
        fitted = cast(self.xp, value, kept.dtype)
        return fitted if fitted.shape else fitted[...]  # an array, where NumPy makes 0-d scalars

    def _where(self, name: str) -> str:
        """Name an argument and the path of this leaf."""
        return f"`{name}` at {format_path(self._path)}"

    def _check_arrays(self) -> None:
        """Make sure that arrays are arrays, of dtypes with which one can compute."""
        for name, x in self._arrays.items():
            if not is_array(x):
                message = f"{self._where(name)} must be an array, got {type(x).__name__}"
                raise DtypeError(message)
            xp = array_namespace(x)
            integer = name in _GRADIENTS and xp.isdtype(x.dtype, "integral")
            if not (integer or is_floating(xp, x.dtype)):
                message = f"{self._where(name)} must be floating, got dtype {x.dtype}"
                raise DtypeError(message)

    def _check_home(self, row: Mapping[str, Any]) -> None:
        """Make sure that all arrays come from one library and lie on one device."""
        first, *_ = self._arrays
        for name, x in row.items():
            if is_array(x):
                check_together(x, row[first], self._where(name), f"`{first}`")

    def _check_shapes(self) -> None:
        """Make sure that the shapes broadcast, and to the weights' where there are weights."""
        operands = self._arrays | self._hyperparameters
        shapes = {name: tuple(x.shape) for name, x in operands.items() if is_array(x)}
        together = _broadcast_shapes(list(shapes.values()))
        if together is not None and together == shapes.get("w", together):
            return
        trouble = "do not broadcast" if together is None else f"would make `w` grow to {together}"
        given = ", ".join(f"`{name}` {shape}" for name, shape in shapes.items())
        message = f"the shapes at {format_path(self._path)} {trouble}: {given}"
        raise ShapeError(message)


def _broadcast_shapes(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return the shape to which all broadcast, if there is one."""
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + shape for shape in shapes]
    axes = [{size for size in sizes if size != 1} for sizes in zip(*padded, strict=True)]
    if any(len(sizes) > 1 for sizes in axes):
        return None
    return tuple(sizes.pop() if sizes else 1 for sizes in axes)
