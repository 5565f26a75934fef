"""Elementwise rules: the formulas of the tables, compiled to static functions.

One `ElementwiseRule` serves one function in one situation: which operands are traced, whether
shapes differ, real or complex. Each formula is called once, with symbols; what it needs is what
is saved. Three reverse functions are printed from it, each when first asked for:

`reverse`   for raw arrays of a mutable library: overwrites what nobody else holds
`plain`     for immutable, lazy or traced arrays
`careful`   as `plain`, and a cotangent of 0 stays 0 even where the derivative is not finite

and `forward`, from tangents to a tangent.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from arraygrad._typing import DType, Namespace
from arraygrad.autodiff.tape.record import Record
from arraygrad.expression import FORMULA, Step, Symbol, linearize, number, variable
from arraygrad.libraries import Library
from arraygrad.rules.primitives import unbroadcast, zeros_kept
from arraygrad.rules.table import Entry

__all__ = ["ElementwiseRule"]

# Functions after which some cotangents are 0 because another operand was chosen.
MASKING = frozenset({"maximum", "minimum"})

_IN_PLACE = {"+", "-", "*", "/"}
_SWAPPABLE = {"+", "*"}


class ElementwiseRule:
    """The rule of one elementwise function in one situation."""

    def __init__(
        self,
        entry: Entry,
        traced: Sequence[int],
        *,
        broadcast: bool,
        complex: bool,
        xp: Namespace,
        library: Library,
        dtype: DType,
    ) -> None:
        self.name = entry.name
        self.traced = tuple(traced)
        self.broadcast = broadcast
        self.complex = complex
        self.masks = entry.name in MASKING
        self.spreads = True
        self._xp, self._library, self._dtype = xp, library, dtype
        names = [f"x{n}" for n in range(len(entry.rules))]
        self._derivatives = {
            n: number(entry.rules[n](FORMULA, variable("y"), *map(variable, names)))  # type: ignore[misc]
            for n in self.traced
        }
        self.saved = _variables(self._derivatives.values())

    @property
    def fields(self) -> list[str]:
        """What a record of this rule holds after the rule and `k`, by name."""
        shapes = [f"s{n}" for n in self.traced] + ["sy"] if self.broadcast else []
        return [*(f"i{n}" for n in self.traced), *shapes, *self.saved]

    def operand_numbers(self, r: Record) -> Record:
        """Return the numbers of a record's traced operands."""
        return r[2 : 2 + len(self.traced)]

    @cached_property
    def reverse(self) -> Any:
        """The sweep's step on raw arrays, in place where that is safe."""
        return self._define(_reverse_source(self, in_place=True))

    @cached_property
    def plain(self) -> Any:
        """The sweep's step without a change to any array."""
        return self._define(_reverse_source(self, in_place=False))

    @cached_property
    def careful(self) -> Any:
        """The step that keeps zero cotangents zero; `None` if every step does."""
        if all(d.operator == "number" for d in self._derivatives.values()):
            return None
        plain = self._define(_reverse_source(self, in_place=False, careful=True))
        if self._library.surely_finite is None:
            return plain
        quick, raw = self._define(_reverse_source(self, in_place=True, careful=True)), self._xp
        return lambda ct, own, g, r, xp: (
            quick(ct, own, g, r) if xp is raw else plain(ct, own, g, r, xp)
        )

    @cached_property
    def forward(self) -> Any:
        """From the operands' tangents to the result's."""
        return self._define(_forward_source(self))

    def _define(self, source: str) -> Any:
        scope: dict[str, Any] = {"unbroadcast": unbroadcast, "conj": _conj, "raw": self._xp}
        if self._library.cheap_zero_d:
            scope["constant"] = lambda value: self._xp.asarray(value, dtype=self._dtype)
            scope["array"] = type(scope["constant"](0))
            scope["uniform"], scope["spread"] = _uniform, self._xp.broadcast_to
            scope["subtract"] = self._xp.subtract
        scope["zeros_kept"] = zeros_kept
        scope["raw_zeros_kept"] = _raw_zeros_kept(self._library)
        name = f"<rule of {self.name}>"
        exec(compile(source, name, "exec"), scope)
        return scope["rule"]

    def products(self, factors: Sequence[Symbol], conjugate: bool) -> list[tuple[bool, Symbol]]:
        """Return each derivative times its factor, as (negative, product)."""
        return [
            _scale(g, d, conjugate and self.complex)
            for g, d in zip(factors, self._derivatives.values(), strict=True)
        ]


def _conj(xp: Namespace, x: Any) -> Any:
    """Return the conjugate of an operand: an array or a Python number."""
    return xp.conj(x) if hasattr(x, "dtype") else x.conjugate()


def _raw_zeros_kept(library: Library) -> Any:
    """Return `zeros_kept` for raw arrays, which does not look twice at what is surely finite."""
    surely_finite = library.surely_finite

    def kept(xp: Namespace, g: Any, product: Any) -> Any:
        if surely_finite is not None and surely_finite(product):
            return product
        return zeros_kept(xp, g, product)

    return kept


def _uniform(g: Any) -> tuple[Any, tuple[int, ...] | None]:
    """Take a broadcast number, such as a sum's cotangent, down to the number; else keep it.

    What follows multiplies a number instead of an array, until the first full-size factor.
    """
    return (g, None) if not g.size or any(g.strides) else (g[(0,) * g.ndim], g.shape)


def _variables(expressions: Any) -> list[str]:
    """Return the names of the variables in some expressions, sorted."""
    found: set[str] = set()
    todo = list(expressions)
    while todo:
        symbol = todo.pop()
        if symbol.operator == "variable":
            found.add(symbol.arguments[0])
        elif symbol.operator != "number":
            todo.extend(symbol.arguments)
    return sorted(found)


def _scale(g: Symbol, d: Symbol, conjugate: bool) -> tuple[bool, Symbol]:
    """Push `g` into the product `g * conj(d)`: 1 → g, 1/x → g/x; signs come out in front."""
    if d.is_number(1):
        return False, g
    if d.operator == "number":
        value = d.arguments[0]
        return value < 0, g if value == -1 else g * abs(value)
    if d.operator == "negative":
        negative, product = _scale(g, d.arguments[0], conjugate)
        return not negative, product
    if d.operator == "/":
        above, below = d.arguments
        return _scale(g / _conjugate(below, conjugate), above, conjugate)
    if d.operator == "*":
        left, right = d.arguments
        negative, product = _scale(g, left, conjugate)
        more, product = _scale(product, right, conjugate)
        return negative != more, product
    return False, g * _conjugate(d, conjugate)


def _conjugate(symbol: Symbol, conjugate: bool) -> Symbol:
    return Symbol("conj", symbol) if conjugate and symbol.operator != "number" else symbol


class _Printer:
    """Prints steps as Python statements; knows which temporaries may be overwritten."""

    def __init__(
        self, rule: ElementwiseRule, steps: list[Step], *, in_place: bool, careful: bool = False
    ) -> None:
        self.lines: list[str] = []
        self.rule, self.in_place = rule, in_place
        self.alias: dict[str, str] = {}
        # Of the shape of the result: what may be overwritten by one of that shape.
        operands = () if rule.broadcast else (f"x{n}" for n in rule.traced)
        self.full = {"g", "y", *operands}
        # What is an array for sure: an operand that is not traced may be a number.
        self.arrays = {"g", "y", *(f"x{n}" for n in rule.traced)}
        self.fresh: set[str] = set()
        self.constants: set[str] = set()
        self.last = {source: step.target for step in steps for source in step.sources}
        # Its zeros are asked for at the end.
        self.always_kept = frozenset({"g"} if careful else ())
        quick = in_place and rule._library.cheap_zero_d and not (rule.broadcast or careful)
        self.thin = _thin(rule, steps) if quick else set()

    def step(self, step: Step, kept: frozenset[str]) -> None:
        """Print one step; what is `kept` is still needed, and not overwritten."""
        sources, kept = list(step.sources), kept | self.always_kept
        for known in (self.full, self.arrays):
            if not known.isdisjoint(sources):
                known.add(step.target)
        if step.operator not in _IN_PLACE or not self._overwrite(step, sources, kept):
            self.lines.append(f"{step.target} = {self._value(step.operator, sources)}")
        self.fresh.add(step.target)

    def _overwrite(self, step: Step, sources: list[str], kept: frozenset[str]) -> bool:
        if not self.in_place:
            return False
        orders = [sources, sources[::-1]] if step.operator in _SWAPPABLE else [sources]
        for left, right in orders:
            if left == right or left in kept or self.last.get(left) != step.target:
                continue
            if left in self.fresh and left in self.full:
                name = self.alias[step.target] = self.name(left)
                self.lines.append(f"{name} {step.operator}= {self._operand(right, left)}")
                return True
        left, right = sources
        spent = right not in kept and self.last.get(right) == step.target
        cheap = self.rule._library.cheap_zero_d and not left[0].isalpha()
        if step.operator == "-" and cheap and spent and {right} <= self.fresh & self.full:
            name, number = self.name(right), self._operand(left, right)
            self.alias[step.target] = name
            in_place = f"subtract({number}, {name}, {name})"
            otherwise = f"{number} - {name}"
            self.lines.append(f"{name} = {in_place} if type({name}) is array else {otherwise}")
            return True
        if sources[0] == "g" and "g" not in kept and self.last["g"] == step.target:
            value = self._operand(sources[1], "g")
            self.lines.append(f"if own[k]: g {step.operator}= {value}")
            self.lines.append(f"else: g = g {step.operator} {value}")
            self.alias[step.target] = "g"
            return True
        return False

    def name(self, source: str) -> str:
        """Return the variable that holds a step's result now."""
        return self.alias.get(source, source)

    def _operand(self, source: str, other: str) -> str:
        """Return how to spell an operand: a number beside an array as a 0-d array."""
        cheap = self.in_place and self.rule._library.cheap_zero_d
        if cheap and not source[0].isalpha() and other in self.arrays:
            self.constants.add(source)
            return _identifier(source)
        return self.name(source)

    def _value(self, operator: str, sources: list[str]) -> str:
        space = "raw" if self.in_place else "xp"
        if operator == "negative":
            return f"-{self.name(sources[0])}"
        if operator == "dtype":
            return f"{self.name(sources[0])}.dtype"
        if operator == "conj":
            return f"conj({space}, {self.name(sources[0])})"
        if operator == "**":
            return f"{self.name(sources[0])} ** {self.name(sources[1])}"
        if not operator.isidentifier():
            left, right = sources
            return f"{self._operand(left, right)} {operator} {self._operand(right, left)}"
        return f"{space}.{operator}({', '.join(map(self.name, sources))})"


def _identifier(literal: str) -> str:
    """Return the name of a number as a 0-d array."""
    return "constant_" + literal.replace(".", "_").replace("-", "m").replace("+", "p")


def _constants(literals: set[str]) -> tuple[list[str], list[str]]:
    """Define numbers once, beside the rule: as 0-d arrays, and as scalars for 0-d cotangents."""
    names = {literal: _identifier(literal) for literal in sorted(literals)}
    once = [f"{n}_array = constant({x}); {n}_scalar = {n}_array[()]" for x, n in names.items()]
    each = [f"{n} = {n}_array if type(g) is array else {n}_scalar" for n in names.values()]
    return once, each


def _thin(rule: ElementwiseRule, steps: list[Step]) -> set[str]:
    """Name what is a number where `g` is one, if anything is computed with it: see `_uniform`."""
    full = {"y", *(f"x{n}" for n in rule.traced)}
    thin = {"g"}
    for step in steps:
        (thin if full.isdisjoint(step.sources) else full).add(step.target)
    return thin if len(thin) > 1 else set()


def _reverse_source(rule: ElementwiseRule, *, in_place: bool, careful: bool = False) -> str:
    """Print a reverse function: what each traced operand's cotangent gets."""
    products = rule.products([variable("g")] * len(rule.traced), conjugate=True)
    steps, outputs = linearize([product for _, product in products])
    printer = _Printer(rule, steps, in_place=in_place, careful=careful)
    remaining = list(steps)
    for position, (n, (negative, _), output) in enumerate(
        zip(rule.traced, products, outputs, strict=True)
    ):
        later = outputs[position + 1 :]
        while remaining and output not in printer.fresh | {"g"} | set(rule.saved):
            printer.step(remaining.pop(0), frozenset({*outputs[:position], *later}))
        shared = output in later or output in outputs[:position]
        if negative and not shared and not remaining and in_place and not rule.broadcast:
            printer.lines += _negated(printer, output)
            negative = False
        printer.lines += _accumulate(rule, printer, n, output, negative, shared, careful)
    names = ", ".join(["_", "k", *rule.fields])
    once, each = _constants(printer.constants)
    head = "def rule(ct, own, g, r):" if in_place else "def rule(ct, own, g, r, xp):"
    reduced = [
        "shape = None",
        "if not own[k] and type(g) is array and g.base is not None: g, shape = uniform(g)",
    ]
    start = reduced if printer.thin else []
    body = [f"    {line}" for line in (f"{names} = r", *start, *each, *printer.lines)]
    return "\n".join([*once, head, *body, ""])


def _accumulate(
    rule: ElementwiseRule,
    printer: _Printer,
    n: int,
    output: str,
    negative: bool,
    shared: bool,
    careful: bool,
) -> list[str]:
    """Print how one operand's slot takes its share."""
    lines: list[str] = []
    value = printer.name(output)
    if careful and output != "g":
        kept = "raw_zeros_kept(raw" if printer.in_place else "zeros_kept(xp"
        lines.append(f"c = {kept}, g, {value})")
        value = "c"
    owned = "0" if shared else ("own[k]" if output == "g" else "1")
    if rule.broadcast:
        space = "raw" if printer.in_place else "xp"
        lines.append(f"c = unbroadcast({space}, {value}, s{n})")
        owned = "1" if owned == "1" else f"1 if c is not {value} else {owned}"
        value = "c"
    if output in printer.thin:
        lines.append(f"mine = {owned}")
        again = f"{value} = spread({value}, shape); mine = 0"
        # Times a constant operand of fewer axes, it is smaller than the result still.
        lines.append(f"if shape is not None and {value}.shape != shape: {again}")
        owned = "mine"
    plus, sign, owned = ("-", "-", "1") if negative else ("+", "", owned)
    lines.append(f"h = ct[i{n}]")
    if not printer.in_place:
        lines.append(f"ct[i{n}] = {sign}{value} if h is None else h {plus} {value}")
        return lines
    return [
        *lines,
        f"if h is None: ct[i{n}] = {sign}{value}; own[i{n}] = {owned}",
        f"elif own[i{n}]: h {plus}= {value}; ct[i{n}] = h",
        f"else: ct[i{n}] = h {plus} {value}; own[i{n}] = 1",
    ]


def _negated(printer: _Printer, output: str) -> list[str]:
    """Print how an array that nobody else reads changes its sign, in place if it is ours."""
    value = printer.name(output)
    if not printer.rule._library.cheap_zero_d:
        return [f"{value} = -{value}"]
    printer.constants.add("-1")
    in_place = f"{value} *= {_identifier('-1')}"
    if output != "g":
        return [in_place]
    return [f"if own[k]: {in_place}", f"else: {value} = -{value}; own[k] = 1"]


def _forward_source(rule: ElementwiseRule) -> str:
    """Print the forward function: the sum of each derivative times its operand's tangent."""
    lines = ["t = None"]
    for n, (_, derivative) in zip(rule.traced, rule._derivatives.items(), strict=True):
        negative, product = _scale(variable(f"d{n}"), derivative, conjugate=False)
        steps, (output,) = linearize([product])
        printer = _Printer(rule, steps, in_place=False)
        for step in steps:
            printer.step(step, frozenset())
        lines.append(f"d{n} = tangents[i{n}]")
        lines.append(f"if d{n} is not None:")
        lines += [f"    {line}" for line in printer.lines]
        sign = "-" if negative else ""
        lines.append(f"    t = {sign}{output} if t is None else t {sign or '+'} {output}")
    if rule.broadcast:
        lines.append("if t is not None and t.shape != sy: t = xp.broadcast_to(t, sy)")
    names = ", ".join(["_", "k", *rule.fields])
    body = "\n".join(f"    {line}" for line in lines)
    return f"def rule(tangents, r, xp):\n    {names} = r\n{body}\n    return t\n"
