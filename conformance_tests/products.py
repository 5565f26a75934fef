"""Products with the derivative of a function of trees, by a chosen autodiff.

The public `vjp` and `jvp` let the library choose; here a library's arrays may be given to the tape.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from arraygrad._namespace import is_array
from arraygrad.autodiff import autodiff_named
from conformance_tests.trees import leaves, map_tree

__all__ = ["all_products", "compiled", "direction", "is_floating", "pull", "push"]


def compiled(library: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of trees of arrays; jax's, which else compiles each operation, by jit."""
    if library != "jax":
        return f
    import jax

    return jax.jit(f)


def is_floating(x: Any) -> bool:
    """Say whether a leaf is a floating array of any library."""
    return is_array(x) and any(kind in str(x.dtype) for kind in ("float", "complex"))


class _Flat:
    """A function of trees as the autodiff protocol has it."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f, self.args, self.result = f, args, None
        arrays = [x for x in leaves(args) if is_array(x)]
        self.variables = [x for x in arrays if is_floating(x)]
        self.constants = [x for x in arrays if not is_floating(x)]

    def __call__(self, variables: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
        floating, rest = iter(variables), iter(constants)
        args = map_tree(lambda x: _replaced(x, floating, rest), self.args)
        self.result = self.f(*args)
        return leaves(self.result), []

    def like_result(self, values: list[Any]) -> Any:
        """Return a tree shaped like the function's result."""
        found = iter(values)
        return map_tree(lambda _: next(found), self.result)

    def like_args(self, values: list[Any]) -> Any:
        """Return a tree shaped like the arguments, `None` for what is not differentiated."""
        found = iter(values)
        return map_tree(lambda x: next(found) if is_floating(x) else None, self.args)


def _replaced(x: Any, floating: Iterator[Any], rest: Iterator[Any]) -> Any:
    if is_floating(x):
        return next(floating)
    return next(rest) if is_array(x) else x


def pull(
    f: Callable[..., Any], args: tuple[Any, ...], autodiff: str, cotangent: Any = None
) -> tuple[Any, Any]:
    """Return the value of `f`, and what a cotangent, by default `ones`, is pulled back to."""
    flat = _Flat(f, args)
    y, pullback, _ = autodiff_named(autodiff).vjp(flat, flat.variables, flat.constants)
    g = [x * 0 + 1 for x in y] if cotangent is None else leaves(cotangent)
    return flat.like_result(y), flat.like_args(pullback(g))


def push(
    f: Callable[..., Any], args: tuple[Any, ...], autodiff: str, tangents: Any
) -> tuple[Any, Any]:
    """Return the value of `f`, and what tangents (shaped like `args`) are pushed to."""
    flat = _Flat(f, args)
    moved = [t for x, t in zip(leaves(args), leaves(tangents), strict=True) if is_floating(x)]
    y, rates, _ = autodiff_named(autodiff).jvp(flat, flat.variables, moved, flat.constants)
    return flat.like_result(y), flat.like_result(rates)


def direction(args: Any) -> Any:
    """Return a tangent for a tree of NumPy arrays; what is not differentiated stays."""
    numbers = np.random.default_rng(5)

    def leaf(x: Any) -> Any:
        if not is_floating(x):
            return x
        t = numbers.normal(size=x.shape)
        t = t + 1j * numbers.normal(size=x.shape) if x.dtype.kind == "c" else t
        return np.asarray(t, dtype=x.dtype)

    return map_tree(leaf, args)


def all_products(f: Callable[..., Any], args: tuple[Any, ...], autodiff: str, t: Any) -> Any:
    """Return value, gradients, tangent, and the derivative of the gradients along `t`."""

    def gradients(*args: Any) -> list[Any]:
        return leaves(pull(f, args, autodiff)[1])

    value, pulled = pull(f, args, autodiff)
    pushed = push(f, args, autodiff, t)[1]
    return value, pulled, pushed, push(gradients, args, autodiff, t)[1]
