"""Symbols: what formulas become, and the steps that compute them."""

import math

import pytest

from arraygrad.expression import FORMULA, Step, Symbol, linearize, number, variable

X, Y = variable("x"), variable("y")


def run(steps, outputs, **values):
    """Compute a program with Python numbers."""
    scope = dict(values)
    operators = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "**": lambda a, b: a**b,
        "negative": lambda a: -a,
        "exp": math.exp,
    }

    def value(source):
        return scope[source] if source in scope else eval(source)

    for step in steps:
        scope[step.target] = operators[step.operator](*map(value, step.sources))
    return [value(output) for output in outputs]


def test_formulas_print_as_they_are_meant():
    assert repr((X + 1) * -Y) == "((x + 1) * negative(y))"
    assert repr(FORMULA.where(X > 0, X, 2.0)) == "where((x > 0), x, 2.0)"
    assert repr(FORMULA.astype(X >= Y, X.dtype)) == "astype((x >= y), dtype(x))"


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        (X + Y * 2, 7.0),
        (2 - X, 1.0),
        (1 / X**2, 1.0),
        (-(X - Y) / Y, 2 / 3),
        (FORMULA.exp(X) * FORMULA.exp(X), math.exp(2.0)),
        (X, 1.0),
        (number(4), 4),
    ],
)
def test_a_program_computes_its_formula(formula, value):
    assert run(*linearize([formula]), x=1.0, y=3.0) == [pytest.approx(value)]


def test_common_terms_are_computed_once():
    square = X * X + 1
    steps, outputs = linearize([square / Y, Y / (X * X + 1)])
    assert [step.operator for step in steps] == ["*", "+", "/", "/"]
    assert run(steps, outputs, x=1.0, y=4.0) == [0.5, 2.0]


def test_steps_name_their_sources():
    steps, outputs = linearize([X * 2.0], prefix="s")
    assert steps == [Step("s0", "*", ("x", "2.0"))]
    assert outputs == ["s0"]


def test_a_double_negative_vanishes():
    once = -X
    assert -once is X
    assert +X is X


def test_infinity_can_be_printed():
    steps, outputs = linearize([X - math.inf])
    assert run(steps, outputs, x=1.0) == [-math.inf]


def test_equality_makes_a_symbol_and_keys_compare():
    assert isinstance(X == Y, Symbol)
    assert (X + Y).key == (variable("x") + variable("y")).key
    assert (X + Y).key != (Y + X).key
    with pytest.raises(TypeError):
        hash(X)


def test_numbers_know_their_value():
    assert number(1).is_number(1)
    assert not X.is_number(1)
    assert number(X) is X
