"""`x.flat`: the elements of a traced array in one dimension, to be read and assigned to."""

from collections.abc import Iterator
from typing import Any

from arraygrad._typing import Array

__all__ = ["Flat"]


class Flat:
    """The elements of an array in row-major order; assignment goes to the array itself."""

    __slots__ = ("base",)

    def __init__(self, base: Any) -> None:
        self.base = base

    def __len__(self) -> int:
        size: int = self.base.size
        return size

    def __iter__(self) -> Iterator[Array]:
        return iter(self.base.ravel())

    def __getitem__(self, key: Any) -> Array:
        return self.base.ravel()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        flat = self.base.ravel()
        flat[key] = value
        self.base._rebind(flat.reshape(self.base.shape))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.base.ravel().__array__(dtype, copy)
