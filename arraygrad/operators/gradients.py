"""The gradient of a scalar function: `grad` and `value_and_grad`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from arraygrad._typing import Array, Tree
from arraygrad.operators._body import Body, scalar_output
from arraygrad.operators._call import Argnums, Calls, check_function, parse_argnums
from arraygrad.operators._nonfinite import keep, treatment

__all__ = ["grad", "value_and_grad"]


def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    nonfinite: str = "keep",
    autodiff: str | None = None,
) -> Callable[..., Any]:
    """Return a function that gives the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        A function that returns a real 0-d array. Its arguments are arrays or trees of arrays
        (dict, list, tuple, namedtuple, `Container`).
    argnums : int or sequence of int, default 0
        The positional arguments to differentiate; negative numbers count from the end. Their
        array leaves must be real or complex floating. Python floats among the leaves become 0-d
        arrays of the call's library and floating dtype; other leaves (`int`, `str`, …) pass
        through and have gradient `None`.
    has_aux : bool, default False
        Whether `f` returns `(output, aux)`, where `aux` is any tree, and is not differentiated.
    nonfinite : {"keep", "zero", "raise"}, default "keep"
        What becomes of infinities and NaNs in gradients: they are returned, replaced by zeros, or
        refused. Refusing reads values, which is impossible under `jax.jit`.
    autodiff : {"tape", "torch", "jax"}, optional
        Who differentiates. By default the library's own autodiff, else the tape.

    Returns
    -------
    callable
        A function of the same arguments that returns `(y, gradient)`, or `((y, aux), gradient)`
        with `has_aux`. The gradient has the structure, shapes and dtypes of the argument; for a
        sequence of `argnums` it is a tuple, in that order.

    Raises
    ------
    NotScalarError
        If `f` does not return a real floating 0-d array.
    DtypeError
        If a differentiated argument holds an array of integers, bools or objects.
    MixedLibraryError, DeviceError
        If the arrays of a call belong to several libraries, or lie on several devices.
    NonFiniteError
        If a gradient is not finite, and `nonfinite="raise"`.
    ArgumentError
        If `argnums` names an argument twice or one that was not given, or an option is unknown.

    Notes
    -----
    For complex arguments the gradient is the direction of steepest ascent,
    ``∂y/∂Re z + i ∂y/∂Im z``, so that ``z - rate * gradient`` descends, on every library.

    An array that occurs at two places counts as two variables: each place has its own partial
    derivative. What `f` does not depend on has gradient zero. Keyword arguments are passed on and
    are not differentiated.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> def loss(w, x):
    ...     return np.sum((w["scale"] * x - 1.0) ** 2)
    >>> weights, x = {"scale": np.asarray(2.0)}, np.asarray([1.0, 3.0])
    >>> value, gradient = ag.value_and_grad(loss)(weights, x)
    >>> print(value, gradient["scale"])
    26.0 32.0
    """
    evaluate = _evaluator(f, argnums, has_aux, nonfinite, autodiff)

    @wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        y, aux, found = evaluate(args, kwargs)
        return (y, aux) if has_aux else y, found

    return value_and_gradient


def grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    nonfinite: str = "keep",
    autodiff: str | None = None,
) -> Callable[..., Any]:
    """Return a function that gives the gradient of `f`.

    Parameters
    ----------
    f : callable
        A function that returns a real 0-d array.
    argnums, has_aux, nonfinite, autodiff
        As for `value_and_grad`.

    Returns
    -------
    callable
        A function of the same arguments that returns the gradient, or `(gradient, aux)` with
        `has_aux`.

    Raises
    ------
    NotScalarError, DtypeError, MixedLibraryError, DeviceError, NonFiniteError, ValueError
        As for `value_and_grad`.

    Notes
    -----
    The gradient can be differentiated again, by any operator, to any order.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> x = np.asarray([[4.6, 2.1, 5.0], [2.8, 1.3, 6.2]])
    >>> print(ag.grad(lambda x: np.sum(x**2) / 2)(x))
    [[4.6 2.1 5. ]
     [2.8 1.3 6.2]]

    The derivative of a derivative:

    >>> cube = lambda x: x**3
    >>> print(ag.grad(ag.grad(cube))(np.asarray(2.0)))
    12.0
    """
    evaluate = _evaluator(f, argnums, has_aux, nonfinite, autodiff)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        _, aux, found = evaluate(args, kwargs)
        return (found, aux) if has_aux else found

    return gradient


def _evaluator(
    f: Callable[..., Any], argnums: Argnums, has_aux: bool, nonfinite: str, autodiff: str | None
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Array, Tree, Tree]]:
    """Return what gives the value of `f`, what else it returns, and its gradient."""
    check_function(f)
    calls, treat = Calls(parse_argnums(argnums), autodiff), treatment(nonfinite)

    def evaluate(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Array, Tree, Tree]:
        call = calls(args, kwargs)
        (y,), pullback, aux = call.vjp(Body(f, call, scalar_output, has_aux=has_aux), once=True)
        found = pullback([call.plan.seed(y)])
        if treat is not keep:
            found = treat(call.xp, found, call.leaf_name)
        return y, aux, call.gradients(found, argnums)

    return evaluate
