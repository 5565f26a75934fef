"""Derivatives as arrays: `jac` and `hessian`."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from arraygrad._namespace import is_complex
from arraygrad._typing import Array, Leaves, Namespace, Pullback, Tree
from arraygrad.errors import ArgumentError, DtypeError
from arraygrad.libraries import there
from arraygrad.operators._body import Body, real_outputs
from arraygrad.operators._call import Argnums, Call, Calls, check_function, parse_argnums
from arraygrad.operators._directions import images
from arraygrad.operators.gradients import grad

__all__ = ["hessian", "jac"]

MODES = ("auto", "forward", "reverse")
Blocks = list[list[Array]]
"""A block of the Jacobian for each output and, within, each leaf."""


def jac(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    mode: str = "auto",
    has_aux: bool = False,
    autodiff: str | None = None,
) -> Callable[..., Any]:
    """Return a function that gives the Jacobian of `f`.

    Parameters
    ----------
    f : callable
        A function that returns a tree of real arrays.
    argnums : int or sequence of int, default 0
        The positional arguments to differentiate, trees of real floating arrays; leaves as for
        `value_and_grad`.
    mode : {"auto", "forward", "reverse"}, default "auto"
        Forward mode runs `f` once per element of the input; reverse mode runs it once, and sweeps
        back once per element of the output. "auto" takes what has fewer passes; where that is
        forward mode, `f` has run once more, to learn the size of its output. On torch and JAX
        many elements share a pass, vectorized.
    has_aux : bool, default False
        Whether `f` returns `(output, aux)`.
    autodiff : {"tape", "torch", "jax"}, optional
        Who differentiates.

    Returns
    -------
    callable
        A function of the same arguments that returns the Jacobian, or `(jacobian, aux)` with
        `has_aux`: a tree of the output's structure outside and the argument's inside, a tuple
        between them for a sequence of `argnums`. Each block has the shape
        ``output.shape + input.shape``.

    Raises
    ------
    DtypeError
        If an input or output is no real floating array. A complex Jacobian is not one array: use
        `vjp` and `jvp`, or differentiate the real and imaginary parts.
    MixedLibraryError, DeviceError
        If the arrays of a call belong to several libraries, or lie on several devices.
    ArgumentError
        If `mode` is unknown, or `argnums` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> print(ag.jac(lambda x: x**2)(np.asarray([1.0, 2.0, 3.0])))
    [[2. 0. 0.]
     [0. 4. 0.]
     [0. 0. 6.]]
    """
    check_function(f)
    numbers = parse_argnums(argnums)
    if mode not in MODES:
        message = f"`mode` must be one of {sorted(MODES)}, got {mode!r}"
        raise ArgumentError(message)

    calls = Calls(numbers, autodiff)

    @wraps(f)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = calls(args, kwargs)
        _refuse_complex(call)
        body = Body(f, call, real_outputs, has_aux=has_aux)
        blocks, aux = _blocks(call, body, mode)
        rows: list[Tree] = [call.gradients(row, argnums) for row in blocks]
        found = body.whole(rows)
        return (found, aux) if has_aux else found

    return jacobian


def hessian(
    f: Callable[..., Any], argnums: Argnums = 0, *, autodiff: str | None = None
) -> Callable[..., Any]:
    """Return a function that gives the Hessian of a scalar function.

    Parameters
    ----------
    f : callable
        A function that returns a real 0-d array.
    argnums : int or sequence of int, default 0
        The positional arguments to differentiate, trees of real floating arrays.
    autodiff : {"tape", "torch", "jax"}, optional
        Who differentiates.

    Returns
    -------
    callable
        A function of the same arguments that returns the Hessian: the argument's structure,
        twice; each block has the shape ``input.shape + input.shape``. A sequence of `argnums`
        gives a tuple of tuples.

    Raises
    ------
    NotScalarError
        If `f` does not return a real floating 0-d array.
    DtypeError, MixedLibraryError, DeviceError, ValueError
        As for `jac`.

    Notes
    -----
    Forward over reverse: one directional derivative of the gradient per element of the input; on
    torch and JAX many at once, vectorized.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> print(ag.hessian(lambda x: x[0] ** 2 * x[1])(np.asarray([1.0, 2.0])))
    [[4. 2.]
     [2. 0.]]
    """
    gradient = grad(f, argnums, autodiff=autodiff)
    return jac(gradient, argnums, mode="forward", autodiff=autodiff)


def _blocks(call: Call, body: Body, mode: str) -> tuple[Blocks, Any]:
    """Compute the Jacobian in the mode that is asked for, or has fewer passes."""
    width = _total(call.leaves)
    with there(call.leaves[0]) if call.leaves else nullcontext():
        if mode == "forward" and width > 0:
            return _forward(call, body)
        outputs, pullback, aux = call.vjp(body, once=False)
        if mode == "auto" and 0 < width < _total(outputs):
            return _forward(call, body)
        return _reverse(call, outputs, pullback), aux


def _reverse(call: Call, outputs: list[Array], pullback: Pullback) -> Blocks:
    """Pull every unit vector of the outputs back."""
    blocks = []
    for i, y in enumerate(outputs):
        rows = images(call.xp, call.plan.autodiff, pullback, outputs, i)
        blocks.append([_block(call.xp, rows, j, y, x, x) for j, x in enumerate(call.leaves)])
    return blocks


def _forward(call: Call, body: Body) -> tuple[Blocks, Any]:
    """Push every unit vector of the leaves."""
    primal: list[Any] = []

    def push(tangents: Leaves) -> list[Array]:
        outputs, rates, aux = call.jvp(body, tangents)
        primal[:] = primal or (outputs, aux)  # the same in every direction
        return rates

    numbers = range(len(call.leaves))
    columns = [images(call.xp, call.plan.autodiff, push, call.leaves, j) for j in numbers]
    outputs, aux = primal
    return [
        [
            _block(call.xp, [call.xp.moveaxis(c, 0, -1) for c in columns[j]], i, y, x, y)
            for j, x in enumerate(call.leaves)
        ]
        for i, y in enumerate(outputs)
    ], aux


def _block(xp: Namespace, found: list[Array], n: int, y: Array, x: Array, like: Array) -> Array:
    """Return the derivative of `y` by `x`, from stacked rows or columns; empty without any."""
    shape = tuple(y.shape) + tuple(x.shape)
    if not found:
        return xp.zeros(shape, dtype=like.dtype, device=getattr(like, "device", None))
    return xp.reshape(found[n], shape)


def _total(arrays: list[Array]) -> int:
    return sum(math.prod(x.shape) for x in arrays)


def _refuse_complex(call: Call) -> None:
    for i, x in enumerate(call.leaves):
        if is_complex(call.xp, x.dtype):
            message = f"a Jacobian is of real arrays only, got {x.dtype} at {call.leaf_name(i)}"
            raise DtypeError(message)
