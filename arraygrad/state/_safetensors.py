"""The format `.safetensors`: the header's length, a header of JSON, and the arrays' bytes.

Complex numbers, which not every reader knows, are written as pairs along a last axis, and their
names are kept in the metadata under `arraygrad.complex`.
"""

import json
import math
import reprlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from arraygrad.errors import StateError
from arraygrad.state._arrays import Saved, native

__all__ = ["read", "write"]

_METADATA, _COMPLEX = "__metadata__", "arraygrad.complex"
_LONGEST_HEADER = 100_000_000  # the format's own limit

_CODES = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "bfloat16": "BF16", "float16": "F16", "float32": "F32", "float64": "F64",
}  # fmt: skip
_NAMES = {code: name for name, code in _CODES.items()} | {"C64": "complex64"}
_PARTS = {"complex64": "float32", "complex128": "float64"}

_ABOUT = reprlib.Repr()  # of what may be huge, or deep
_ABOUT.maxlong = _ABOUT.maxstring = _ABOUT.maxother = 40


def write(file: BinaryIO, entries: Mapping[str, Saved]) -> None:
    """Write arrays, those of wide dtypes first, so that each is aligned.

    Raises
    ------
    StateError
        If a leaf has the name that the format keeps for itself.
    """
    if _METADATA in entries:
        message = f"a leaf cannot be called {_METADATA!r} in a safetensors file"
        raise StateError(message)
    parts = {name: _as_pairs(entry) for name, entry in entries.items()}
    names = sorted(parts, key=lambda name: (-_itemsize(parts[name].dtype), name))
    header: dict[str, Any] = {}
    pairs = sorted(name for name in entries if entries[name].dtype in _PARTS)
    if pairs:
        header[_METADATA] = {_COMPLEX: json.dumps(pairs)}
    end = 0
    for name in names:
        dtype, values = parts[name]
        start, end = end, end + values.size * _itemsize(dtype)
        shape, code = list(values.shape), _CODES[dtype]
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in names:
        file.write(_bytes(parts[name]))


def read(file: BinaryIO, where: str) -> dict[str, Saved]:
    """Return the arrays of a file.

    Raises
    ------
    StateError
        If it is torn, or no such file.
    """
    header, data = _split(file.read(), where)
    metadata = header.pop(_METADATA, {})
    spans = {name: _span(name, about, where) for name, about in header.items()}
    _check_cover(spans, len(data), where)
    found = {name: _values(name, span, data, where) for name, span in spans.items()}
    for name in _pairs(metadata, where):
        if name not in found or found[name].dtype not in _PARTS.values():
            message = f"{where} is torn: {name!r} should be an array of pairs"
            raise StateError(message)
        found[name] = _from_pairs(found[name], name, where)
    return found


def _split(content: bytes, where: str) -> tuple[dict[str, Any], memoryview]:
    """Return the header and the arrays' bytes."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, _LONGEST_HEADER):
        message = f"{where} is torn, or neither an npz nor a safetensors file"
        raise StateError(message)
    try:
        header = json.loads(content[8 : 8 + length].decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        message = f"{where} is torn, or no safetensors file: its header cannot be read"
        raise StateError(message)
    return header, memoryview(content)[8 + length :]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict, and refuse names that come twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _span(name: str, about: Any, where: str) -> tuple[str, tuple[int, ...], int, int]:
    """Return an array's dtype, shape, and where its bytes start and end."""
    try:
        dtype, shape = _NAMES[about["dtype"]], tuple(about["shape"])
        start, end = about["data_offsets"]
        sound = all(type(n) is int and n >= 0 for n in (*shape, start, end))
        sound = sound and end - start == math.prod(shape) * _itemsize(dtype)
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        message = f"{where} describes {name!r} as {_ABOUT.repr(about)}, which cannot be read"
        raise StateError(message)
    return dtype, shape, start, end


def _check_cover(spans: Mapping[str, Any], size: int, where: str) -> None:
    """Make sure that the arrays' bytes are all there, without holes or overlaps."""
    position = 0
    for _, _, start, end in sorted(spans.values(), key=lambda span: span[2:]):
        if start != position:
            break
        position = end
    else:
        if position == size:
            return
    message = f"{where} is torn: its header describes other than the {size} bytes that it has"
    raise StateError(message)


def _values(
    name: str, span: tuple[str, tuple[int, ...], int, int], data: memoryview, where: str
) -> Saved:
    """Return a copy of one array."""
    import numpy as np

    dtype, shape, start, end = span
    stored = np.dtype("uint16" if dtype == "bfloat16" else dtype)
    try:
        values = np.frombuffer(data[start:end], stored.newbyteorder("<")).reshape(shape)
    except (ValueError, OverflowError) as error:  # too many axes, or too long ones beside a 0
        message = f"{where} has no readable array at {name!r}: {error}"
        raise StateError(message) from None
    if dtype == "bfloat16":  # the upper half of a float32
        return Saved(dtype, (values.astype(np.uint32) << 16).view(np.float32))
    return Saved(dtype, native(values.copy()))


def _bytes(entry: Saved) -> bytes:
    """Return an array's bytes, the lowest first."""
    import numpy as np

    values = np.ascontiguousarray(entry.values)
    if entry.dtype == "bfloat16":
        values = (values.view(np.uint32) >> 16).astype(np.uint16)
    raw: bytes = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return raw


def _itemsize(dtype: str) -> int:
    return {"bool": 1, "bfloat16": 2}.get(dtype) or int("".join(filter(str.isdigit, dtype))) // 8


def _as_pairs(entry: Saved) -> Saved:
    """Return complex numbers as pairs of real ones, anything else as it is."""
    import numpy as np

    if entry.dtype not in _PARTS:
        return entry
    pairs = np.stack([entry.values.real, entry.values.imag], axis=-1)
    return Saved(_PARTS[entry.dtype], pairs)


def _from_pairs(entry: Saved, name: str, where: str) -> Saved:
    """Return pairs of real numbers as complex ones."""
    if entry.values.shape[-1:] != (2,):
        message = f"{where} is torn: {name!r} should be an array of pairs"
        raise StateError(message)
    dtype = {part: whole for whole, part in _PARTS.items()}[entry.dtype]
    return Saved(dtype, entry.values.view(dtype)[..., 0])


def _pairs(metadata: Any, where: str) -> list[str]:
    """Return the names of the complex arrays."""
    try:
        found = json.loads(metadata.get(_COMPLEX, "[]"))
    except (AttributeError, RecursionError, TypeError, ValueError):
        found = None
    if not (isinstance(found, list) and all(isinstance(name, str) for name in found)):
        message = f"{where} is torn: its metadata cannot be read"
        raise StateError(message)
    return found
