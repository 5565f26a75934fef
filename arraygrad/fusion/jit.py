"""JAX: one `jax.jit` for all leaves, which may take the memory of what it replaces.

Hyperparameters are arguments, so that a new learning rate compiles nothing. Inside somebody
else's trace the kernel runs as it is written.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
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
    kinds = set(map(type, chain(*columns, scalars.values())))
    if any(issubclass(kind, jax.core.Tracer) for kind in kinds):
        return plain.evaluate(kernel, columns, scalars, slots=slots, add=add, donate=donate)
    w, g, *rest = columns
    double = jax.config.jax_enable_x64  # type: ignore[attr-defined]
    run = _compiled(kernel, slots, add, donate, double)
    return run([w, *rest[:slots]], [g, *rest[slots:]], scalars)


class _Compiled:
    """The compiled walk over all leaves; and its last numbers, those that stay what they are.

    jax takes an array of its own in a fourth of the time that it takes a number.
    """

    def __init__(self, kernel: Callable[..., Any], slots: int, add: bool, donate: bool) -> None:
        import jax

        def walk(replaced: Any, others: Any, scalars: Any) -> list[Sequence[Array]]:
            (w, *kept), (g, *more) = replaced, others
            columns = [w, g, *kept, *more]
            return plain.evaluate(kernel, columns, scalars, slots=slots, add=add, donate=donate)

        self._walk = jax.jit(walk, donate_argnums=(0,) if donate else ())
        self._last: dict[str, tuple[Any, Any]] = {}

    def __call__(
        self, replaced: Any, others: Any, scalars: Mapping[str, Any]
    ) -> list[Sequence[Array]]:
        held = {name: self._held(name, x) for name, x in scalars.items()}
        found: list[Sequence[Array]] = self._walk(replaced, others, held)
        return found

    def _held(self, name: str, x: Any) -> Any:
        """Return a number that the last step had as well as an array, with the same weak dtype."""
        if type(x) is not float:
            return x
        last, array = self._last.get(name, (None, None))
        if x != last:
            self._last[name] = x, None
            return x
        if array is None:
            array = _weak_array(x)
            self._last[name] = x, array
        return array


def _weak_array(x: float) -> Array:
    """Return a number as an array, and no part of a trace that may be going on around us."""
    import jax

    with jax.ensure_compile_time_eval():
        return jax.numpy.asarray(x)


@lru_cache(maxsize=1000)
def _compiled(
    kernel: Callable[..., Any], slots: int, add: bool, donate: bool, double: bool
) -> _Compiled:
    """Return the compiled walk; with double precision on, it has other numbers."""
    return _Compiled(kernel, slots, add, donate)
