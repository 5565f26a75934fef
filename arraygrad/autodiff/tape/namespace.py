"""The traced namespace: the standard's functions, for traced arrays of one library.

There is one for each library, whatever the depth of nesting, so that code which asks an array for
its namespace always gets the same answer.
"""

import functools
import inspect
import operator
import threading
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any

from arraygrad._namespace import (
    array_namespace,
    device_of,
    is_array,
    is_complex,
    is_floating,
    library_name,
    to_device,
)
from arraygrad._typing import Array, DType, Namespace
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.classes import QuickClass, make_class
from arraygrad.autodiff.tape.creation import CREATION
from arraygrad.autodiff.tape.general import GeneralFunction, composition, rebuilt, strip, top_tape
from arraygrad.autodiff.tape.numpy_functions import serves
from arraygrad.autodiff.tape.record import CONSTANTS, Tape
from arraygrad.autodiff.tape.signatures import named_like
from arraygrad.autodiff.tape.special import SpecialFunctions
from arraygrad.errors import MixedLibraryError, NoRuleError
from arraygrad.libraries import GENERIC, Library, library_of
from arraygrad.libraries.special import special_functions
from arraygrad.rules.registered import registered_entry
from arraygrad.rules.table import entry_of

__all__ = ["TracedNamespace", "traced_namespace"]

_spaces: dict[int, "TracedNamespace"] = {}
_lock = threading.RLock()


def traced_namespace(base: Namespace) -> "TracedNamespace":
    """Return the traced namespace of a library's namespace (of a traced one: itself)."""
    space = _spaces.get(id(base))
    if space is None:
        if isinstance(base, TracedNamespace):
            return base
        with _lock:
            space = _spaces.setdefault(id(base), TracedNamespace(base))
    return space


class _Raw:
    """The library's namespace, with its quicker spellings in front."""

    def __init__(self, base: Namespace, quick: dict[str, Callable[..., Any]]) -> None:
        self._base = base
        self.__dict__.update(quick)

    def __getattr__(self, name: str) -> Any:
        special = name == "special"  # no part of the standard
        value = special_functions(self._base) if special else getattr(self._base, name)
        setattr(self, name, value)
        return value


class _ForType(dict[Any, Callable[..., Any]]):
    """A function by the type of its first argument: quick for quick classes, else general."""

    def __init__(self, name: str, general: Callable[..., Any]) -> None:
        super().__init__()
        self.name, self.general = name, general

    def __missing__(self, kind: Any) -> Callable[..., Any]:
        quick = getattr(kind, "_quick", None)
        found = self[kind] = self.general if quick is None else quick[self.name]
        return found


class TracedNamespace:
    """The namespace of traced arrays of one library."""

    quick_classes = True  # whether its arrays have quick functions

    def __init__(self, base: Namespace) -> None:
        self.base = base
        self.library: Library = library_of(base)
        self.raw = _Raw(base, self.library.quick_functions())
        self.__arraygrad_library__ = replace(
            self.library, autodiff="tape", mutable=False, readable=False, seed=GENERIC.seed
        )
        # Unique: array_namespace() tells libraries apart by name.
        self.__name__ = f"arraygrad_traced_{library_name(base)}"
        self.__array_api_version__ = getattr(base, "__array_api_version__", "2024.12")
        self._classes: dict[DType, QuickClass] = {}
        self._general: dict[str, Callable[..., Any]] = {}
        self._beside: set[type] = set()  # types that were met beside traced arrays
        self._primitives: dict[str, Callable[..., Any]] = {
            "getitem": self.library.getitem or operator.getitem,
            "power_of": lambda x, n: x**n,
            "scatter_add": functools.partial(self.library.scatter_add, base),
            "set_at": functools.partial(self.library.set_at, base),
            "to_device": to_device,
        }
        self.is_complex = functools.cache(functools.partial(is_complex, base))
        self.is_floating = functools.cache(functools.partial(is_floating, base))
        self._scalar = self.library.scalar
        only = self.library.only_device
        self.device_of: Callable[[Array], Any] = device_of if only is None else lambda x: only
        shape_of = self.library.shape_of
        self.shape_of: Callable[[Array], tuple[int, ...]] = (
            attrgetter("shape") if shape_of is None else lambda x: shape_of(strip(x))
        )

    def __repr__(self) -> str:
        return f"<namespace {self.__name__!r}>"

    # --- the standard's functions, made when first asked for -------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name != "__array_namespace_info__":
            raise AttributeError(name)
        value = self._attribute(name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*dir(self.base)} - {"__builtins__"})

    def _attribute(self, name: str) -> Any:
        if name in CREATION:
            known = getattr(self.base, name, None)
            return named_like(functools.partial(CREATION[name], self), name, known)
        if name == "special" and self.library.special is not None:
            return SpecialFunctions(self)
        if not hasattr(self.base, name):
            message = f"{self.__name__} has no attribute {name!r}"
            raise AttributeError(message)
        known = getattr(self.raw, name)
        if entry_of(name) is not None:
            return self.traced_function(name)
        if inspect.ismodule(known):
            return _Extension(self, name, known)
        if not callable(known) or isinstance(known, type) or is_array(known):
            return known
        served = serves(name) if self.library.numpy_functions else None
        if served is not None:
            return named_like(functools.partial(served, self), name, known)
        return self.plain_function(name, known)

    def traced_function(self, name: str) -> Callable[..., Any]:
        """Return a function of the tables: the quick one of its first operand, or the general."""
        entry = entry_of(name)
        for_type = _ForType(name, self.general(name))
        function: Callable[..., Any]
        if entry is None or entry.kind != "DERIVATIVES":

            def function(*arguments: Any, **keywords: Any) -> Any:
                kind = type(arguments[0]) if arguments else None
                return for_type[kind](*arguments, **keywords)

        elif len(entry.rules) == 1:

            def function(x: Any, /) -> Any:
                return for_type[type(x)](x)

        else:

            def function(x1: Any, x2: Any, /) -> Any:
                return for_type[type(x1)](x1, x2)

        function.__doc__ = f"Do what the standard's `{name}` does, and record it."
        return named_like(function, name, functools.reduce(getattr, name.split("."), self.base))

    def plain_function(self, name: str, known: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function beyond the tables: a rule is registered, or it loses no gradient."""
        library = library_name(self.base)

        def function(*arguments: Any, **keywords: Any) -> Any:
            if registered_entry(library, name) is not None:
                return self.call(name, *arguments, **keywords)
            if top_tape((arguments, keywords)) is not CONSTANTS:
                message = (
                    f"{library}.{name} has no derivative rule: take stop_gradient of its "
                    "arguments, write it with other functions, or give it one: register_rule"
                )
                raise NoRuleError(message)
            arguments, keywords = strip(arguments), strip(keywords)
            return self.lift_all(known(*arguments, **keywords))

        return named_like(function, name, known)

    def __arraygrad_primitive__(self, name: str) -> Callable[..., Any]:
        """Return the traced form of a primitive that the standard lacks."""
        return self.constant if name == "constant" else self.general(name)

    def constant(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Return what a function gives for the raw values, cut from every graph."""
        return self.lift_all(self.base_function(name)(*strip(arguments), **strip(keywords)))

    def base_function(self, name: str) -> Callable[..., Any]:
        """Return the library's own function, for raw arrays."""
        if name in self._primitives:
            return self._primitives[name]
        found: Any = self.raw
        for part in name.split("."):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]

    def lower_function(self, name: str, nested: bool) -> Callable[..., Any]:
        """Return the function for the values of a class: the library's, or our own again."""
        if not nested:
            return self.base_function(name)
        return self.general(name) if name in self._primitives else getattr(self, name)

    def general(self, name: str) -> Callable[..., Any]:
        """Return a function of the tables for every kind of argument."""
        found = self._general.get(name)
        if found is None:
            entry = entry_of(name) or registered_entry(library_name(self.base), name)
            assert entry is not None
            made = composition if entry.kind == "COMPOSITIONS" else GeneralFunction
            found = self._general.setdefault(name, made(entry, self))
        return found

    def call(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Apply a function of the tables to arguments of any kind."""
        return self.general(name)(*arguments, **keywords)

    def evaluate(self, xp: Namespace, name: str, arguments: Any, keywords: Any) -> Any:
        """Apply a function in this namespace, or to raw arrays."""
        function = self.general(name) if xp is self else self.base_function(name)
        return function(*arguments, **keywords)

    # --- making traced arrays --------------------------------------------------------------------

    def class_of(self, value: Array) -> QuickClass:
        """Return the class of traced arrays with such a value."""
        if not isinstance(value, TracedArray):
            return self._classes.get(value.dtype) or self.class_for(value.dtype)
        lower: Any = type(value)
        if lower._above is None:
            with _lock:
                if lower._above is None:
                    lower._above = make_class(self, value.dtype, lower)
        return lower._above  # type: ignore[no-any-return]

    def class_for(self, dtype: DType) -> QuickClass:
        """Return the class of traced arrays with raw values of a dtype."""
        with _lock:
            if dtype not in self._classes:
                self._classes[dtype] = make_class(self, dtype)
            return self._classes[dtype]

    def wrap(self, value: Array, number: int, tape: Tape) -> TracedArray:
        """Return a traced array."""
        if isinstance(value, TracedArray):
            array = self.class_of(value)()
        else:
            if self._scalar is not None:
                value = self._scalar(value)
            array = (self._classes.get(value.dtype) or self.class_for(value.dtype))()
        array._value, array._index, array._tape = value, number, tape
        return array

    def lift(self, x: Array) -> TracedArray:
        """Return a raw array as a constant; a traced one stays what it is."""
        return x if isinstance(x, TracedArray) else self.wrap(self.beside(x), 0, CONSTANTS)

    def beside(self, x: Any) -> Any:
        """Return what is no traced array, but stands beside one.

        Raises
        ------
        MixedLibraryError
            If it is an array of another library, which would compute in its own dtypes. NumPy's
            are left to the library.
        """
        if type(x) not in self._beside:
            if is_array(x) and array_namespace(x) not in (self.base, _numpy()):
                names = f"{library_name(self.base)} and {library_name(array_namespace(x))}"
                message = f"expected arrays of one library, got arrays of {names}"
                raise MixedLibraryError(message)
            self._beside.add(type(x))
        return x

    def lift_innermost(self, x: Array) -> TracedArray:
        """Return the raw value of an array, on whatever level, as a constant."""
        return self.wrap(strip(x), 0, CONSTANTS)

    def lift_all(self, results: Any) -> Any:
        """Return an array, or a tuple of arrays, as constants; other things as they are."""
        if isinstance(results, (tuple, list)):
            return rebuilt(results, map(self.lift_all, results))
        return self.lift(results) if is_array(results) else results

    # --- operators on operands of any kind -------------------------------------------------------

    def operate(self, name: str, a: Any, b: Any, own: Callable[..., Any] | None = None) -> Any:
        """Apply a binary operator: lift raw operands, so that the quick method may serve.

        To constants, a library's `own` operator may do other things than its function does.
        """
        if self.library.numpy_functions:
            a, b = (self.asarray(x) if type(x) in (list, tuple) else x for x in (a, b))
        lifted = []
        for x in (a, b):
            number = isinstance(x, TracedArray | int | float | complex)
            if not number and not is_array(x):
                return NotImplemented
            lifted.append(x if number else self.lift(x))
        if own is not None and all(getattr(x, "_tape", CONSTANTS) is CONSTANTS for x in lifted):
            return self.lift_all(own(*map(strip, lifted)))  # `x == None` may be False
        if name in ("add", "multiply") and not isinstance(lifted[0], TracedArray):
            lifted.reverse()  # PyTorch adds an infinite array to a complex number as NaN
        if isinstance(lifted[0], TracedArray) and (lifted[0] is not a or lifted[1] is not b):
            return type(lifted[0])._quick[name](*lifted)
        return self.call(name, *lifted)

    def in_place(self, name: str, a: TracedArray, b: Any, own: Callable[..., Any]) -> TracedArray:
        """Return `a <operator> b` as what `a` stands for from now on: same shape and dtype."""
        quick = a._quick if type(a) is type(b) and a._quick.quick else None
        result = self.operate(name, a, b, own) if quick is None else quick[name](a, b)
        if result is NotImplemented:
            message = f"unsupported operand for in-place {name}: {type(b).__name__}"
            raise TypeError(message)
        return self.replacing(a, result, name)

    def written(self, value: Any) -> Any:
        """Return what is written into an array: of lists with traced arrays, one array."""
        lists = type(value) in (list, tuple) and top_tape(value) is not CONSTANTS
        return self.asarray(value) if lists else value

    def replacing(self, a: TracedArray, result: Any, name: str) -> TracedArray:
        """Return a result as what an array stands for from now on: same shape and dtype."""
        if result.shape != a.shape:
            message = f"in-place {name} cannot change the shape {a.shape} to {result.shape}"
            raise ValueError(message)
        if result.dtype != a.dtype:
            if not self._casts_in_place(a.dtype, result.dtype):
                message = f"in-place {name} cannot change the dtype {a.dtype} to {result.dtype}"
                raise TypeError(message)
            result = self.astype(result, a.dtype)
        return result  # type: ignore[no-any-return]

    def _casts_in_place(self, dtype: DType, result: DType) -> bool:
        """Say whether the library writes a result of one dtype into an array of another."""
        into, what = (self.base.empty((0,), dtype=each) for each in (dtype, result))
        try:
            into += what
        except (TypeError, RuntimeError):  # PyTorch's is a RuntimeError
            return False
        return bool(into.dtype == dtype)


@functools.cache
def _numpy() -> Namespace:
    import numpy as np

    return array_namespace(np.empty(0))


class _Extension:
    """An extension of the standard (`linalg`, `fft`) in a traced namespace."""

    def __init__(self, space: TracedNamespace, name: str, base: Namespace) -> None:
        self._space, self._name, self._base = space, name, base
        self.__name__ = f"{space.__name__}.{name}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = getattr(self._base, name)
        full = f"{self._name}.{name}"
        served = serves(full) if self._space.library.numpy_functions else None
        if entry_of(full) is not None:
            value = self._space.traced_function(full)
        elif served is not None:
            value = named_like(functools.partial(served, self._space), full, known)
        else:
            value = self._space.plain_function(full, known) if callable(known) else known
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return dir(self._base)
