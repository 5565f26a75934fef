"""A library's namespace, with a module of ours in front: what it lacks, or spells otherwise."""

import importlib
from types import ModuleType
from typing import Any

from arraygrad._typing import Namespace

__all__ = ["completed"]

_known: dict[tuple[str, str], ModuleType] = {}


def completed(own: Namespace, module: str) -> ModuleType:
    """Return a namespace in which the names of a module's `__all__` go before a library's own."""
    key = own.__name__, module
    if key not in _known:
        _known.setdefault(key, _Completed(own, importlib.import_module(module)))
    return _known[key]


class _Completed(ModuleType):
    """Two modules as one, which has the name of the library's: `linalg` and `fft` likewise."""

    def __init__(self, own: Namespace, front: ModuleType) -> None:
        super().__init__(own.__name__, own.__doc__)
        self._own = own
        for name in front.__all__:
            value = getattr(front, name)
            theirs = getattr(own, name, None)
            both = isinstance(value, ModuleType) and isinstance(theirs, ModuleType)
            setattr(self, name, _Completed(theirs, value) if both else value)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._own, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._own), *vars(self)})
