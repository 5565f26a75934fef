"""Functions that bring their own derivative: `custom_gradient`."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from arraygrad._tree import TreeDef, flatten, unflatten
from arraygrad._typing import Array, Autodiff, Leaves, Pullback, Tree
from arraygrad.errors import NoRuleError, StructureError
from arraygrad.operators._match import match
from arraygrad.operators._operands import Operands

__all__ = ["custom_gradient"]

P = ParamSpec("P")
T = TypeVar("T")


def custom_gradient(
    f: Callable[P, tuple[T, Callable[..., Any]]], *, forward: Callable[..., Any] | None = None
) -> Callable[P, T]:
    """Return a function whose derivative is the one it brings along.

    Parameters
    ----------
    f : callable
        Returns `(value, pullback)`. The value is a tree of floating arrays. The pullback takes a
        cotangent, shaped like the value, to a tuple with one entry per positional argument: a
        cotangent shaped like that argument (`None` where it has no floating array), or `None`
        for zero. Where there is a single argument, its cotangent may stand alone.
    forward : callable, optional
        `forward(primals, tangents, **kwargs)` returns the tangent of the value. Both are tuples,
        one entry per positional argument. Where it is not given, forward mode transposes the
        pullback.

    Returns
    -------
    callable
        A function of the same arguments that returns the value. All operators use its own
        derivative, on every library. Outside of them it just returns the value.

    Raises
    ------
    DtypeError
        If the value holds anything but floating arrays.
    StructureError, ShapeError
        If `f`, its pullback or `forward` return what does not fit.
    GraphBreakError
        If `f` closes over an array that is being differentiated: its gradient would be lost. Pass
        it as an argument. (The tape alone can tell.)
    NoRuleError
        If the library's autodiff has no functions of this kind.

    Notes
    -----
    `f` sees raw values, so it may leave the arrays' namespace. For derivatives of higher order,
    `f` runs once more, and its pullback is differentiated: then both must be made of
    differentiable functions.

    Arguments given by keyword are positional where the signature of `f` allows it. Keyword-only
    arguments are constants: no gradient flows through them.

    A pullback is linear. One that is not, because it clips or rounds, is used as it is in reverse
    mode; forward mode takes it for its derivative at zero.

    For complex arrays a pullback is ``c ↦ Jᴴ c``, as for `vjp`.

    JAX takes one rule of a function, not both. Inside the operators the right one is chosen.
    Under `jax.grad` and `jax.jvp` themselves it is `forward` where that is given, for both modes;
    otherwise the pullback, and `jax.jvp` raises a `TypeError`.

    Examples
    --------
    A square root whose gradient at zero is zero:

    >>> import numpy as np
    >>> import arraygrad as ag
    >>> @ag.custom_gradient
    ... def safe_sqrt(x):
    ...     y = np.sqrt(x)
    ...     def pullback(g):
    ...         return (np.where(y > 0, g / (2 * np.where(y > 0, y, 1.0)), 0.0),)
    ...     return y, pullback
    >>> print(ag.grad(lambda x: np.sum(safe_sqrt(x)))(np.asarray([0.0, 4.0])))
    [0.   0.25]
    """

    @wraps(f)
    def function(*args: P.args, **kwargs: P.kwargs) -> T:
        operands = Operands(*_by_position(f, args, kwargs), keywords=False)
        body = _Body(f, forward, operands)
        push = None if forward is None else body.push
        custom = _custom_of(operands.autodiff)
        value: T = body.whole(custom(body, push, *operands.hand_over()))
        return value

    return function


class _Body:
    """The function between flat lists that an autodiff sees."""

    def __init__(self, f: Callable[..., Any], forward: Any, operands: Operands) -> None:
        self.f, self.forward, self.operands = f, forward, operands
        self.treedef: TreeDef

    def __call__(self, leaves: Leaves, constants: Leaves) -> tuple[list[Array], Pullback]:
        args, kwargs = self.operands.arguments(leaves, constants)
        value, pullback = _split(self.f(*args, **kwargs))
        outputs, treedef = self.operands.outputs(value)
        self.treedef = treedef
        patterns = self.operands.like_arguments(leaves)

        def pull(cotangents: Leaves) -> list[Array | None]:
            return _cotangents(pullback(unflatten(treedef, cotangents)), patterns)

        return outputs, pull

    def push(
        self, leaves: Leaves, constants: Leaves, outputs: Leaves, tangents: Leaves
    ) -> list[Array]:
        """Return the tangents of the outputs."""
        args, kwargs = self.operands.arguments(leaves, constants)
        moved = self.forward(args, self.operands.like_arguments(tangents), **kwargs)
        return match(moved, self.whole(outputs), argument="forward(...)", other="the value of f")

    def whole(self, outputs: Leaves) -> Tree:
        """Return a tree shaped like the value."""
        return unflatten(self.treedef, outputs)


def _by_position(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Move keyword arguments to their positions, where the signature has one for them."""
    if not kwargs:
        return args, kwargs
    bound = inspect.signature(f).bind(*args, **kwargs)
    return bound.args, bound.kwargs


def _split(result: Any) -> tuple[Tree, Callable[[Tree], Any]]:
    """Take value and pullback apart."""
    if isinstance(result, tuple) and len(result) == 2 and callable(result[1]):
        return result
    message = (
        "a function with a gradient of its own must return (value, pullback), "
        f"got {type(result).__name__}"
    )
    raise StructureError(message)


def _cotangents(found: Any, patterns: tuple[Tree, ...]) -> list[Array | None]:
    """Return one cotangent per floating array of the arguments, `None` for zero."""
    entries = found if isinstance(found, tuple) or len(patterns) != 1 else (found,)
    if not isinstance(entries, tuple) or len(entries) != len(patterns):
        given = f"{len(entries)}" if isinstance(entries, tuple) else type(entries).__name__
        message = f"a pullback must return a tuple of {len(patterns)} cotangents, got {given}"
        raise StructureError(message)
    cotangents: list[Array | None] = []
    for i, (entry, pattern) in enumerate(zip(entries, patterns, strict=True)):
        leaves = flatten(pattern)[0]
        if entry is None or not leaves:  # an argument without floating arrays: anything goes
            cotangents += [None] * len(leaves)
        else:
            cotangents += match(
                entry, pattern, argument=f"pullback(...)[{i}]", other=f"argument {i}"
            )
    return cotangents


def _custom_of(autodiff: Autodiff) -> Callable[..., list[Array]]:
    """Return the function of an autodiff that takes such functions."""
    found: Callable[..., list[Array]] | None = getattr(autodiff, "custom", None)
    if found is None:
        name = getattr(autodiff, "__name__", type(autodiff).__name__)
        message = f"{name} does not take functions with a gradient of their own: it has no `custom`"
        raise NoRuleError(message)
    return found
