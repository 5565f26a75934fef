"""Find a library's special functions: the module that its `Library.special` names."""

import functools
import importlib
from typing import Any

from arraygrad._namespace import library_name
from arraygrad._typing import Namespace
from arraygrad.errors import MissingExtraError
from arraygrad.libraries import library_of

__all__ = ["special_functions"]


def special_functions(xp: Namespace) -> Any:
    """Return the module of special functions for a library's arrays, imported when first asked.

    Raises
    ------
    AttributeError
        If the library has none.
    MissingExtraError
        If the module is not installed.
    """
    module = library_of(xp).special
    if module is None:
        message = f"no special functions are known for arrays of {library_name(xp)}"
        raise AttributeError(message)
    return _imported(module)


@functools.cache
def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"special functions need {module}: pip install 'arraygrad[special]'"
        raise MissingExtraError(message) from error
