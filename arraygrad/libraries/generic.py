"""What a library is to us, and the answers that fit any library of the standard."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from arraygrad._namespace import array_namespace, is_complex
from arraygrad._typing import Array, Namespace
from arraygrad.libraries.indexing import add_by_sorting, is_basic, is_mask, set_by_sorting

__all__ = ["GENERIC", "Library", "assign", "quiet_numpy", "solve_adjoint"]


def is_writeable(x: Array) -> bool:
    """Say whether an array's values can be changed: flags where there are any, else yes."""
    flags = getattr(x, "flags", None)
    return bool(getattr(flags, "writeable", True))


def write(out: Array, value: Array) -> None:
    """Copy `value` into `out`, which has its shape and dtype."""
    out[...] = value


def to_numpy(x: Array) -> Any:
    """Return an array's values in NumPy; its dtype is one that NumPy has."""
    import numpy as np

    try:
        return np.from_dlpack(x, device="cpu")
    except (AttributeError, BufferError, RuntimeError, TypeError):
        return np.asarray(x)


def copied(x: Array) -> Array:
    """Return a copy in the library's own order, of which every other library makes an array."""
    return array_namespace(x).asarray(x, copy=True)


def no_host_memory(x: Array) -> None:
    """Say that the elements are not in the host's memory, for all that we know."""


def quiet_numpy() -> AbstractContextManager[Any]:
    """Silence NumPy's floating-point warnings, for libraries that compute with NumPy."""
    import numpy as np

    return np.errstate(all="ignore")


def assign(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value` at `key`, for libraries that assign at any key."""
    y = xp.asarray(x, copy=True)
    y[key] = value
    return y


def set_at(xp: Namespace, x: Array, key: Any, value: Any) -> Array:
    """Return a copy of `x` with `value` at `key`."""
    once = _is_assignable(xp, key)
    return assign(xp, x, key, value) if once else set_by_sorting(xp, x, key, value)


def scatter_add(xp: Namespace, x: Array, key: Any, values: Array) -> Array:
    """Return `x` with `values` added at `key`; duplicates in `key` add up."""
    if _is_assignable(xp, key):
        return assign(xp, x, key, x[key] + values)
    return add_by_sorting(xp, x, key, values)


def seed(y: Array) -> Array:
    """Return ones like an output, its first cotangent; nobody writes to it."""
    return array_namespace(y).ones_like(y)


def solve_adjoint(xp: Namespace, a: Array, b: Array, triangle: str | None = None) -> Array:
    """Return a⁻ᴴ b for matrices; `triangle` says that only "lower" or "upper" is not zero."""
    back = xp.matrix_transpose(a)
    return xp.linalg.solve(xp.conj(back) if is_complex(xp, a.dtype) else back, b)


def places(x: Array, mask: Array) -> tuple[Array, Any]:
    """Return an array and a mask as they are."""
    return x, mask


def _is_assignable(xp: Namespace, key: Any) -> bool:
    """Say whether the standard assigns at this key; then it has no duplicates either."""
    if is_basic(key):
        return key is not None and not (isinstance(key, tuple) and None in key)
    return is_mask(xp, key)


@dataclass(frozen=True, kw_only=True)
class Library:
    """What is peculiar to one array library; the defaults fit any library of the standard."""

    autodiff: str = "tape"
    """Who differentiates its arrays: a name of the registry in `arraygrad.autodiff`."""

    executor: str = "plain"
    """Who runs kernels on its arrays: a name of the registry in `arraygrad.fusion`."""

    compiler: str | None = None
    """Who does where `use_executor("compiled")` asks for the library's own compiler."""

    namespace: str | None = None
    """The dotted name of a module whose `__all__` goes in front of the arrays' own namespace: the
    functions of the standard that it lacks, or spells otherwise; `linalg` and `fft` likewise."""

    host_memory: Callable[[Array], Any] = no_host_memory
    """Returns an array's memory as a NumPy array; None where it is elsewhere, or in a graph."""

    in_graph: Callable[[Array], bool] | None = None
    """Says of an array that a graph of its library's follows it, which no write may get round."""

    layout: Callable[[Array], Any] | None = None
    """Says where and how an array lies in memory, in a library that lets an array be moved."""

    mutable: bool = False
    """Whether `x += y` changes the memory of `x`, so that a sweep may accumulate in place."""

    cheap_zero_d: bool = False
    """Whether 0-d arrays are quicker operands than Python numbers."""

    scalar: Callable[[Array], Array] | None = None
    """Returns a real floating 0-d array as a scalar, another array as it is, in a library that has
    scalars and computes with them faster."""

    numpy_functions: bool = False
    """Whether NumPy's functions serve its arrays, so that they serve traced ones too."""

    only_device: str | None = None
    """The device of every array, in a library that has just one."""

    lazy: bool = False
    """Whether values are computed only on demand: never ask one for a truth value."""

    enter: Callable[[Any], AbstractContextManager[Any]] | None = None
    """Makes a device the current one, where results lie on that and not with the operands."""

    moves: bool = False
    """Whether it moves arrays between devices by itself, so that one call may mix them."""

    readable: bool = False
    """Whether reading a value is free: arrays on the host, neither lazy nor traced."""

    extra: str | None = None
    """The extra of ours that installs it."""

    quiet: Callable[[], AbstractContextManager[Any]] = nullcontext
    """Silences floating-point warnings, while values are computed that nobody will see."""

    special: str | None = None
    """The dotted name of its module of special functions, with SciPy's names."""

    quick_functions: Callable[[], dict[str, Callable[..., Any]]] = dict
    """Quicker spellings of the standard's functions, by name; the same semantics."""

    is_writeable: Callable[[Array], bool] = is_writeable
    write: Callable[[Array, Array], None] = write
    set_at: Callable[[Namespace, Array, Any, Any], Array] = set_at
    scatter_add: Callable[[Namespace, Array, Any, Array], Array] = scatter_add
    seed: Callable[[Array], Array] = seed
    solve_adjoint: Callable[[Namespace, Array, Array, str | None], Array] = solve_adjoint

    shape_of: Callable[[Array], tuple[int, ...]] | None = None
    """Returns an array's shape as `broadcast_to`, `reshape` and `zeros` shall have it back: a
    tuple that may say more, such as in which chunks the elements lie."""

    finite_when_computed: Callable[[Array, str], Array] | None = None
    """Returns a lazy array, computing which raises that message if it is not finite."""

    add_at: Callable[[Array, Any, Array], Array] | None = None
    """Adds to an array in place, at integers that may have duplicates."""

    surely_finite: Callable[[Array], bool] | None = None
    """Says of an array, quickly, that all is finite; no may mean that it does not know."""

    getitem: Callable[[Array, Any], Array] | None = None
    """Returns `x[key]`, where the library itself does not read at all keys of the standard."""

    places: Callable[[Array, Array], tuple[Array, Any]] = places
    """Returns a view of an array, and the key of it that means `x[mask]`."""

    share: Callable[[Array], Array] = copied
    """Returns an array whose memory another library may use: itself where that is safe."""

    to_numpy: Callable[[Array], Any] = to_numpy
    """Copies an array's values to the host, cut from any graph; may be a view there."""


GENERIC = Library()
