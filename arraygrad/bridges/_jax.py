"""A function of another library as a primitive of jax, with all that jax asks of one.

Concrete arrays go over the border at once. Under `jax.jit` the call becomes a callback to the
host. The forward rule of the primitive is the primitive itself, applied to the function's tangent,
and its transpose is the primitive applied to the pullback: so both modes work, to any order. That
is more than `jax.custom_jvp` or `jax.custom_vjp` can say, of which a function has one.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from arraygrad._typing import Leaves
from arraygrad.bridges._border import Border
from arraygrad.bridges._flat import Function, parted
from arraygrad.bridges._jax_nodes import Node, Tangent, Value, check, struct

__all__ = ["cross"]

crossing_p = Primitive("arraygrad_bridge")
crossing_p.multiple_results = True
"""Parameters: `node`, what is called, and `batch`, the lengths of axes in front of all arrays."""


def cross(
    f: Function, border: Border, leaves: Leaves, constants: Leaves
) -> tuple[list[jax.Array], list[jax.Array]]:
    """Call a function beyond the border, as a primitive where jax traces."""
    arrays = [*leaves, *constants]
    node = Value(f, border, len(leaves))
    found = node.evaluate(arrays) if _concrete(arrays) else _bind(arrays, node)
    count = sum(f.floating)
    return found[:count], found[count:]


def _bind(arrays: Leaves, node: Node, batch: tuple[int, ...] = ()) -> list[Any]:
    found = crossing_p.bind(*arrays, node=node, batch=batch)  # type: ignore[no-untyped-call]
    return list(found)


def _evaluate(*arrays: jax.Array, node: Node, batch: tuple[int, ...]) -> list[Any]:
    """Call the function now."""
    found = node.evaluate(arrays)
    if batch:  # which the function only claims to take
        check(found, _shapes(*arrays, node=node, batch=batch))
    return found


def _shapes(*arrays: Any, node: Node, batch: tuple[int, ...]) -> list[jax.core.ShapedArray]:
    """Return the shapes of the results."""
    rest = [struct(x.shape[len(batch) :], x.dtype) for x in arrays]
    outputs, aux = node.shapes(rest)
    return [jax.core.ShapedArray((*batch, *y.shape), y.dtype) for y in (*outputs, *aux)]


def _call_back(*arrays: jax.Array, node: Node, batch: tuple[int, ...]) -> Any:
    """Call the function on the host when the compiled program gets there."""
    results = [struct(y.shape, y.dtype) for y in _shapes(*arrays, node=node, batch=batch)]
    return jax.pure_callback(lambda *given: node.on_host(given, results), results, *arrays)


def _push(primals: Leaves, tangents: Leaves, *, node: Node, batch: tuple[int, ...]) -> Any:
    """Return the results, and their tangents: a call of the function's tangent."""
    leaves, constants = primals[: node.count], primals[node.count :]
    wanted = [not isinstance(t, ad.Zero) for t in tangents[: node.count]]
    moved, _ = parted(tangents[: node.count], wanted)
    record = None
    if not batch and _concrete(primals):
        results, record = node.record(primals, wanted)
    else:
        results = _bind(primals, node, batch)
    tangent = Tangent(node, wanted, record)
    rates = _bind([*leaves, *moved, *constants], tangent, batch)
    return results, [*rates, *map(_no_rate, results[len(rates) :])]


def _pull(
    cotangents: Leaves, *arrays: Any, node: Node, batch: tuple[int, ...]
) -> list[jax.Array | None]:
    """Pull cotangents of the results back to the arrays in which they are linear.

    jax's transpose has no conjugates, ours has.
    """
    transpose, linear = node.transpose(len(cotangents)), node.linear
    moved = [jnp.conj(_instantiated(g)) for g in cotangents]
    given = [*arrays[: linear.start], *moved, *arrays[linear.stop :]]
    found: list[jax.Array | None] = [None] * len(arrays)
    for n, g in zip(linear, _bind(given, transpose, batch), strict=True):
        found[n] = jnp.conj(g) if isinstance(arrays[n], ad.UndefinedPrimal) else None
    return found


def _map(arrays: Leaves, axes: Leaves, *, node: Node, batch: tuple[int, ...]) -> Any:
    """Apply the function to a batch: row by row, or to all arrays at once."""
    arrays = [x if n is None else jnp.moveaxis(x, n, 0) for x, n in zip(arrays, axes, strict=True)]
    batched = [n is not None for n in axes]
    rows = [x for x, one in zip(arrays, batched, strict=True) if one]
    size = rows[0].shape[0]
    if node.vectorized:
        arrays = [
            x if one else jnp.broadcast_to(x, (size, *x.shape))
            for x, one in zip(arrays, batched, strict=True)
        ]
        results = _bind(arrays, node, (size, *batch))
    else:

        def row(elements: Leaves) -> list[jax.Array]:
            given = iter(elements)
            both = [next(given) if one else x for x, one in zip(arrays, batched, strict=True)]
            return _bind(both, node, batch)

        results = jax.lax.map(row, rows)
    return results, [0] * len(results)


def _concrete(arrays: Leaves) -> bool:
    return not any(isinstance(x, jax.core.Tracer) for x in arrays)


def _no_rate(y: jax.Array) -> Any:
    """Return the tangent of what has none."""
    return ad.Zero(jax.core.ShapedArray(y.shape, jax.dtypes.float0))


def _instantiated(g: Any) -> jax.Array:
    """Return a cotangent as an array."""
    if not isinstance(g, ad.Zero):
        return g  # type: ignore[no-any-return]
    aval: Any = g.aval
    return jnp.zeros(aval.shape, aval.dtype)


crossing_p.def_impl(_evaluate)  # type: ignore[no-untyped-call]
crossing_p.def_abstract_eval(_shapes)  # type: ignore[no-untyped-call]
ad.primitive_jvps[crossing_p] = _push
ad.primitive_transposes[crossing_p] = _pull
batching.primitive_batchers[crossing_p] = _map
mlir.register_lowering(crossing_p, mlir.lower_fun(_call_back, multiple_results=True))
