"""SciPy's special functions for libraries that have none: arrays go to NumPy, and come back.

For arrays on the host. Name this module as the `special` of such a library.
"""

from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace, is_array

__all__: list[str] = []


def __getattr__(name: str) -> Callable[..., Any]:
    """Return one of SciPy's special functions, for arrays of any library on the host."""
    import scipy.special

    known = getattr(scipy.special, name)
    if not callable(known):
        message = f"scipy.special.{name} is no function"
        raise AttributeError(message)
    return lambda *arguments: _apply(known, arguments)


def _apply(known: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    import numpy as np

    arrays = [x for x in arguments if is_array(x)]
    y = known(*(np.asarray(x) if is_array(x) else x for x in arguments))
    return array_namespace(*arrays).asarray(y)
