"""The quick classes: one for each library and dtype, its common operations printed from templates.

The class carries the invariants. That `type(b) is type(a)` and `b._tape is a._tape` says at once
that both operands are of one library, dtype and level, so nothing else needs to be asked. All
that is odd goes to `TracedNamespace.call`, the general path.

A class is made when its dtype is first met; `above` is the class of arrays whose values are
themselves of this class: the next level of nesting, from the same templates.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from arraygrad._typing import DType
from arraygrad.autodiff.tape.array import TracedArray, apart
from arraygrad.autodiff.tape.elementwise import ElementwiseRule
from arraygrad.autodiff.tape.indexing import INDEXED
from arraygrad.autodiff.tape.methods import Methods
from arraygrad.autodiff.tape.numpy_protocols import Elementwise, NumpyProtocols
from arraygrad.autodiff.tape.pairs import CHOOSING, PAIRED, mixed_product
from arraygrad.autodiff.tape.record import CONSTANTS
from arraygrad.autodiff.tape.structural import STRUCTURAL
from arraygrad.rules.table import Entry, entry_of

__all__ = ["QuickClass", "make_class"]

_OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_DUNDERS = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv"}
_COMPARISONS = {
    "less": ("lt", "<"), "less_equal": ("le", "<="), "greater": ("gt", ">"),
    "greater_equal": ("ge", ">="), "equal": ("eq", "=="), "not_equal": ("ne", "!="),
}  # fmt: skip

_HELD = 1000
"""How many numbers are kept."""

_lock = threading.RLock()

QuickClass = type[TracedArray]


class _Numbers(dict[float, Any]):
    """Python numbers as 0-d arrays, which ufuncs take twice as quickly; those that were met."""

    def __init__(self, raw: Any, dtype: DType) -> None:
        super().__init__()
        self._made = functools.partial(raw.asarray, dtype=dtype)
        self.kind = type(self._made(0))

    def __missing__(self, number: float) -> Any:
        array = self._made(number)
        if number and number == number and len(self) < _HELD:  # 0.0 is -0.0 as well
            self[number] = array
        return array


class _Quick(dict[str, Callable[..., Any]]):
    """The quick functions of one class by name, each printed when first asked for."""

    def __init__(self, cls: QuickClass, space: Any, dtype: DType) -> None:
        self.cls, self.space, self.dtype = cls, space, dtype
        self.floating: bool = space.is_floating(dtype)
        self.quick = self.floating and space.quick_classes
        self.general: Callable[[str], Callable[..., Any]] = space.general
        self.complex: bool = space.is_complex(dtype)
        self.truth = bool(dtype == space.base.bool)
        self._mixed = mixed_product(cls, space, space.operate)
        self._held = _Numbers(space.raw, dtype) if space.library.cheap_zero_d else None
        super().__init__()

    def __missing__(self, name: str) -> Callable[..., Any]:
        with _lock:
            function = self.get(name)
            if function is None:
                function = self[name] = self._make(name)
            return function

    def _make(self, name: str) -> Callable[..., Any]:
        entry = entry_of(name)
        if not self.quick or entry is None:
            made = CHOOSING.get(name) if self.truth and self.space.quick_classes else None
            return made(self.cls, self.space) if made else self.general(name)
        made = STRUCTURAL.get(name) or PAIRED.get(name) or INDEXED.get(name)
        if made is not None:
            return made(self.cls, self.space)
        scalar_only = self.complex and entry.not_holomorphic is not None
        if entry.kind != "DERIVATIVES" or scalar_only or name.startswith("special."):
            return self.general(name)
        if len(entry.rules) == 1:
            return self._unary(entry)
        function = self._binary(entry)
        return self._power(function) if name == "pow" else function

    def rule(self, entry: Entry, traced: Sequence[int], broadcast: bool = False) -> ElementwiseRule:
        """Return the rule of a function in one situation."""
        return ElementwiseRule(
            entry,
            traced,
            broadcast=broadcast,
            complex=self.complex,
            xp=self.space.raw,
            library=self.space.library,
            dtype=self.dtype,
        )

    def _unary(self, entry: Entry) -> Callable[..., Any]:
        rule = self.rule(entry, [0])
        source = f"""
def function(a, /):
    t = a._tape
    x0 = a._value
    y = f(x0)
    k = t.next()
    t.append({_record("rule", rule, i0="a._index")})
    {_RESULT}
"""
        return self._define(source, entry.name, rule=rule)

    def _binary(self, entry: Entry) -> Callable[..., Any]:
        rules = {
            "both": self.rule(entry, [0, 1]) if entry.rules[1] else self.rule(entry, [0]),
            "both_": self.rule(entry, [0, 1] if entry.rules[1] else [0], broadcast=True),
            "left": self.rule(entry, [0]),
            "left_": self.rule(entry, [0], broadcast=True),
            "right": self.rule(entry, [1] if entry.rules[1] else []),
            "right_": self.rule(entry, [1] if entry.rules[1] else [], broadcast=True),
        }
        y = _expression(entry.name)
        # `pow` by a number has a rule of its own; by 0 it takes the general path.
        numbers = False if entry.name == "pow" else "type(b) is float or type(b) is int"
        left, right = _if_same_shape("x0", "left", rules), _if_same_shape("x1", "right", rules)
        twice = "if a is b: return square(a)" if entry.name == "multiply" else ""
        source = f"""
def function(a, b, /):
    {twice}
    if type(b) is C:
        t = a._tape
        s = b._tape
        x0 = a._value
        x1 = b._value
        if s is t:
            y = {y}
            k = t.next()
            if x0.shape == x1.shape: t.append({_record("both", rules["both"])})
            else: t.append({_record("both_", rules["both_"])})
        elif s is K:
            y = {y}
            k = t.next()
            {left}
        elif t is K:
            t = s
            y = {y}
            k = t.next()
            {right}
        else:
            return operate(name, a, b)
    elif {numbers}:
        t = a._tape
        x0 = a._value
        x1 = {self._number("b", "x0")}
        y = {y}
        k = t.next()
        t.append({_record("left", rules["left"])})
    elif type(b) is LOWER and b._tape.level < a._tape.level:
        t = a._tape
        x0 = a._value
        x1 = apart(b)
        y = {y}
        k = t.next()
        {_if_same_shape("x0", "left", rules, "        ")}
    else:
        return operate(name, a, b)
    {_MASKS if rules["left"].masks else ""}{_RESULT}
"""
        square = self["square"] if twice else None
        return self._define(source, entry.name, square=square, **rules)

    def reflected(self, name: str) -> Callable[..., Any]:
        """Return the method for `number <operator> array`."""
        entry = entry_of(name)
        assert entry is not None
        rule = self.rule(entry, [1])
        source = f"""
def function(b, a, /):
    if type(a) is float or type(a) is int:
        t = b._tape
        x1 = b._value
        x0 = {self._number("a", "x1")}
        y = {_expression(name)}
        k = t.next()
        t.append({_record("right", rule)})
    else:
        return operate(name, a, b)
    {_RESULT}
"""
        return self._define(source, name, right=rule)

    def _number(self, name: str, beside: str) -> str:
        """Print how a number takes part: beside an array as a 0-d one, where that is quicker."""
        return (
            name if self._held is None else f"held[{name}] if type({beside}) is array else {name}"
        )

    def comparison(self, name: str, symbol: str) -> Callable[..., Any]:
        """Return the method of a comparison: a constant of truth values."""
        source = f"""
def function(a, b, /):
    if type(b) is C: y = a._value {symbol} b._value
    elif type(b) is float or type(b) is int: y = a._value {symbol} b
    else: return operate(name, a, b)
    if nested: y = y._value
    o = B(); o._value = y; o._index = 0; o._tape = K; return o
"""
        truth = self.space.class_for(self.space.base.bool)
        return self._define(source, name, B=truth, nested=self.cls._lower is not None)

    def _power(self, general: Callable[..., Any]) -> Callable[..., Any]:
        """Return `pow` which knows Python numbers: their rule needs no logarithm."""
        entry = entry_of("power_of")
        assert entry is not None
        square = self["square"]
        rule = self.rule(entry, [0])
        source = f"""
def function(a, n, /):
    if type(n) is not int and type(n) is not float or n == 0: return general(a, n)
    if n == 2: return square(a)
    t = a._tape
    x0 = a._value
    x1 = n
    y = x0 ** n
    k = t.next()
    t.append({_record("rule", rule)})
    {_RESULT}
"""
        return self._define(source, "pow", rule=rule, square=square, general=general)

    def _define(self, source: str, name: str, **rules: Any) -> Callable[..., Any]:
        scope: dict[str, Any] = {
            "C": self.cls,
            "K": CONSTANTS,
            "LOWER": self.cls._lower,
            "apart": apart,
            "f": self.space.lower_function(name, self.cls._lower is not None),
            "name": name,
            "operate": self._mixed if name == "multiply" else self.space.operate,
            **rules,
        }
        if self._held is not None:
            scope |= {"held": self._held, "array": self._held.kind}
        exec(compile(source, f"<traced {name}>", "exec"), scope)
        function: Callable[..., Any] = scope["function"]
        function.__name__ = function.__qualname__ = name
        return function


_MASKS = "t.masked = True; "
_RESULT = "o = C(); o._value = y; o._index = k; o._tape = t; return o"


def _expression(name: str) -> str:
    return f"x0 {_OPERATORS[name]} x1" if name in _OPERATORS else "f(x0, x1)"


def _record(variable: str, rule: ElementwiseRule, **names: str) -> str:
    """Print the record that a rule wants, from the template's variables."""
    spelt = {
        "i0": "a._index", "i1": "b._index", "s0": "x0.shape", "s1": "x1.shape", "sy": "y.shape",
        **names,
    }  # fmt: skip
    fields = ", ".join([variable, "k", *(spelt.get(field, field) for field in rule.fields)])
    return f"({fields})"


def _if_same_shape(operand: str, name: str, rules: dict[str, Any], indent: str = " " * 12) -> str:
    return (
        f"if {operand}.shape == y.shape: t.append({_record(name, rules[name])})\n"
        f"{indent}else: t.append({_record(name + '_', rules[name + '_'])})"
    )


def make_class(space: Any, dtype: DType, lower: QuickClass | None = None) -> QuickClass:
    """Make the class of traced arrays of a dtype, on raw values or on values of class `lower`."""
    cls: Any = type(
        "TracedArray",
        (TracedArray, NumpyProtocols, Methods),
        {"__slots__": (), "_space": space, "_lower": lower},
    )
    cls._above = None
    functions = cls._quick = _Quick(cls, space, dtype)
    cls._elementwise = Elementwise(cls)
    cls._plain_floating = functions.quick and lower is None
    if not functions.quick:
        return cls  # type: ignore[no-any-return]
    for name, short in _DUNDERS.items():
        setattr(cls, f"__{short}__", functions[name])
        setattr(cls, f"__r{short}__", functions.reflected(name))
    for name, (short, symbol) in _COMPARISONS.items():
        setattr(cls, f"__{short}__", functions.comparison(name, symbol))
    cls.__pow__ = functions["pow"]
    cls.__neg__ = functions["negative"]
    cls.__matmul__ = functions["matmul"]
    cls.__getitem__ = functions["getitem"]
    cls.__setitem__ = _rebinding(functions["set_at"])
    return cls  # type: ignore[no-any-return]


def _rebinding(set_at: Callable[..., Any]) -> Callable[..., None]:
    """Return the method of `x[key] = value`: the name stands for the new array."""

    def __setitem__(self: TracedArray, key: Any, value: Any) -> None:  # noqa: N807
        if type(value) is list or type(value) is tuple:
            value = self._space.written(value)
        self._rebind(set_at(self, key, value))

    return __setitem__
