"""JAX: one `jax.jit` for all leaves, which may take the memory of what it replaces.

Hyperparameters are arguments, so that a new learning rate compiles nothing. Inside a
trace, jax's or somebody else's, the kernel runs as it is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any

import jax
import numpy as np

from arraygrad._numbers import all_numbers
from arraygrad._typing import Array
from arraygrad.errors import OutError
from arraygrad.fusion import plain
from arraygrad.fusion.columns import Alike, Call, Column, Runner

__all__ = ["prepared"]

_CONCRETE = jax.Array, np.ndarray, np.generic, int, float
"""What has a value that jax can take: neither its own tracers nor anybody else's."""

_WRAPS = 2**31 - 1
"""Steps: from here on, jax's own integers may begin anew below 0, without a word."""


def prepared(call: Call, columns: Sequence[Column]) -> Runner:
    """Return what runs a kernel on columns like these: see `arraygrad.fusion`."""
    return _Jitted(call) if _are_concrete(chain(*columns)) else plain.prepared(call, columns)


def _are_concrete(values: Iterable[Any]) -> bool:
    """Say whether all have values that jax can take."""
    return all(issubclass(kind, _CONCRETE) for kind in set(map(type, values)))


class _Jitted:
    """What runs a kernel on columns of concrete arrays."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __call__(self, columns: Sequence[Column], scalars: Mapping[str, Any]) -> list[Column]:
        """Return the results."""
        known = all_numbers(scalars.values())
        if not known and not _are_concrete(scalars.values()):
            return plain.evaluate(self._call, columns, scalars)
        # In lists of no other class: jax would not look inside.
        flat, each = _flat(columns)
        first, last = 2 * each, (2 + self._call.slots) * each
        replaced, others = flat[:each] + flat[first:last], flat[each:first] + flat[last:]
        if self._call.donate and (not known or len(set(map(id, flat))) < len(flat)):
            others, scalars = _protected(replaced, others, scalars, each)
        run = _compiled(self._call, jax.config.jax_enable_x64)  # type: ignore[attr-defined]
        return run(replaced, others, scalars)


def _flat(columns: Sequence[Column]) -> tuple[list[Array], int]:
    """Return the leaves of all columns, and how many there are in each."""
    if type(columns) is Alike:
        return columns.flat, columns.each
    return [*chain(*columns)], len(columns[0])


def _protected(
    replaced: list[Array], others: list[Array], scalars: Mapping[str, Any], each: int
) -> tuple[list[Array], Mapping[str, Any]]:
    """Return what is only read, with copies of the arrays that are given away too.

    Raises
    ------
    OutError
        If an array is given away twice: it cannot be two results.
    """
    given = set(map(id, replaced))
    if len(given) < len(replaced):
        raise OutError(_shared(replaced, each))
    if given.isdisjoint(map(id, chain(others, scalars.values()))):
        return others, scalars

    def apart(x: Any) -> Any:
        return jax.numpy.copy(x) if id(x) in given else x

    return list(map(apart, others)), {name: apart(x) for name, x in scalars.items()}


def _shared(replaced: list[Array], each: int) -> str:
    """Say which two of these arrays are one; array 1 of a leaf is its gradient."""
    places = sorted((id(x), *divmod(k, each)) for k, x in enumerate(replaced))
    (_, n, r), (_, m, s) = next((x, y) for x, y in pairwise(places) if x[0] == y[0])
    n, m = (n and n + 1), (m and m + 1)
    return f"donated arrays share memory: array {n} of leaf {r} and {m} of leaf {s}"


class _Compiled:
    """The compiled walk over all leaves; and its last numbers, those that stay what they are.

    jax takes an array of its own in a fourth of the time that it takes a number. So the walk
    counts the steps too, and hands the next number to the next step.
    """

    def __init__(self, call: Call) -> None:
        def walk(replaced: Any, others: Any, numbers: Any, step: Any) -> tuple[Any, Any]:
            each = len(replaced) // (1 + call.slots)
            w, *kept = _columns(replaced, each)
            g, *more = _columns(others, each)
            if step is None:
                return plain.evaluate(call, [w, g, *kept, *more], numbers), None
            scalars = {**numbers, "step": step}
            return plain.evaluate(call, [w, g, *kept, *more], scalars), step + 1

        self._walk = jax.jit(walk, donate_argnums=(0,) if call.donate else ())
        self._last: tuple[dict[str, Any], dict[str, Any], bool] = {}, {}, False
        self._next: tuple[Any, tuple[Any, bool], Any] = None, (None, False), None

    def __call__(
        self, replaced: list[Array], others: list[Array], scalars: Mapping[str, Any]
    ) -> list[Column]:
        """Return the columns of results."""
        numbers, first = dict(scalars), replaced[0]
        count, place = numbers.pop("step", None), (first.sharding, first.committed)
        step = self._counted(count, place)
        found: list[Column]
        found, array = self._walk(replaced, others, self._held(numbers), step)
        # Inside a trace it has no value; where another leaf is bound to a device, it is bound too.
        if type(count) is int and type(array) is type(first) and array.committed == place[1]:
            self._next = count + 1, place, array
        return found

    def _counted(self, count: Any, place: tuple[Any, bool]) -> Any:
        """Return the number of a step as an array, if the last one was in the same place."""
        following, (there, bound), array = self._next
        same = count == following and place[0] is there and place[1] == bound
        return array if same and type(count) is int and count < _WRAPS else count

    def _held(self, numbers: dict[str, Any]) -> dict[str, Any]:
        """Return numbers that the last step had too as arrays, with the same weak dtypes."""
        if not all_numbers(numbers.values()):
            return numbers
        last, arrays, settled = self._last
        if settled and numbers == last:
            return arrays
        found = dict(numbers)
        for name, x in numbers.items():
            if type(x) is float and x == last.get(name):
                held = arrays[name]
                found[name] = held if isinstance(held, jax.Array) else _weak_array(x)
        self._last = numbers, found, numbers == last
        return found


def _columns(flat: list[Array], each: int) -> list[Column]:
    return [flat[n : n + each] for n in range(0, len(flat), each)]


def _weak_array(x: float) -> Array:
    """Return a number as an array, and no part of a trace that may be going on around us."""
    with jax.ensure_compile_time_eval():
        return jax.numpy.asarray(x)


@lru_cache(maxsize=1000)
def _compiled(call: Call, double: bool) -> _Compiled:
    """Return the compiled walk; with double precision on, it has other numbers."""
    return _Compiled(call)
