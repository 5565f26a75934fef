"""The `special` sub-module of a traced namespace: SciPy finds it there by itself."""

from collections.abc import Callable
from typing import Any

from arraygrad.rules.table import entry_of

__all__ = ["SpecialFunctions"]


class SpecialFunctions:
    """The special functions of a library, recorded; those without a rule refuse a gradient."""

    def __init__(self, space: Any) -> None:
        self._space = space
        self.__name__ = f"{space.__name__}.special"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        function = self._function(name)
        setattr(self, name, function)
        return function

    def _function(self, name: str) -> Callable[..., Any]:
        space, full = self._space, f"special.{name}"
        entry = entry_of(full)
        if entry is not None and entry.kind == "COMPOSITIONS":
            return space.general(full)  # type: ignore[no-any-return]
        known = getattr(space.raw.special, name)
        if entry is None:
            return space.plain_function(full, known)  # type: ignore[no-any-return]
        return space.general(full)  # type: ignore[no-any-return]
