"""NumPy's `.npz`: a zip archive with one `.npy` for each array; `numpy.load` reads it.

bfloat16 is written as float32.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from arraygrad.errors import StateError
from arraygrad.state._arrays import DTYPES, Saved, dtype_name, native

__all__ = ["MAGIC", "read", "write"]

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins an archive of nothing
_SUFFIX = ".npy"
_LONGEST_NAME = 65_535  # bytes: the format has two for their number
_TORN = (
    zipfile.BadZipFile, zlib.error, struct.error,
    EOFError, NotImplementedError, OSError, RuntimeError, ValueError,
)  # fmt: skip


def write(file: BinaryIO, entries: Mapping[str, Saved]) -> None:
    """Write arrays; the same ones give the same bytes.

    Raises
    ------
    StateError
        If a name is too long.
    """
    import numpy as np

    for name in entries:
        if len((name + _SUFFIX).encode()) > _LONGEST_NAME:
            message = f"the path {name[:40]}... is too long for npz: {len(name)} characters"
            raise StateError(message)
    with zipfile.ZipFile(file, "w") as archive:
        for name, entry in entries.items():
            member = zipfile.ZipInfo(name + _SUFFIX)  # dated 1980, always
            with archive.open(member, "w", force_zip64=True) as target:
                np.lib.format.write_array(target, entry.values, allow_pickle=False)


def read(file: BinaryIO, where: str) -> dict[str, Saved]:
    """Return the arrays of a file. Nothing is ever unpickled.

    Raises
    ------
    StateError
        If the archive is torn, or has something else in it.
    """
    whole = io.BytesIO(file.read())  # so that an OSError below is no fault of the disk
    try:
        with zipfile.ZipFile(whole) as archive:
            members = [_sound(member) for member in archive.infolist()]
            contents = {name: archive.read(name) for name in members}  # compares checksums
    except _TORN as error:
        message = f"{where} is torn: {error}"
        raise StateError(message) from None
    if len(contents) != len(members):
        message = f"{where} has two arrays of one name"
        raise StateError(message)
    return {
        name.removesuffix(_SUFFIX): _parse(name, content, where)
        for name, content in contents.items()
    }


def _sound(member: zipfile.ZipInfo) -> str:
    """Return a member's name, if it is packed as NumPy packs."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(member.compress_type)
    return member.filename


def _parse(name: str, content: bytes, where: str) -> Saved:
    """Return the array of one member."""
    import numpy as np

    if not name.endswith(_SUFFIX):
        message = f"{where} is no file of arrays: it has {name!r} in it"
        raise StateError(message)
    try:
        values: Any = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy lets through whatever Python's parsers raise
        message = f"{where} has no readable array at {name!r}: {error}"
        raise StateError(message) from None
    found = dtype_name(values.dtype)
    if found not in DTYPES:
        message = f"{where} has dtype {found} at {name!r}, which is none of an array of numbers"
        raise StateError(message)
    return Saved(found, native(values))
