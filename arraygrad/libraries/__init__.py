"""The one registry of array libraries: what is peculiar to each, a small file or folder apiece.

A library that is not named here is `generic`: everything of the standard, differentiated by the
tape. To add one, write a module with a `LIBRARY` and name it in `_MODULES`; in a package of your
own, call `register_library`, or declare an entry point of the group `arraygrad.libraries`, whose
name is the library's and whose object is its `Library`.
"""

import importlib
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from arraygrad._namespace import array_namespace, ask_for_namespaces, library_name
from arraygrad._typing import Array, Namespace
from arraygrad.libraries.completed import completed
from arraygrad.libraries.generic import GENERIC, Library

__all__ = ["GENERIC", "Library", "library_of", "register_library", "there"]

_MODULES = {
    "array_api_strict": "arraygrad.libraries.array_api_strict",
    "cupy": "arraygrad.libraries.cupy",
    "dask": "arraygrad.libraries.dask",
    "jax": "arraygrad.libraries.jax",
    "mlx": "arraygrad.libraries.mlx",
    "ndonnx": "arraygrad.libraries.ndonnx",
    "numpy": "arraygrad.libraries.numpy",
    "sparse": "arraygrad.libraries.sparse",
    "torch": "arraygrad.libraries.torch",
}
_loaded: dict[str, Library] = {}
_by_namespace: dict[str, Library] = {}  # what was found, by the namespace's full name
_lock = threading.Lock()


def library_of(xp: Namespace) -> Library:
    """Return what is peculiar to the library of a namespace."""
    found = _by_namespace.get(xp.__name__)
    return found if found is not None else _look_up(xp)


def there(x: Array) -> AbstractContextManager[Any]:
    """Make an array's device the current one, in libraries whose results lie on that."""
    enter = library_of(array_namespace(x)).enter
    return nullcontext() if enter is None else enter(x.device)


def _look_up(xp: Namespace) -> Library:
    name = library_name(xp)
    found: Library = getattr(xp, "__arraygrad_library__", None) or _loaded.get(name) or _load(name)
    with _lock:
        return _by_namespace.setdefault(xp.__name__, found)


def _load(name: str) -> Library:
    if name in _MODULES:
        library: Library = importlib.import_module(_MODULES[name]).LIBRARY
    else:
        library = _declared(name)
    with _lock:
        return _loaded.setdefault(name, library)


def _declared(name: str) -> Library:
    """Return what an installed package declares of its library; nothing makes it generic."""
    from importlib.metadata import entry_points

    for entry_point in entry_points(group="arraygrad.libraries", name=name):
        library: Library = entry_point.load()
        return library
    return GENERIC


def register_library(name: str, library: Library) -> None:
    """Say what is peculiar to a library of your own.

    Parameters
    ----------
    name : str
        The first component of its namespace's `__name__`.
    library : Library
        Its answers; everything you leave out is the standard's.

    Examples
    --------
    >>> import arraygrad
    >>> arraygrad.register_library("mylib", arraygrad.Library(mutable=True))
    """
    with _lock:
        _loaded[name] = library
        _by_namespace.clear()
    ask_for_namespaces(_completed)


def _completed(own: Namespace) -> Namespace:
    """Return an array's own namespace, with what its library puts in front of it."""
    module = None if hasattr(own, "__arraygrad_library__") else library_of(own).namespace
    return own if module is None else completed(own, module)


ask_for_namespaces(_completed)
