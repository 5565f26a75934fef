"""The derivative of an elementwise function: `elementwise_grad`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from arraygrad._typing import Array
from arraygrad.errors import ShapeError, StructureError
from arraygrad.operators._body import Body, real_outputs
from arraygrad.operators._call import Argnums, Call, Calls, check_function, parse_argnums

__all__ = ["elementwise_grad"]


def elementwise_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    autodiff: str | None = None,
) -> Callable[..., Any]:
    """Return a function that gives the derivative of an elementwise `f`, element by element.

    Parameters
    ----------
    f : callable
        A function that returns a real array of any shape, each of whose elements depends on
        the matching element of the differentiated arguments alone. This is assumed: only shapes
        are checked.
    argnums : int or sequence of int, default 0
        The positional arguments to differentiate: arrays, or trees of arrays, that have the shape
        of the result.
    has_aux : bool, default False
        Whether `f` returns `(output, aux)`.
    autodiff : {"tape", "torch", "jax"}, optional
        Who differentiates.

    Returns
    -------
    callable
        A function of the same arguments that returns the derivative, or `(derivative, aux)` with
        `has_aux`: shaped like the argument, a tuple for a sequence of `argnums`.

    Raises
    ------
    ShapeError
        If a differentiated array does not have the shape of the result.
    StructureError
        If `f` returns anything but one array.
    DtypeError, MixedLibraryError, DeviceError, ValueError
        As for `value_and_grad`.

    Notes
    -----
    This is the gradient of the sum, in one sweep: the diagonal of the Jacobian, as the rest of it
    is zero. Where elements do mix, the columns of the Jacobian are summed.

    It can be applied again, for higher derivatives, and plotted.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> x = np.asarray([[0.0, 1.0], [2.0, 3.0]])
    >>> print(ag.elementwise_grad(lambda x: x**3)(x))
    [[ 0.  3.]
     [12. 27.]]
    >>> print(ag.elementwise_grad(ag.elementwise_grad(lambda x: x**3))(x))
    [[ 0.  6.]
     [12. 18.]]
    """
    check_function(f)
    numbers = parse_argnums(argnums)

    calls = Calls(numbers, autodiff)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = calls(args, kwargs)
        body = Body(f, call, real_outputs, has_aux=has_aux)
        outputs, pullback, aux = call.vjp(body, once=True)
        y = _only(body.whole(outputs), outputs)
        _check_shapes(call, y)
        found = call.gradients(pullback([call.plan.seed(y)]), argnums)
        return (found, aux) if has_aux else found

    return derivative


def _only(whole: Any, outputs: list[Array]) -> Array:
    """Return the output, which must be a single array."""
    if len(outputs) != 1 or whole is not outputs[0]:
        message = f"f(...) must be one array to differentiate, got {type(whole).__name__}"
        raise StructureError(message)
    return outputs[0]


def _check_shapes(call: Call, y: Array) -> None:
    """Make sure that every differentiated array has the shape of the result."""
    for i, x in enumerate(call.leaves):
        if x.shape != y.shape:
            message = (
                f"{call.leaf_name(i)} must have the shape of f(...), {tuple(y.shape)}, for an "
                f"elementwise derivative, got {tuple(x.shape)}"
            )
            raise ShapeError(message)
