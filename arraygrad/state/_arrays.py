"""Arrays and numbers on their way into a file, and back to any library.

A file holds NumPy arrays. NumPy has no bfloat16: its numbers travel as float32, exactly.
"""

from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace, device_of, is_array
from arraygrad._typing import Array
from arraygrad.errors import StateError
from arraygrad.libraries import library_of

__all__ = ["DTYPES", "Saved", "dtype_name", "fits", "like", "native", "saved"]

DTYPES = {
    "bool": 0,
    **dict.fromkeys("int8 int16 int32 int64 uint8 uint16 uint32 uint64".split(), 1),
    **dict.fromkeys("bfloat16 float16 float32 float64".split(), 2),
    **dict.fromkeys("complex64 complex128".split(), 3),
}
"""What a file can hold, and its kind: a value fits its own kind and those above."""


class Saved(NamedTuple):
    """One leaf as a file holds it."""

    dtype: str
    values: Any
    """A NumPy array of this dtype; of float32 for bfloat16."""


def dtype_name(dtype: Any) -> str:
    """Return the standard's name of a library's dtype: `float32` for `torch.float32`."""
    return str(getattr(dtype, "name", dtype)).rpartition(".")[2]


def native(values: Any) -> Any:
    """Return a NumPy array read from a file, in the machine's byte order, truth values 0 or 1."""
    import numpy as np

    if values.dtype == bool:  # a file may have any byte in their place
        return np.not_equal(values.view(np.uint8), 0)[...]
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def saved(leaf: Any, where: str) -> Saved:
    """Return a leaf, an array of any library or a number, as a file holds it.

    Raises
    ------
    StateError
        If it is neither, or of a dtype that no file holds.
    """
    import numpy as np

    if not is_array(leaf):
        if not isinstance(leaf, bool | int | float | complex):
            message = f"{where} is a {type(leaf).__name__}: arrays and numbers can be saved"
            raise StateError(message)
        leaf = np.asarray(leaf)
    xp, name = array_namespace(leaf), dtype_name(leaf.dtype)
    if name not in DTYPES:
        message = f"{where} has dtype {name}; a file can hold {', '.join(DTYPES)}"
        raise StateError(message)
    if name == "bfloat16":
        leaf = xp.astype(leaf, xp.float32)
    values = np.asarray(library_of(xp).to_numpy(leaf))
    return Saved(name, values.astype(values.dtype.newbyteorder("="), order="C", copy=False))


def fits(entry: Saved, model: Any) -> bool:
    """Say whether values can become those of a dtype: widened, or rounded, but of their kind."""
    return not is_array(model) or DTYPES[entry.dtype] <= DTYPES.get(dtype_name(model.dtype), -1)


def like(entry: Saved, model: Any, where: str) -> Any:
    """Return saved values as an array like another; as a Python number, like a number.

    Raises
    ------
    StateError
        If a number is too large for the dtype.
    """
    if not is_array(model):
        return entry.values.item()
    xp, values = array_namespace(model), _converted(entry, dtype_name(model.dtype), where)
    array: Array = xp.asarray(values, dtype=model.dtype, device=device_of(model))
    return array


def _converted(entry: Saved, name: str, where: str) -> Any:
    """Return a copy of the values in a dtype, as far as NumPy has it."""
    import numpy as np

    target = "float32" if name == "bfloat16" else name
    with np.errstate(all="ignore"):
        values = entry.values.astype(target, copy=True)
    exact = DTYPES[entry.dtype] == DTYPES[name] == 1
    same = values == entry.values if exact else np.isfinite(values) >= np.isfinite(entry.values)
    if not np.all(same):
        message = f"{where} has dtype {entry.dtype} in the file, and a number too large for {name}"
        raise StateError(message)
    return values
