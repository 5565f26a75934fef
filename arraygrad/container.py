"""A dict whose entries are attributes too: a node of every tree we walk."""

from collections.abc import Iterable
from typing import Any

from arraygrad._pytrees import introduce
from arraygrad._tree import register_node

__all__ = ["Container"]

_INDENT = "    "


class Container(dict[str, Any]):
    """Hold named arrays, and containers of them: a dict with attribute access.

    Parameters
    ----------
    *args, **kwargs
        What `dict` takes. A plain dict becomes a `Container` whenever it enters, here or by
        assignment; every other value is kept as it is.

    Notes
    -----
    It compares, copies and pickles like a dict and keeps the order of insertion. It is a tree
    node for arraygrad and, once they are imported, for jax and torch (`jax.jit`, `torch.func`).
    It has no arithmetic: write a function of its arrays instead. A name that `dict` already has
    (`items`, `keys`, …) is reached as an item only.

    Examples
    --------
    >>> from arraygrad import Container
    >>> weights = Container(a=1.0, b={"c": 2.0})
    >>> weights.b.c
    2.0
    >>> weights
    {
        a: 1.0,
        b: {
            c: 2.0
        }
    }
    """

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.update(*args, **kwargs)

    def __setitem__(self, key: str, value: Any) -> None:
        introduce(Container, _flatten, _unflatten)
        super().__setitem__(key, Container(value) if type(value) is dict else value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set entries as `dict.update` does."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return an entry, set to `default` if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def copy(self) -> "Container":
        """Return a shallow copy."""
        return Container(self)

    def __or__(self, other: Any) -> Any:
        return Container({**self, **other}) if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return Container({**other, **self}) if isinstance(other, dict) else NotImplemented

    def __ior__(self, other: Any) -> "Container":  # type: ignore[override]
        self.update(other)
        return self

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            message = f"this Container has no entry {name!r}; it has {list(self)}"
            raise AttributeError(message) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(dict, name):
            message = f"{name!r} is an attribute of every dict: set it as an item, [{name!r}]"
            raise AttributeError(message)
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self.__getattr__(name)
        del self[name]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *(key for key in self if str(key).isidentifier())]

    def __repr__(self) -> str:
        if not self:
            return "{}"
        entries = (_indent(f"{key}: ", repr(value)) for key, value in self.items())
        return "{\n" + ",\n".join(entries) + "\n}"


def _indent(key: str, text: str) -> str:
    """Put a value behind its key; an array's further lines go under its first."""
    margin = "" if text.startswith("{\n") else " " * len(key)
    return _INDENT + key + text.replace("\n", "\n" + _INDENT + margin)


def _flatten(container: Container) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Return the entries and, as what stays fixed, their keys."""
    return tuple(container.values()), tuple(container)


def _unflatten(keys: Any, values: Any) -> Container:
    """Rebuild a container from its keys and new entries."""
    return Container(zip(keys, values, strict=True))


def _flatten_for_us(container: Container) -> tuple[Any, Any, Any]:
    """Flatten for our own trees, which also want the names of the entries."""
    values, keys = _flatten(container)
    return values, keys, keys


register_node(Container, _flatten_for_us, _unflatten)
