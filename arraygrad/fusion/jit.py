"""JAX: one `jax.jit` for all leaves, which may take the memory of what it replaces.

Hyperparameters are arguments, so that a new learning rate compiles nothing. Inside somebody
else's trace the kernel runs as it is written.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from arraygrad._typing import Array
from arraygrad.fusion import plain

__all__ = ["evaluate_rows"]


def evaluate_rows(
    kernel: Callable[..., Any],
    rows: Sequence[Sequence[Array]],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool,
    donate: bool,
) -> list[tuple[Array, ...]]:
    """Return a kernel's results for every leaf: see `arraygrad.fusion`."""
    import jax

    leaves = jax.tree_util.tree_leaves((rows, dict(scalars)))
    if any(isinstance(x, jax.core.Tracer) for x in leaves):
        return plain.evaluate_rows(kernel, rows, scalars, slots=slots, add=add, donate=donate)
    replaced = [(row[0], *row[2 : 2 + slots]) for row in rows]
    others = [(row[1], *row[2 + slots :]) for row in rows]
    found: list[tuple[Array, ...]] = _jitted(kernel, add, donate)(replaced, others, dict(scalars))
    return found


@lru_cache(maxsize=1000)
def _jitted(kernel: Callable[..., Any], add: bool, donate: bool) -> Callable[..., Any]:
    """Return the compiled walk over all leaves."""
    import jax

    def walk(replaced: Any, others: Any, scalars: Any) -> list[tuple[Array, ...]]:
        return [
            plain.evaluate(kernel, (w, g, *slots, *more), scalars, add=add)
            for (w, *slots), (g, *more) in zip(replaced, others, strict=True)
        ]

    compiled: Callable[..., Any] = jax.jit(walk, donate_argnums=(0,) if donate else ())
    return compiled
