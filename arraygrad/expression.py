"""Symbols of Array API formulas: what rules and kernels are compiled from.

A formula written for arrays is called once with symbols instead. What comes back is a small
expression; `linearize` turns several of them into one list of steps, each common subterm once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

__all__ = ["FORMULA", "Step", "Symbol", "linearize", "number", "variable"]

Key: TypeAlias = tuple[Any, ...]

_PRECEDENCE_FREE = {"+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|"}


def _operator(sign: str) -> tuple[Callable[..., "Symbol"], Callable[..., "Symbol"]]:
    """Return the method of a binary operator, and its reflection."""

    def forward(self: "Symbol", other: Any) -> "Symbol":
        return type(self)(sign, self, number(other))

    def reflected(self: "Symbol", other: Any) -> "Symbol":
        return type(self)(sign, number(other), self)

    return forward, reflected


class Symbol:
    """A node of an expression: an operator, a call, a variable, or a number."""

    __slots__ = ("arguments", "key", "operator")

    def __init__(self, operator: str, *arguments: Any) -> None:
        self.operator = operator
        self.arguments = arguments
        self.key: Key = (operator, *(a.key if isinstance(a, Symbol) else a for a in arguments))

    def __repr__(self) -> str:
        if self.operator in ("variable", "number"):
            return str(self.arguments[0])
        if self.operator in _PRECEDENCE_FREE:
            return f"({self.arguments[0]!r} {self.operator} {self.arguments[1]!r})"
        return f"{self.operator}({', '.join(map(repr, self.arguments))})"

    @property
    def dtype(self) -> "Symbol":
        """The symbol of this array's data type."""
        return Symbol("dtype", self)

    def is_number(self, value: float) -> bool:
        """Say whether this is that very number."""
        return self.operator == "number" and bool(self.arguments[0] == value)

    def __neg__(self) -> "Symbol":
        return self.arguments[0] if self.operator == "negative" else type(self)("negative", self)

    def __pos__(self) -> "Symbol":
        return self

    def __invert__(self) -> "Symbol":
        return type(self)("~", self)

    __add__, __radd__ = _operator("+")
    __sub__, __rsub__ = _operator("-")
    __mul__, __rmul__ = _operator("*")
    __truediv__, __rtruediv__ = _operator("/")
    __pow__, __rpow__ = _operator("**")
    __and__, __rand__ = _operator("&")
    __or__, __ror__ = _operator("|")

    __lt__, __gt__ = _operator("<")[0], _operator(">")[0]
    __le__, __ge__ = _operator("<=")[0], _operator(">=")[0]
    # `==` makes a symbol too: compare `key`.
    __eq__, __ne__ = _operator("==")[0], _operator("!=")[0]  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def variable(name: str) -> Symbol:
    """Return the symbol of a named array."""
    return Symbol("variable", name)


def number(value: Any) -> Symbol:
    """Return the symbol of a number, a library's own too; a symbol stays what it is."""
    if isinstance(value, Symbol):
        return value
    if isinstance(value, Real) and not isinstance(value, int):
        value = float(value)
    return Symbol("number", value)


class _Formula:
    """The namespace that formulas are called with: every function makes a symbol."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        if name == "special":
            return _Formula("special.")
        return lambda *arguments: Symbol(self._prefix + name, *map(number, arguments))


FORMULA = _Formula()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a program: `target = operator(*sources)`, the sources being names or numbers."""

    target: str
    operator: str
    sources: tuple[str, ...]


def linearize(outputs: Sequence[Symbol], prefix: str = "t") -> tuple[list[Step], list[str]]:
    """Return the steps that compute the outputs, each subterm once, and the outputs' names."""
    steps: list[Step] = []
    names: dict[Key, str] = {}

    def name_of(symbol: Symbol) -> str:
        if symbol.operator == "variable":
            return str(symbol.arguments[0])
        if symbol.operator == "number":
            return repr(symbol.arguments[0]).replace("inf", "1e999")
        if symbol.key not in names:
            sources = tuple(name_of(argument) for argument in symbol.arguments)
            target = names[symbol.key] = f"{prefix}{len(names)}"
            steps.append(Step(target, symbol.operator, sources))
        return names[symbol.key]

    return steps, [name_of(output) for output in outputs]
