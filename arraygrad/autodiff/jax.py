"""JAX differentiates its own arrays, under its own transformations too.

jax's complex gradients are the conjugates of ours, so cotangents are conjugated on the way in and
gradients on the way out. Nothing is compiled here: that is the caller's `jax.jit` to do.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from arraygrad._typing import Leaves, Pullback
from arraygrad.autodiff._once import once as only_once

__all__ = ["jvp", "stop_gradient", "vjp"]


def vjp(
    f: Callable[..., Any], leaves: Leaves, constants: Leaves, *, once: bool = False
) -> tuple[list[jax.Array], Pullback, list[Any]]:
    """Evaluate `f` and return its pullback: see `arraygrad.autodiff`."""

    def body(*leaves: jax.Array) -> Any:
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
        return f(list(leaves), constants)

    outputs, rates, aux = jax.jvp(body, tuple(leaves), tuple(tangents), has_aux=True)
    return outputs, rates, aux


def stop_gradient(x: jax.Array) -> jax.Array:
    """Return the same values, constant to every transformation of jax."""
    return jax.lax.stop_gradient(x)


def _conj(x: jax.Array) -> jax.Array:
    return jnp.conj(x) if jnp.iscomplexobj(x) else x
