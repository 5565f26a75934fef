"""CuPy: one launch for all leaves of a dtype, compiled when first met.

A leaf takes part if it is real, of one dtype and shape with its gradient and slots; every other
leaf runs as the kernel is written. Hyperparameters that are arrays stay on the device.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter, is_
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._numbers import is_number
from arraygrad._typing import Array, DType
from arraygrad.errors import DeviceError
from arraygrad.fusion import plain
from arraygrad.fusion.columns import Call, Column, Runner
from arraygrad.fusion.cuda_launch import launch
from arraygrad.fusion.cuda_source import TYPES
from arraygrad.fusion.pointer_tables import check_apart, pointers_of
from arraygrad.fusion.program import Program
from arraygrad.fusion.trace import trace
from arraygrad.libraries import there

__all__ = ["prepared", "program_for"]

_shape_of, _dtype_of, _size_of = map(attrgetter, ("shape", "dtype", "size"))
_device_of = attrgetter("data.device_id")
_is_dense = attrgetter("_c_contiguous")  # `flags` costs fifteen times as much


def prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    return partial(_evaluate, call)


def _evaluate(call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> list[Column]:
    kind = _kind()
    if not all(is_number(x) or (type(x) is kind and x.shape == ()) for x in scalars.values()):
        return plain.evaluate(call, columns, scalars)
    return _Walk(call, columns, scalars).results()


def _kind() -> Any:
    """Return the class of arrays with memory of their own; those of subclasses may be anywhere."""
    import cupy

    return cupy.ndarray


def program_for(
    kernel: Callable[..., Any], w: Array, arrays: int, slots: int, add: bool
) -> Program | None:
    """Return the kernel traced for arrays like `w`; None where it must run as it is written."""
    letter = w.dtype.char
    if letter not in TYPES:
        return None
    xp = array_namespace(w)
    return trace(kernel, xp, xp.float32 if letter == "e" else w.dtype, arrays, slots, add)


class _Walk:
    """One call of a kernel, on all leaves."""

    def __init__(self, call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> None:
        self.call, self.columns, self.scalars = call, columns, scalars
        self.places = call.places
        self.replaced: list[Column] = [columns[n] for n in self.places]

    def results(self) -> list[Column]:
        """Return the columns of the new parameters and slots."""
        found = [list(column) for column in self.replaced]
        left = set(range(len(self.columns[0])))
        for numbers in self._groups():
            if self._run(numbers, found):
                left.difference_update(numbers)
        for n in left:
            row = [column[n] for column in self.columns]
            for column, x in zip(found, self._plain(row), strict=True):
                column[n] = x
        # What was given is returned as it is where all of it changed in place.
        pairs = zip(found, self.replaced, strict=True)
        whole = all(all(map(is_, new, old)) for new, old in pairs)
        return self.replaced if whole else list(found)

    def _plain(self, row: Sequence[Array]) -> tuple[Array, ...]:
        """Return the results of a leaf that does not fit, computed on its device."""
        with there(row[0]):
            return plain.leaf(self.call.kernel, row, self.scalars, add=self.call.add)

    def _groups(self) -> list[Sequence[int]]:
        """Return which leaves run together: those of one dtype and device.

        Raises
        ------
        DeviceError
            If the arrays of a leaf lie on several devices.
        """
        kind, columns = _kind(), self.columns
        own: Sequence[int] = range(len(columns[0]))
        if any(set(map(type, column)) != {kind} for column in columns):
            rows = list(zip(*columns, strict=True))
            own = [n for n in own if set(map(type, rows[n])) == {kind}]
            columns = [[column[n] for n in own] for column in columns]
        devices = [list(map(_device_of, column)) for column in columns]
        if devices.count(devices[0]) != len(devices):
            _refuse(own, devices)
        dtypes = [list(map(_dtype_of, column)) for column in columns]
        shapes = [list(map(_shape_of, column)) for column in columns]
        if all(told.count(told[0]) == len(told) for told in (dtypes, shapes)):
            alike: Iterable[bool] = repeat(True, len(own))
            if len(set(dtypes[0])) == len(set(devices[0])) == 1:  # as a rule
                return [own]
        else:
            alike = map(_is_alike, zip(*dtypes, strict=True), zip(*shapes, strict=True))
        groups: dict[Any, list[int]] = {}
        for n, dtype, device, fits in zip(own, dtypes[0], devices[0], alike, strict=True):
            if fits:
                groups.setdefault((dtype, device), []).append(n)
        return list(groups.values())

    def _run(self, numbers: Sequence[int], found: list[list[Array]]) -> bool:
        """Run leaves of one dtype and device together, and put in the results; no if we cannot."""
        import numpy as np

        w = self.columns[0][numbers[0]]
        program = program_for(
            self.call.kernel, w, len(self.columns), self.call.slots, self.call.add
        )
        if program is None:
            return False
        with there(w):
            columns = [[column[n] for n in numbers] for column in self.columns]
            inputs = [_dense(column) for column in columns]
            outs = [self._outs(column) for column in map(columns.__getitem__, self.places)]
            sizes = tuple(map(_size_of, inputs[0]))
            pointers = self._pointers(inputs, outs, np.asarray(sizes) * w.dtype.itemsize)
            launch(program, w, sizes, pointers, self.scalars)
        for column, new in zip(found, outs, strict=True):
            for n, x in zip(numbers, new, strict=True):
                column[n] = x
        return True

    def _outs(self, column: Column) -> list[Array]:
        """Return what takes the results: the arrays themselves where they are given away."""
        import cupy

        if self.call.donate and all(map(_is_dense, column)):
            return list(column)
        return [cupy.empty(x.shape, x.dtype) for x in column]

    def _pointers(self, inputs: list[list[Array]], outs: list[list[Array]], nbytes: Any) -> Any:
        """Return where all arrays are; copy inputs that would be overwritten before they are read.

        `nbytes` says how much memory each array of a leaf takes.
        """
        import numpy as np

        read = pointers_of(inputs)
        pairs = list(zip(self.places, outs, strict=True))
        given = [n for n, out in pairs if out[0] is inputs[n][0]]
        written = [read[n] if n in given else pointers_of([out])[0] for n, out in pairs]
        if given:
            for n, leaf in np.argwhere(check_apart(read, nbytes, given)):
                inputs[n][leaf] = inputs[n][leaf].copy()
                read[n, leaf] = inputs[n][leaf].data.ptr
        return np.stack([*read, *written])


def _is_alike(dtypes: tuple[DType, ...], shapes: tuple[Any, ...]) -> bool:
    """Say whether the arrays of one leaf have one dtype and one shape."""
    return dtypes.count(dtypes[0]) == len(dtypes) and shapes.count(shapes[0]) == len(shapes)


def _refuse(own: Sequence[int], devices: list[list[int]]) -> None:
    """Name the leaf whose arrays lie on several devices."""
    for n, *found in zip(own, *devices, strict=True):
        if len(set(found)) > 1:
            message = f"the arrays of leaf {n} lie on several devices: {sorted(set(found))}"
            raise DeviceError(message)


def _dense(column: Sequence[Array]) -> list[Array]:
    """Return arrays whose elements lie side by side."""
    if all(map(_is_dense, column)):
        return list(column)
    import cupy

    return [cupy.ascontiguousarray(x) for x in column]
