"""Who differentiates: one small protocol, and the registry of those who speak it.

An autodiff is a module with three functions, on flat lists of arrays:

`vjp(f, leaves, constants, *, once=False) -> (outputs, pullback, aux)`
    Evaluate `outputs, aux = f(leaves, constants)`, three lists of arrays (`aux` may hold
    anything), and return a pullback: from one cotangent per output to one per leaf. An output
    that does not depend on a leaf gives it zeros. `constants` are the array leaves that are not
    differentiated, handed over so that a tape can lift them. With `once=True` the pullback will
    be called once at most, so everything may be freed on the way; a second call raises
    `SpentTapeError`.
`jvp(f, leaves, tangents, constants) -> (outputs, tangents_out, aux)`
    The same, forwards.
`stop_gradient(x) -> x`
    The same values, without a gradient, on every level of nesting.

It may also have

`custom(f, push, leaves, constants) -> outputs`
    Evaluate `outputs, pullback = f(leaves, constants)`, lists of arrays and a function that brings
    its own derivative: `pullback` takes a cotangent per output to one per leaf, `None` for zero,
    and `push(leaves, constants, outputs, tangents)` returns a tangent per output; `push` may be
    `None`. For derivatives of higher order `f` is called again, on arrays that are differentiated.
    Leaves may be constants: then this is just an evaluation. Without this function,
    `custom_gradient` raises `NoRuleError`.
`checkpoint(f, leaves, constants) -> outputs`
    Evaluate `outputs, _ = f(leaves, constants)`, keep nothing but arguments and outputs, and run
    `f` again for the derivative. Without it, `arraygrad.checkpoint` keeps everything.
`vmap(f, batches) -> batches_out`
    Apply a function from a list of arrays to a list of arrays along a first axis, at once.
    Without it, Jacobians are built row by row.
`seed(y)`
    Return the cotangent 1 of an output, as the pullback takes it. Without it: ones like `y`.
`keep_graph()`
    A context manager, where the library has graphs of its own: results of calls in it stay part
    of the caller's.

Gradients point uphill for complex arrays too: `z - rate * gradient` descends, so the pullback of
`a * z` is `conj(a)`. Cotangents have the shape and dtype of the outputs, results those of the
leaves. Nothing here knows of trees, and no autodiff knows another.
"""

import importlib
import threading

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, Autodiff
from arraygrad.errors import ArgumentError, MissingExtraError
from arraygrad.libraries import library_of

__all__ = ["autodiff_named", "register_autodiff", "stop_gradient"]

_MODULES: dict[str, str | Autodiff] = {
    "jax": "arraygrad.autodiff.jax",
    "tape": "arraygrad.autodiff.tape",
    "torch": "arraygrad.autodiff.torch",
}
_lock = threading.Lock()


def autodiff_named(name: str) -> Autodiff:
    """Return an autodiff, imported when first asked for.

    Raises
    ------
    ArgumentError
        If there is none of this name.
    MissingExtraError
        If its library is not installed.
    """
    if name not in _MODULES:
        message = f"`autodiff` must be one of {sorted(_MODULES)}, got {name!r}"
        raise ArgumentError(message)
    found = _MODULES[name]
    if not isinstance(found, str):
        return found
    try:
        module = importlib.import_module(found)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "arraygrad":
            raise
        message = f"autodiff {name!r} needs {error.name}: pip install 'arraygrad[{name}]'"
        raise MissingExtraError(message) from error
    with _lock:
        if _MODULES[name] is found:
            _MODULES[name] = module
    return module


def register_autodiff(name: str, autodiff: str | Autodiff) -> None:
    """Add an autodiff, or put another in the place of one.

    Parameters
    ----------
    name : str
        What it is asked for by: as `autodiff=name`, or by a `Library`.
    autodiff : str or module
        A module with `vjp`, `jvp` and `stop_gradient` as `arraygrad.autodiff` describes them, or
        its dotted name: it is then imported when first used.

    Examples
    --------
    >>> import arraygrad as ag
    >>> ag.register_autodiff("sparse", "my_package.sparse_autodiff")
    """
    with _lock:
        _MODULES[name] = autodiff


def stop_gradient(x: Array) -> Array:
    """Return one array without its gradient, as the autodiff of its library does it."""
    autodiff = autodiff_named(library_of(array_namespace(x)).autodiff)
    return autodiff.stop_gradient(x)
