"""Names and signatures of traced functions: those of the library's own."""

import inspect
from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace

__all__ = ["named_like"]


def named_like(function: Any, name: str, known: Any) -> Callable[..., Any]:
    """Give a function the name and the signature of the library's own."""
    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    told = _signature_of(known) or _signature_of(_numpys(name))
    function.__signature__ = told or inspect.signature(function)
    return function  # type: ignore[no-any-return]


def _signature_of(known: Any) -> inspect.Signature | None:
    """Return a function's signature, if it tells: those in C may not."""
    if hasattr(known, "nin"):  # a ufunc: what the standard knows of it
        operands = ["x"] if known.nin == 1 else ["x1", "x2"]
        parameters = [inspect.Parameter(x, inspect.Parameter.POSITIONAL_ONLY) for x in operands]
        if getattr(known, "signature", None):  # it has core dimensions
            parameters.append(inspect.Parameter("axis", inspect.Parameter.KEYWORD_ONLY, default=-1))
        return inspect.Signature(parameters)
    try:
        return inspect.signature(known)
    except (TypeError, ValueError):
        return None


def _numpys(name: str) -> Any:
    """Return NumPy's function of a name, if it has one."""
    import numpy as np

    found: Any = array_namespace(np.empty(0))
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
