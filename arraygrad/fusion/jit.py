"""JAX: one `jax.jit` for all leaves, which may take the memory of what it replaces.

Hyperparameters are arguments, so that a new learning rate compiles nothing. Inside somebody
else's trace the kernel runs as it is written.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from arraygrad._typing import Array
from arraygrad.fusion import plain

__all__ = ["evaluate"]


def evaluate(
    kernel: Callable[..., Any],
    columns: Sequence[Sequence[Array]],
    scalars: Mapping[str, Any],
    *,
    slots: int,
    add: bool,
    donate: bool,
) -> list[Sequence[Array]]:
    """Return a kernel's results for every leaf: see `arraygrad.fusion`."""
    import jax

    columns = list(map(list, columns))  # of no other class: jax would not look inside
    leaves = jax.tree_util.tree_leaves((columns, dict(scalars)))
    if any(issubclass(kind, jax.core.Tracer) for kind in set(map(type, leaves))):
        return plain.evaluate(kernel, columns, scalars, slots=slots, add=add, donate=donate)
    w, g, *rest = columns
    run = _jitted(kernel, slots, add, donate)
    found: list[Sequence[Array]] = run([w, *rest[:slots]], [g, *rest[slots:]], dict(scalars))
    return found


@lru_cache(maxsize=1000)
def _jitted(kernel: Callable[..., Any], slots: int, add: bool, donate: bool) -> Callable[..., Any]:
    """Return the compiled walk over all leaves."""
    import jax

    def walk(replaced: Any, others: Any, scalars: Any) -> list[Sequence[Array]]:
        (w, *kept), (g, *more) = replaced, others
        columns = [w, g, *kept, *more]
        return plain.evaluate(kernel, columns, scalars, slots=slots, add=add, donate=donate)

    compiled: Callable[..., Any] = jax.jit(walk, donate_argnums=(0,) if donate else ())
    return compiled
