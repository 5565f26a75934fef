"""The general path: apply any function of the tables to any mixture of arguments.

Right for all levels of nesting, raw arrays, numbers, lists of arrays and dtypes at once; the quick
classes exist so that it is rarely taken.
"""

import collections
import functools
import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any

from arraygrad._typing import Array
from arraygrad.autodiff.tape.array import TracedArray, apart
from arraygrad.autodiff.tape.general_rule import PART, GeneralRule, stand_in
from arraygrad.autodiff.tape.record import CONSTANTS, Tape
from arraygrad.errors import NoRuleError
from arraygrad.rules.table import Entry

__all__ = ["GeneralFunction", "rebuilt", "strip", "top_tape", "traced_arrays"]

# What stands among arguments without an array in it, so that nobody need look.
_SIMPLE = frozenset({bool, complex, float, int, str, type(None), type(Ellipsis)})


def _most_operands(function: Any) -> float:
    """Return how many operands a function takes before its next is an `out`."""
    if hasattr(function, "nin"):
        return int(function.nin)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # in C, and silent
        return math.inf
    names = [p.name for p in parameters.values() if p.kind < inspect.Parameter.VAR_POSITIONAL]
    return names.index("out") if "out" in names else math.inf


class GeneralFunction:
    """One function of the tables, for every kind of argument."""

    def __init__(self, entry: Entry, space: Any) -> None:
        self.entry, self.space = entry, space
        self.rule = GeneralRule(entry, space)
        replaced = entry.not_holomorphic is not None
        self.complex_rule = GeneralRule(entry, space, complex=True) if replaced else None
        self.takes = self.rule.takes or (self.complex_rule.takes if self.complex_rule else ())
        self.evaluate = space.base_function(entry.name)
        self._most = _most_operands(self.evaluate)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if len(arguments) > self._most:  # one more would be written into, whosever it is
            message = f"{self.entry.name} takes {self._most} operands, got {len(arguments)}"
            raise TypeError(message)
        if not _SIMPLE.issuperset(map(type, keywords.values())):
            if top_tape(keywords) is not CONSTANTS:
                arguments, keywords = self._by_position(arguments, keywords)
            keywords = strip(keywords)
        rule = self._rule_for(arguments)
        tape = self._top_operand(arguments)
        if rule is None or tape is CONSTANTS:
            return self.space.lift_all(self.evaluate(*map(strip, arguments), **keywords))
        return self._record(rule, tape, arguments, keywords)

    def _rule_for(self, arguments: tuple[Any, ...]) -> GeneralRule | None:
        """Return the rule for these arguments; `None` for a function that is constant."""
        if self.complex_rule is not None and any(
            isinstance(x, TracedArray) and self.space.is_complex(x.dtype) for x in arguments
        ):
            return self.complex_rule
        return None if self.entry.kind == "CONSTANT" else self.rule

    def _top_operand(self, arguments: tuple[Any, ...]) -> Tape:
        """Return the highest tape among the operands."""
        top: Tape = CONSTANTS
        for x, taken in zip(arguments, self.takes, strict=False):
            if taken:
                for part in x if type(x) in (list, tuple) else (x,):
                    if isinstance(part, TracedArray) and part._tape.level > top.level:
                        top = part._tape
        return top

    def _record(self, rule: GeneralRule, tape: Tape, arguments: Any, keywords: Any) -> Any:
        operands: list[tuple[Any, int]] = []
        values, nested = [], False
        takes, n = self.takes, 0
        for n, x in enumerate(arguments):
            if n >= len(takes) or not takes[n]:
                value = x if type(x) in _SIMPLE else strip(x)
            elif type(x) in (list, tuple):
                value = [self._lower(part, tape, (n, m), operands) for m, part in enumerate(x)]
                nested = nested or any(isinstance(part, TracedArray) for part in value)
            else:
                value = self._lower(x, tape, n, operands)
                nested = nested or isinstance(value, TracedArray)
            values.append(value)
        function = self if nested else self.evaluate
        return self._write(rule, tape, operands, function(*values, **keywords), values, keywords)

    def _lower(self, x: Any, tape: Tape, position: Any, operands: list[tuple[Any, int]]) -> Any:
        """Return an operand as seen from below a tape, and note it if it is on that tape."""
        if not isinstance(x, TracedArray):
            return self.space.beside(x)
        if x._tape is tape:
            operands.append((position, x._index))
            return x._value
        return x._value if x._tape is CONSTANTS else apart(x)

    def _write(
        self, rule: GeneralRule, tape: Tape, operands: Any, y: Any, values: Any, keywords: Any
    ) -> Any:
        space = self.space
        if isinstance(y, tuple):
            return self._write_parts(rule, tape, operands, y, values, keywords)
        cls = space.class_of(y)
        if not cls._quick.floating:
            return space.lift_innermost(y)
        saved: Any = y
        if rule.kind == "LINEAR":
            saved = stand_in(y, space)
            values = [
                stand_in(x, space) if n < len(self.takes) and self.takes[n] else x
                for n, x in enumerate(values)
            ]
        elif rule.kind == "DERIVATIVES":
            values = [self._as_array(x, y) if type(x) in _SIMPLE else x for x in values]
        if rule.masks:
            tape.masked = True
        o: TracedArray = cls()
        o._value, o._index, o._tape = y, tape.next(), tape
        tape.append((rule, o._index, operands, saved, values, keywords))
        return o

    def _write_parts(
        self, rule: GeneralRule, tape: Tape, operands: Any, y: Any, values: Any, keywords: Any
    ) -> Any:
        """Record a function with several results: one record, and one more for each result."""
        k = tape.next()
        tape.append((rule, k, operands, y, values, keywords))
        parts = []
        for n, part in enumerate(y):
            if self.space.is_floating(part.dtype):
                number = tape.next()
                tape.append((PART, number, k, n, len(y)))
                parts.append(self.space.wrap(part, number, tape))
            else:
                parts.append(self.space.lift_innermost(part))
        return rebuilt(y, parts)

    def _as_array(self, x: Any, y: Array) -> Array:
        """Return a number among the operands as an array like the result."""
        while isinstance(y, TracedArray):
            y = y._value
        return self.space.base.asarray(x, dtype=y.dtype, device=self.space.device_of(y))

    def _by_position(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Move operands that were given by keyword to their positions, defaults between them."""
        rules = (*self.entry.rules, *(self.entry.not_holomorphic or ()))
        rule, left = next(filter(None, rules), None), dict(keywords)
        if rule is None:  # a constant
            return arguments, left
        offset = 2 if self.entry.kind == "DERIVATIVES" else 3
        known = list(inspect.signature(rule).parameters.values())[offset + len(arguments) :]
        known = [p for p in known if p.kind is p.POSITIONAL_OR_KEYWORD]
        count = max((n + 1 for n, p in enumerate(known) if p.name in left), default=0)
        filled = (*arguments, *(left.pop(p.name, p.default) for p in known[:count]))
        if any(x is inspect.Parameter.empty for x in filled):
            message = f"{self.entry.name} is called without an operand"
            raise TypeError(message)
        for name, x in left.items():
            if not top_tape(x).permits_reads:
                message = f"{self.entry.name} has no derivative rule for its argument {name!r}"
                raise NoRuleError(message)
        return filled, left


def composition(entry: Entry, space: Any) -> Callable[..., Any]:
    """Return a function that is made of others, in a namespace."""
    rule = entry.rules[0]
    assert rule is not None

    def function(*arguments: Any, **keywords: Any) -> Any:
        if top_tape((arguments, keywords)) is CONSTANTS:
            return space.constant(entry.name, *arguments, **keywords)
        return rule(space, *arguments, **keywords)

    return function


def rebuilt(like: Any, parts: Iterable[Any]) -> Any:
    """Return parts as a list or tuple like another; named results of PyTorch as a namedtuple."""
    return _maker_of(like.__class__)(parts)


@functools.cache
def _maker_of(kind: Any) -> Any:
    if hasattr(kind, "_make"):
        return kind._make
    names = getattr(kind, "__match_args__", ())
    named: Any = collections.namedtuple
    return named(kind.__name__, names)._make if names else kind


def traced_arrays(tree: Any) -> list[TracedArray]:
    """Return the traced arrays in nested lists, tuples, dicts and slices."""
    if isinstance(tree, TracedArray):
        return [tree]
    if isinstance(tree, (list, tuple)):
        return [x for part in tree for x in traced_arrays(part)]
    if isinstance(tree, dict):
        return [x for part in tree.values() for x in traced_arrays(part)]
    if isinstance(tree, slice):
        return traced_arrays((tree.start, tree.stop, tree.step))
    return []


def top_tape(tree: Any) -> Tape:
    """Return the highest tape in a tree of arguments; that of constants if there is no other."""
    return max((x._tape for x in traced_arrays(tree)), key=lambda t: t.level, default=CONSTANTS)


def strip(tree: Any) -> Any:
    """Return the raw values in nested lists, tuples, dicts and slices."""
    if type(tree) in _SIMPLE:
        return tree
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
