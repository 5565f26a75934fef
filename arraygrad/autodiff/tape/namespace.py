"""The traced namespace: the standard's functions, for traced arrays of one library.

There is one for each library, whatever the depth of nesting, so that code which asks an array for
its namespace always gets the same answer. `call` is the general path: right for every mixture of
levels, dtypes, raw arrays and numbers.
"""

import functools
import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from arraygrad._namespace import device_of, is_array, is_complex, is_floating, library_name
from arraygrad._typing import Array, DType, Namespace
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.classes import QuickClass, make_class
from arraygrad.autodiff.tape.creation import CREATION
from arraygrad.autodiff.tape.general import GeneralRule, stand_in
from arraygrad.autodiff.tape.record import CONSTANTS, Tape
from arraygrad.errors import NoRuleError
from arraygrad.libraries import Library, library_of
from arraygrad.rules.table import Entry, entry_of

__all__ = ["TracedNamespace", "traced_namespace"]

_new = object.__new__
_spaces: dict[int, "TracedNamespace"] = {}
_lock = threading.RLock()


def traced_namespace(base: Namespace) -> "TracedNamespace":
    """Return the traced namespace of a library's namespace (of a traced one: itself)."""
    if isinstance(base, TracedNamespace):
        return base
    space = _spaces.get(id(base))
    if space is None:
        with _lock:
            space = _spaces.setdefault(id(base), TracedNamespace(base))
    return space


class _Raw:
    """The library's namespace, with its quicker spellings in front."""

    def __init__(self, base: Namespace, quick: dict[str, Callable[..., Any]]) -> None:
        self._base = base
        self.__dict__.update(quick)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._base, name)
        setattr(self, name, value)
        return value


class TracedNamespace:
    """The namespace of traced arrays of one library."""

    def __init__(self, base: Namespace) -> None:
        self.base = base
        self.library: Library = library_of(base)
        self.raw = _Raw(base, self.library.quick_functions())
        self.__arraygrad_library__ = replace(
            self.library, autodiff="tape", mutable=False, readable=False
        )
        # Unique: array_namespace() tells libraries apart by name.
        self.__name__ = f"arraygrad_traced_{library_name(base)}"
        self.__array_api_version__ = getattr(base, "__array_api_version__", "2024.12")
        self._classes: dict[DType, QuickClass] = {}
        self._rules: dict[tuple[str, bool], GeneralRule] = {}
        self._own = {
            "getitem": lambda x, key: x[key],
            "power_of": lambda x, n: x**n,
            "scatter_add": functools.partial(self.library.scatter_add, base),
            "set_at": functools.partial(self.library.set_at, base),
        }

    def __repr__(self) -> str:
        return f"<namespace {self.__name__!r}>"

    # --- the standard's functions, made when first asked for ---------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__array_namespace_info__":
            raise AttributeError(name)
        value = self._attribute(name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*dir(self.base)} - {"__builtins__"})

    def _attribute(self, name: str) -> Any:
        if name in CREATION:
            return functools.partial(CREATION[name], self)
        entry = entry_of(name)
        known = getattr(self.base, name, None)
        if known is None:
            message = f"{self.__name__} has no attribute {name!r}"
            raise AttributeError(message)
        if entry is not None:
            return self._traced_function(entry)
        if inspect.ismodule(known):
            return _Extension(self, name, known)
        if not callable(known) or isinstance(known, type) or is_array(known):
            return known
        return self._plain_function(name, known)

    def _traced_function(self, entry: Entry) -> Callable[..., Any]:
        name, call = entry.name, self.call

        def function(*arguments: Any, **keywords: Any) -> Any:
            try:
                quick = arguments[0]._quick
            except (AttributeError, IndexError):
                return call(name, *arguments, **keywords)
            return quick[name](*arguments, **keywords)

        function.__name__ = function.__qualname__ = name
        function.__doc__ = f"Do what the standard's `{name}` does, and record it."
        return function

    def _plain_function(self, name: str, known: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that has no rule, and refuses to lose a gradient."""

        def function(*arguments: Any, **keywords: Any) -> Any:
            if self.top((arguments, keywords)) is not None:
                message = (
                    f"{library_name(self.base)}.{name} has no derivative rule: "
                    "take stop_gradient of its arguments, or write it with other functions"
                )
                raise NoRuleError(message)
            arguments, keywords = strip(arguments), strip(keywords)
            return self.lift_all(known(*arguments, **keywords))

        function.__name__ = function.__qualname__ = name
        return function

    def __arraygrad_primitive__(self, name: str) -> Callable[..., Any]:
        """Return the traced form of a primitive that the standard lacks."""
        return functools.partial(self.call, name)

    def base_function(self, name: str) -> Callable[..., Any]:
        """Return the library's own function, for raw arrays."""
        if name in self._own:
            return self._own[name]
        found = self.raw
        for part in name.split("."):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]

    def lower_function(self, name: str, nested: bool) -> Any:
        """Return the function for the values of a class: the library's, or our own again."""
        if not nested:
            return self.base_function(name)
        return functools.partial(self.call, name) if name in self._own else getattr(self, name)

    def evaluate(self, xp: Namespace, name: str, arguments: Any, keywords: Any) -> Any:
        """Apply a function in this namespace, or to raw arrays."""
        function = functools.partial(self.call, name) if xp is self else self.base_function(name)
        return function(*arguments, **keywords)

    # --- making traced arrays ----------------------------------------------------------------------

    def class_of(self, value: Array) -> QuickClass:
        """Return the class of traced arrays with such a value."""
        if isinstance(value, TracedArray):
            lower: Any = type(value)
            if lower._above is None:
                with _lock:
                    if lower._above is None:
                        lower._above = make_class(self, value.dtype, lower)
            return lower._above  # type: ignore[no-any-return]
        found = self._classes.get(value.dtype)
        if found is None:
            with _lock:
                found = self._classes.setdefault(value.dtype, make_class(self, value.dtype))
        return found

    def wrap(self, value: Array, number: int, tape: Tape) -> TracedArray:
        """Return a traced array."""
        array = _new(self.class_of(value))
        array._value, array._index, array._tape = value, number, tape
        return array

    def lift(self, x: Array) -> TracedArray:
        """Return a raw array as a constant; a traced one stays what it is."""
        return x if isinstance(x, TracedArray) else self.wrap(x, 0, CONSTANTS)

    def lift_innermost(self, x: Array) -> TracedArray:
        """Return the raw value of an array, on whatever level, as a constant."""
        while isinstance(x, TracedArray):
            x = x._value
        return self.wrap(x, 0, CONSTANTS)

    def lift_all(self, results: Any) -> Any:
        """Return an array, or a tuple of arrays, as constants; other things as they are."""
        if isinstance(results, (tuple, list)):
            parts = [self.lift_all(part) for part in results]
            if isinstance(results, tuple) and hasattr(results, "_fields"):
                return type(results)(*parts)
            return type(results)(parts)
        return self.lift(results) if is_array(results) else results

    # --- the general path ----------------------------------------------------------------------------

    def operate(self, name: str, a: Any, b: Any) -> Any:
        """Apply a binary operator to operands of any kind."""
        for x in (a, b):
            if not isinstance(x, TracedArray | int | float | complex) and not is_array(x):
                return NotImplemented
        return self.apply(name, a, b)

    def apply(self, name: str, a: Any, b: Any) -> Any:
        """Lift raw operands, so that the quick method may serve, else take the general path."""
        lifted = [self.lift(x) if is_array(x) else x for x in (a, b)]
        odd = all(x is y for x, y in zip((a, b), lifted, strict=True))
        if not odd and isinstance(lifted[0], TracedArray):
            return type(lifted[0])._quick[name](*lifted)  # type: ignore[attr-defined]
        return self.call(name, *lifted)

    def in_place(self, name: str, a: TracedArray, b: Any) -> TracedArray:
        """Return `a <operator> b` as what `a` stands for from now on: same shape and dtype."""
        result = self.operate(name, a, b)
        if result is NotImplemented:
            message = f"unsupported operand for in-place {name}: {type(b).__name__}"
            raise TypeError(message)
        if result.shape != a.shape:
            message = f"in-place {name} cannot change the shape {a.shape} to {result.shape}"
            raise ValueError(message)
        if result.dtype != a.dtype:
            message = f"in-place {name} cannot change the dtype {a.dtype} to {result.dtype}"
            raise TypeError(message)
        return result  # type: ignore[no-any-return]

    def call(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Apply a function of the tables to arguments of any kind."""
        entry = entry_of(name)
        assert entry is not None
        if entry.kind == "COMPOSITIONS":
            rule = entry.rules[0]
            assert rule is not None
            return rule(self, *arguments, **keywords)
        if entry.kind == "CONSTANT" and not self._is_complex_live(entry, arguments):
            return self._constant(name, arguments, keywords)
        if keywords and self.top(keywords) is not None:
            arguments, keywords = _by_position(entry, arguments, keywords)
        return self._record(entry, arguments, keywords)

    def _is_complex_live(self, entry: Entry, arguments: tuple[Any, ...]) -> bool:
        return entry.not_holomorphic is not None and any(
            isinstance(x, TracedArray) and is_complex(self.base, x.dtype) for x in arguments
        )

    def _constant(self, name: str, arguments: Any, keywords: Any) -> Any:
        result = self.base_function(name)(*strip(arguments), **strip(keywords))
        return self.lift_all(result)

    def _record(self, entry: Entry, arguments: tuple[Any, ...], keywords: Any) -> Any:
        rules = (entry.not_holomorphic if entry.kind == "CONSTANT" else entry.rules) or ()
        given = [
            x if n < len(rules) and rules[n] is not None else strip(x)
            for n, x in enumerate(arguments)
        ]
        keywords = strip(keywords)
        tape = self.top([x for n, x in enumerate(given) if n < len(rules)])
        if tape is None:
            values = strip(given)
            return self.lift_all(self.base_function(entry.name)(*values, **keywords))
        operands: list[tuple[Any, int]] = []
        values = [_lower(x, tape, n, operands) for n, x in enumerate(given)]
        nested = _has_traced(values)
        function = self.lower_function(entry.name, nested)
        y = function(*values, **keywords)
        if not is_floating(self.base, y.dtype):
            return self.lift_innermost(y)
        return self._write(entry, tape, operands, y, values, keywords)

    def _write(
        self, entry: Entry, tape: Tape, operands: Any, y: Array, values: Any, keywords: Any
    ) -> TracedArray:
        dtypes = [values[p].dtype for p, _ in operands if not isinstance(p, tuple)]
        rule = self._rule(entry, any(is_complex(self.base, dtype) for dtype in dtypes))
        saved: Any = y
        if rule.kind == "LINEAR":
            saved = stand_in(y, device_of)
            values = [
                stand_in(x, device_of) if n < len(entry.rules) and entry.rules[n] else x
                for n, x in enumerate(values)
            ]
        elif rule.kind == "DERIVATIVES":
            values = [self._as_array(x, y) for x in values]
        k = tape.next()
        if rule.masks:
            tape.masked = True
        tape.append((rule, k, tuple(operands), saved, values, keywords))
        return self.wrap(y, k, tape)

    def _as_array(self, x: Any, y: Array) -> Array:
        """Return a number among the operands as an array like the result."""
        if is_array(x):
            return x
        while isinstance(y, TracedArray):
            y = y._value
        return self.base.asarray(x, dtype=y.dtype, device=device_of(y))

    def _rule(self, entry: Entry, complex: bool) -> GeneralRule:
        key = entry.name, complex
        found = self._rules.get(key)
        if found is None:
            found = self._rules.setdefault(key, GeneralRule(entry, self, complex=complex))
        return found

    def top(self, arguments: Any) -> Tape | None:
        """Return the highest tape among some arguments; `None` if all are constant."""
        found: Tape | None = None
        for x in _arrays(arguments):
            tape = x._tape
            if tape.level > (found.level if found is not None else 0):
                found = tape
        return found

    # --- what arrays ask their namespace for -------------------------------------------------------

    @staticmethod
    def device_of(value: Array) -> Any:
        """Return the device of a value."""
        return device_of(value)

    @staticmethod
    def size_of(value: Array) -> int:
        """Return the number of elements of a value."""
        size = 1
        for length in value.shape:
            size *= length
        return size

    @property
    def vjp(self) -> Callable[..., Any]:
        """The tape's own `vjp`, for rules that transpose pullbacks."""
        from arraygrad.autodiff.tape import vjp

        return vjp


class _Extension:
    """An extension of the standard (`linalg`, `fft`) in a traced namespace."""

    def __init__(self, space: TracedNamespace, name: str, base: Namespace) -> None:
        self._space, self._name, self._base = space, name, base
        self.__name__ = f"{space.__name__}.{name}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = getattr(self._base, name)
        full = f"{self._name}.{name}"
        if entry_of(full) is not None:
            return self._space._traced_function(entry_of(full))  # type: ignore[arg-type]
        if entry_of(name) is not None:  # linalg.matmul is matmul
            return getattr(self._space, name)
        return self._space._plain_function(full, known) if callable(known) else known


def _arrays(tree: Any) -> list[TracedArray]:
    """Return the traced arrays in nested lists, tuples, dicts and slices."""
    if isinstance(tree, TracedArray):
        return [tree]
    if isinstance(tree, (list, tuple)):
        return [x for part in tree for x in _arrays(part)]
    if isinstance(tree, dict):
        return [x for part in tree.values() for x in _arrays(part)]
    if isinstance(tree, slice):
        return _arrays((tree.start, tree.stop, tree.step))
    return []


def _has_traced(tree: Any) -> bool:
    return bool(_arrays(tree))


def strip(tree: Any) -> Any:
    """Return the raw values in nested lists, tuples, dicts and slices."""
    while isinstance(tree, TracedArray):
        tree = tree._value
    if type(tree) in (list, tuple):
        return type(tree)(map(strip, tree))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(strip, tree))
    if isinstance(tree, dict):
        return {key: strip(value) for key, value in tree.items()}
    if isinstance(tree, slice):
        return slice(strip(tree.start), strip(tree.stop), strip(tree.step))
    return tree


def _lower(x: Any, tape: Tape, position: Any, operands: list[tuple[Any, int]]) -> Any:
    """Return an argument as seen from below a tape, and note the operands on it."""
    if isinstance(x, TracedArray):
        if x._tape is tape:
            operands.append((position, x._index))
            return x._value
        return x._value if x._tape is CONSTANTS else x
    if isinstance(x, (list, tuple)) and _has_traced(x):
        return [_lower(part, tape, (position, n), operands) for n, part in enumerate(x)]
    return x


def _by_position(
    entry: Entry, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Move operands that were given by keyword to their positions."""
    rule = next(rule for rule in (*entry.rules, *(entry.not_holomorphic or ())) if rule is not None)
    names = list(inspect.signature(rule).parameters)
    offset = 2 if entry.kind == "DERIVATIVES" else 3
    filled = list(arguments)
    left = dict(keywords)
    for name in names[offset + len(arguments) :]:
        if name not in left:
            break
        filled.append(left.pop(name))
    return tuple(filled), left
