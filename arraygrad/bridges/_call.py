"""One call over a bridge: which library's arrays came, and which one's the function knows."""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from arraygrad._namespace import array_namespace, device_of, is_array, library_name
from arraygrad._typing import Array, Namespace, Tree
from arraygrad.bridges._border import Border
from arraygrad.bridges._flat import Function
from arraygrad.errors import DtypeError, MissingExtraError, MixedLibraryError
from arraygrad.libraries import library_of
from arraygrad.operators._locate import locate
from arraygrad.operators._operands import Operands

__all__ = ["bridged"]

_MODULES = {"jax": "jax.numpy"}  # where a library's namespace has another name than the library
_CROSSINGS = {"jax": "arraygrad.bridges._jax", "torch": "arraygrad.bridges._torch"}


def bridged(
    f: Callable[..., Any], takes: str | None, knows: str | None, name: str, **options: Any
) -> Callable[..., Any]:
    """Return a function of the arrays of one library that calls one of another library.

    `takes` is the library whose arrays come, `None` for any; `knows` that of the function, `None`
    for NumPy or CuPy, whichever has the arrays' device.
    """

    @wraps(f, updated=())
    def function(*args: Any, **kwargs: Any) -> Tree:
        operands = Operands(args, kwargs, keywords=True)
        arrays = _arrays(operands)
        outer = _outer(operands.xp, arrays, takes, name)
        raw = getattr(outer, "base", outer)
        device = device_of(arrays[0]) if arrays else None
        inner = _namespace_of(knows or _library_there(device))
        if outer is inner:
            return f(*args, **kwargs)
        body, border = Function(f, operands, inner, options), Border(raw, inner, device)
        cross = _crossing(outer)
        return body.whole(*cross(body, border, operands.leaves, operands.constants))

    return function


def _arrays(operands: Operands) -> list[Array]:
    """Return the arrays of a call.

    Raises
    ------
    DtypeError
        If one is of no dtype of the standard: nobody would know of its gradient.
    """
    known = {*operands.places, *operands.fixed}
    for n, x in enumerate(operands.flat):
        if n not in known and is_array(x):
            where = locate(x, args=operands.args, kwargs=operands.kwargs)
            message = f"{where} has dtype {x.dtype}, which other libraries lack: convert it first"
            raise DtypeError(message)
    return [*operands.leaves, *operands.constants]


def _outer(xp: Namespace, arrays: list[Array], takes: str | None, name: str) -> Namespace:
    """Return the namespace of the arrays that came.

    Raises
    ------
    MixedLibraryError
        If it is not the one that the bridge was built for.
    """
    if not arrays:
        return _namespace_of(takes or "numpy")
    found = library_name(getattr(xp, "base", xp))
    if takes is not None and found != takes:
        message = f"{name}(f) takes arrays of {takes}, got arrays of {found}"
        raise MixedLibraryError(message)
    return xp


def _crossing(xp: Namespace) -> Callable[..., Any]:
    """Return what calls a function from arrays of this library."""
    module = _CROSSINGS.get(library_of(xp).autodiff, "arraygrad.bridges._tape")
    cross: Callable[..., Any] = importlib.import_module(module).cross
    return cross


def _namespace_of(library: str) -> Namespace:
    """Return the namespace of a library.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        module = importlib.import_module(_MODULES.get(library, library))
    except ModuleNotFoundError as error:
        message = f"this bridge needs {library}: pip install 'arraygrad[{library}]'"
        raise MissingExtraError(message) from error
    return array_namespace(module.empty(()))


def _library_there(device: Any) -> str:
    """Return the library that computes on a device as NumPy does on the host."""
    return "cupy" if str(device).startswith("cuda") else "numpy"
