"""Products with a derivative that is never formed: `vjp`, `jvp` and `hvp`."""

from collections.abc import Callable, Sequence
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._typing import Array, Tree
from arraygrad.errors import StructureError
from arraygrad.libraries import library_of, there
from arraygrad.operators._body import Body, floating_outputs
from arraygrad.operators._call import Calls
from arraygrad.operators._match import match
from arraygrad.operators.gradients import grad

__all__ = ["hvp", "jvp", "vjp"]


def vjp(f: Callable[..., Any], *primals: Tree, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate `f`, and return its pullback: the product of cotangents with the derivative.

    Parameters
    ----------
    f : callable
        A function of the primals that returns a tree of floating arrays.
    *primals : trees of arrays, real or complex floating
        Where to evaluate.
    has_aux : bool, default False
        Whether `f` returns `(output, aux)`.

    Returns
    -------
    y : tree of arrays
        What `f` returns.
    pullback : callable
        From a cotangent, shaped like `y`, to a tuple with one entry per primal. An array serves
        all leaves below it. It can be called many times.
    aux : tree
        With `has_aux` only.

    Raises
    ------
    DtypeError
        If a leaf of a primal or of `y` is no floating array.
    StructureError, ShapeError
        If a cotangent does not fit: raised by the pullback.

    Notes
    -----
    With the derivative J of `f` the pullback is ``c ↦ Jᴴ c``: that of ``a * z`` is
    ``conj(a) * c``. For a real input, the real part is returned.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> y, pullback = ag.vjp(lambda a, b: a * b, np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0]))
    >>> for gradient in pullback(np.asarray([1.0, 10.0])):
    ...     print(gradient)
    [ 3. 40.]
    [ 1. 20.]
    """
    numbers = tuple(range(len(primals)))
    call = Calls(numbers)(primals, {})
    body = Body(f, call, floating_outputs, has_aux=has_aux)
    outputs, sweep, aux = call.vjp(body, once=False)
    y = body.whole(outputs)

    def pullback(cotangent: Tree) -> tuple[Tree, ...]:
        cotangents = match(cotangent, y, argument="cotangent", other="the output of f")
        found: tuple[Tree, ...] = call.gradients(sweep(cotangents), numbers)
        return found

    return (y, pullback, aux) if has_aux else (y, pullback)


def jvp(
    f: Callable[..., Any], primals: Sequence[Tree], tangents: Sequence[Tree]
) -> tuple[Tree, Tree]:
    """Evaluate `f`, and its derivative in a direction.

    Parameters
    ----------
    f : callable
        A function of the primals that returns a tree of floating arrays.
    primals : sequence of trees of arrays, real or complex floating
        Where to evaluate: one entry per argument.
    tangents : sequence of trees of arrays
        The direction, shaped like the primals. An array serves all leaves below it; leaves that
        are not differentiated have `None`.

    Returns
    -------
    y : tree of arrays
        What `f` returns.
    tangent : tree of arrays
        Its rate of change, shaped like `y`.

    Raises
    ------
    DtypeError
        If a leaf of a primal or of `y` is no floating array.
    StructureError, ShapeError
        If a tangent does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> y, rate = ag.jvp(lambda x: x**3, (np.asarray(2.0),), (np.asarray(1.0),))
    >>> print(y, rate)
    8.0 12.0
    """
    primals, tangents = _arguments(primals, "primals"), _arguments(tangents, "tangents")
    numbers = tuple(range(len(primals)))
    call = Calls(numbers)(primals, {})
    pattern = call.gradients(call.leaves, numbers)
    directions = match(tangents, pattern, argument="tangents", other="primals")
    body = Body(f, call, floating_outputs, has_aux=False)
    outputs, rates, _ = call.jvp(body, directions)
    return body.whole(outputs), body.whole(list(map(_of_its_own, rates)))


def _of_its_own(x: Array) -> Array:
    """Return a tangent as an array that is neither a view of one that was given, nor it."""
    xp = array_namespace(x)
    if not library_of(xp).mutable:
        return x
    with there(x):
        copy = xp.reshape(x, x.shape, copy=True)
    return copy if copy.shape else copy[...]  # an array, where NumPy makes scalars


def hvp(f: Callable[..., Any], primals: Sequence[Tree], tangents: Sequence[Tree]) -> Tree:
    """Multiply the Hessian of a scalar function with a direction, without forming it.

    Parameters
    ----------
    f : callable
        A function of the primals that returns a real 0-d array.
    primals : sequence of trees of arrays, real or complex floating
        Where to evaluate: one entry per argument.
    tangents : sequence of trees of arrays
        The direction, shaped like the primals.

    Returns
    -------
    tuple of trees
        Shaped like the primals.

    Raises
    ------
    NotScalarError
        If `f` does not return a real floating 0-d array.
    DtypeError, StructureError, ShapeError
        As for `jvp`.

    Notes
    -----
    Forward over reverse: the directional derivative of the gradient, at about four times the
    cost of `f`.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> x, v = np.asarray([1.0, 2.0]), np.asarray([1.0, 0.0])
    >>> (product,) = ag.hvp(lambda x: np.sum(x**3), (x,), (v,))
    >>> print(product)
    [6. 0.]
    """
    primals = _arguments(primals, "primals")
    gradient = grad(f, tuple(range(len(primals))))
    return jvp(gradient, primals, tangents)[1]


def _arguments(given: Sequence[Tree], argument: str) -> tuple[Tree, ...]:
    if not isinstance(given, (tuple, list)):
        message = (
            f"`{argument}` must be a tuple with one entry per argument of f, "
            f"got {type(given).__name__}"
        )
        raise StructureError(message)
    return tuple(given)
