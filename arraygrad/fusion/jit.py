"""JAX: one `jax.jit` for all leaves, which may take the memory of what it replaces.

Hyperparameters are arguments, so that a new learning rate compiles nothing. Inside a
trace, jax's or somebody else's, the kernel runs as it is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import chain, pairwise
from typing import Any

from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import plain
from arraygrad.fusion.columns import Alike, Call, Column, Runner

__all__ = ["prepared"]


def prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    if not _are_concrete(chain(*columns)):
        return plain.prepared(call, columns)
    return partial(_evaluate, call)


def _evaluate(call: Call, columns: Sequence[Column], scalars: Mapping[str, Any]) -> list[Column]:
    import jax

    if not all_numbers(scalars.values()) and not _are_concrete(scalars.values()):
        return plain.evaluate(call, columns, scalars)
    # Lists of no other class: jax would not look inside.
    w, g, *rest = columns if type(columns) is Alike else map(list, columns)
    double = jax.config.jax_enable_x64  # type: ignore[attr-defined]
    run = _compiled(call, double)
    replaced, others = [w, *rest[: call.slots]], [g, *rest[call.slots :]]
    if call.donate:
        others, scalars = _protected(replaced, others, scalars)
    return run(replaced, others, scalars)


def _are_concrete(values: Iterable[Any]) -> bool:
    """Say whether all have values that jax can take."""
    return all(issubclass(kind, _concrete()) for kind in set(map(type, values)))


@cache
def _concrete() -> tuple[type, ...]:
    """Return what has a value that jax can take: neither its own tracers nor anybody else's."""
    import jax
    import numpy as np

    return jax.Array, np.ndarray, np.generic, int, float, complex


def _protected(
    replaced: list[list[Array]], others: list[list[Array]], scalars: Mapping[str, Any]
) -> tuple[list[list[Array]], Mapping[str, Any]]:
    """Return what is only read, with copies of the arrays that are given away too.

    Raises
    ------
    OutError
        If an array is given away twice: it cannot be two results.
    """
    arrays = list(map(id, chain(*replaced, *others)))
    if len(set(arrays)) == len(arrays) and all_numbers(scalars.values()):
        return others, scalars
    given = set(map(id, chain(*replaced)))
    if len(given) < sum(map(len, replaced)):
        raise OutError(_shared(replaced))
    if given.isdisjoint(map(id, chain(*others, scalars.values()))):
        return others, scalars

    import jax

    def apart(x: Any) -> Any:
        return jax.numpy.copy(x) if id(x) in given else x

    return [list(map(apart, x)) for x in others], {k: apart(x) for k, x in scalars.items()}


def _shared(replaced: list[list[Array]]) -> str:
    """Say which two of these arrays are one; array 1 of a leaf is its gradient."""
    places = sorted(
        (id(x), n and n + 1, r) for n, column in enumerate(replaced) for r, x in enumerate(column)
    )
    pairs = pairwise(places)
    (_, n, r), (_, m, s) = next((x, y) for x, y in pairs if x[0] == y[0])
    return f"donated arrays share memory: array {n} of leaf {r} and {m} of leaf {s}"


class _Compiled:
    """The compiled walk over all leaves; and its last numbers, those that stay what they are.

    jax takes an array of its own in a fourth of the time that it takes a number. So the walk
    counts the steps too, and hands the next number to the next step.
    """

    def __init__(self, call: Call) -> None:
        import jax

        def walk(replaced: Any, others: Any, numbers: Any, step: Any) -> tuple[Any, Any]:
            (w, *kept), (g, *more) = replaced, others
            columns = [w, g, *kept, *more]
            if step is None:
                return plain.evaluate(call, columns, numbers), None
            return plain.evaluate(call, columns, {**numbers, "step": step}), step + 1

        self._walk = jax.jit(walk, donate_argnums=(0,) if call.donate else ())
        self._last: dict[str, tuple[Any, Any]] = {}
        self._next: tuple[Any, Any, Any] = None, None, None

    def __call__(
        self, replaced: Any, others: Any, scalars: Mapping[str, Any]
    ) -> list[Sequence[Array]]:
        numbers = {name: self._held(name, x) for name, x in scalars.items() if name != "step"}
        count, first = scalars.get("step"), replaced[0][0] if replaced[0] else None
        place = None if first is None else first.sharding
        step = self._counted(count, place)
        found: list[Sequence[Array]]
        found, array = self._walk(replaced, others, numbers, step)
        if type(count) is int and type(array) is type(first):  # inside a trace it has no value
            self._next = count + 1, place, array
        return found

    def _counted(self, count: Any, place: Any) -> Any:
        """Return the number of a step as an array, if the last one was in the same place."""
        following, there, array = self._next
        return array if type(count) is int and count == following and place is there else count

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
def _compiled(call: Call, double: bool) -> _Compiled:
    """Return the compiled walk; with double precision on, it has other numbers."""
    return _Compiled(call)
