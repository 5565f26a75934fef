"""JAX differentiates its own arrays, under its own transformations too.

jax's complex gradients are the conjugates of ours, so cotangents are conjugated on the way in and
gradients on the way out. Nothing is compiled here: that is the caller's `jax.jit` to do.

jax gives a function one rule of differentiation: a pullback, or a forward rule, which it transposes
where it needs the other. A function that brings its own derivative gets the one that the operator
around it wants.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from arraygrad._typing import Leaves, Pullback
from arraygrad.autodiff._once import once as only_once

__all__ = ["checkpoint", "custom", "jvp", "stop_gradient", "vjp", "vmap"]

_levels: ContextVar[tuple[tuple[Any, bool], ...]] = ContextVar(
    "arraygrad_levels_in_jax", default=()
)
"""The operators around us, innermost first: jax's trace of each, and whether it goes forwards."""


def vjp(
    f: Callable[..., Any], leaves: Leaves, constants: Leaves, *, once: bool = False
) -> tuple[list[jax.Array], Pullback, list[Any]]:
    """Evaluate `f` and return its pullback: see `arraygrad.autodiff`."""

    def body(*leaves: jax.Array) -> Any:
        with _level(leaves, forwards=False):
            return f(list(leaves), constants)

    outputs, transpose, aux = jax.vjp(body, *leaves, has_aux=True)

    def pullback(cotangents: Leaves) -> list[jax.Array]:
        return [_conj(x) for x in transpose([_conj(g) for g in cotangents])]

    return outputs, only_once(pullback) if once else pullback, aux


def jvp(
    f: Callable[..., Any], leaves: Leaves, tangents: Leaves, constants: Leaves
) -> tuple[list[jax.Array], list[jax.Array], list[Any]]:
    """Push tangents through `f`: see `arraygrad.autodiff`."""

    def body(*leaves: jax.Array) -> Any:
        with _level(leaves, forwards=True):
            return f(list(leaves), constants)

    outputs, rates, aux = jax.jvp(body, tuple(leaves), tuple(tangents), has_aux=True)
    return outputs, rates, aux


def stop_gradient(x: jax.Array) -> jax.Array:
    """Return the same values, constant to every transformation of jax."""
    return jax.lax.stop_gradient(x)


def custom(
    f: Callable[..., Any], push: Callable[..., Any] | None, leaves: Leaves, constants: Leaves
) -> list[jax.Array]:
    """Apply a function that brings its own derivative: see `arraygrad.autodiff`."""
    forwards = _goes_forwards(leaves, default=push is not None)
    make = _by_tangents if forwards else _by_cotangents
    outputs: list[jax.Array] = make(f, push)(list(leaves), list(constants))
    return outputs


def checkpoint(f: Callable[..., Any], leaves: Leaves, constants: Leaves) -> list[jax.Array]:
    """Apply a function, and run it again for the pullback: see `arraygrad.autodiff`."""
    forwards = _goes_forwards(leaves, default=False)

    def body(leaves: Leaves, constants: Leaves) -> Any:
        with _level(leaves, forwards=forwards):
            return f(leaves, constants)[0]

    outputs: list[jax.Array] = jax.checkpoint(body)(list(leaves), list(constants))
    return outputs


def vmap(f: Callable[[Leaves], Leaves], batches: Leaves) -> list[jax.Array]:
    """Apply a function to each element of a batch at once: see `arraygrad.autodiff`."""
    return list(jax.vmap(f)(list(batches)))


def _by_cotangents(f: Callable[..., Any], push: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return a function with a pullback.

    Concrete values need no second run for it. What is traced, by `jax.jit` or an outer
    derivative, cannot be closed over: there `f` runs again, and a compiler merges the two.
    """

    @jax.custom_vjp
    def function(leaves: Any, constants: Any) -> Any:
        return f(leaves, constants)[0]

    def record(leaves: Any, constants: Any) -> Any:
        if any(isinstance(x, jax.core.Tracer) for x in (*leaves, *constants)):
            return _by_tangents(f, push)(leaves, constants), (leaves, constants)
        outputs, pullback = f(leaves, constants)
        return outputs, Partial(pullback)  # type: ignore[no-untyped-call]

    def pull(kept: Any, cotangents: Any) -> Any:
        pullback = kept if isinstance(kept, Partial) else f(*kept)[1]
        found = pullback([_conj(g) for g in cotangents])
        return [None if c is None else _conj(c) for c in found], None

    function.defvjp(record, pull)
    return function


def _by_tangents(f: Callable[..., Any], push: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return a function with a forward rule: its own, or the transpose of its pullback."""
    forward = push or _transposed(f)

    @jax.custom_jvp
    def function(leaves: Any, constants: Any) -> Any:
        return f(leaves, constants)[0]

    @function.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        outputs = function(*primals)
        return outputs, forward(*primals, outputs, tangents[0])

    return function


def _transposed(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the forward rule that belongs to a pullback, which is linear: its transpose."""

    def push(leaves: Any, constants: Any, outputs: Any, tangents: Any) -> Any:
        def pullback(cotangents: Any) -> Any:
            found = f(leaves, constants)[1](cotangents)
            pairs = zip(found, leaves, strict=True)
            return [jnp.zeros_like(x) if c is None else c for c, x in pairs]

        _, transpose = jax.vjp(pullback, [jnp.zeros_like(y) for y in outputs])
        (moved,) = transpose([_conj(t) for t in tangents])
        return [_conj(t) for t in moved]

    return push


@contextmanager
def _level(leaves: Leaves, *, forwards: bool) -> Iterator[None]:
    """Say which way the operator goes that has made these tracers."""
    trace = leaves[0]._trace if leaves else None
    token = _levels.set(((trace, forwards), *_levels.get()))
    try:
        yield
    finally:
        _levels.reset(token)


def _goes_forwards(leaves: Leaves, *, default: bool) -> bool:
    """Say which way the innermost operator goes that has anything to do with these arrays."""
    levels = _levels.get()
    traces = [x._trace for x in leaves if isinstance(x, jax.core.Tracer)]
    for trace, forwards in levels:
        if any(trace is one for one in traces):
            return forwards
    return levels[0][1] if levels else default  # arrays of `jax.jit`, perhaps


def _conj(x: jax.Array) -> jax.Array:
    return jnp.conj(x) if jnp.iscomplexobj(x) else x
