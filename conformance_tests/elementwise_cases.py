"""Calls of the elementwise functions, inside their domains, with every kind of broadcasting."""

import numpy as np

from conformance_tests.case_values import Case, bools, case, complexes, integers, reals

__all__ = ["ELEMENTWISE", "SHAPE_PAIRS"]

SHAPES = [(3, 4), (), (0, 2)]
SHAPE_PAIRS = [
    ((3, 4), (3, 4)),
    ((3, 1), (4,)),
    ((2, 1, 3), (4, 1)),
    ((), (3,)),
    ((2, 3), ()),
    ((), ()),
    ((0, 3), (1,)),
]

ANYWHERE = (-1.9, 2.1)
UNARY_ANYWHERE = """
    abs asinh atan ceil conj cos cosh exp expm1 floor imag isfinite isinf isnan negative positive
    real round sign signbit sin sinh square tanh trunc
"""
BINARY_ANYWHERE = """
    add copysign equal greater greater_equal less less_equal logaddexp maximum minimum multiply
    nextafter not_equal subtract
"""
UNARY = {
    **dict.fromkeys(UNARY_ANYWHERE.split(), ANYWHERE),
    **dict.fromkeys(["acos", "asin", "atanh"], (-0.9, 0.9)),
    **dict.fromkeys(["log", "log10", "log2", "sqrt", "reciprocal"], (0.2, 3.0)),
    "acosh": (1.2, 3.0),
    "log1p": (-0.8, 3.0),
    "tan": (-1.3, 1.3),
}
"""Names of one operand, with the bounds between which they are smooth and finite."""
REAL_ONLY = ("ceil", "floor", "signbit", "trunc")

BINARY = {
    **dict.fromkeys(BINARY_ANYWHERE.split(), (ANYWHERE, ANYWHERE)),
    **dict.fromkeys(["maximum", "minimum"], (ANYWHERE, (-1.7, 1.9))),  # no ties
    "atan2": (ANYWHERE, (0.3, 2.0)),
    "divide": (ANYWHERE, (0.5, 2.0)),
    "floor_divide": (ANYWHERE, (0.5, 2.0)),
    "hypot": ((0.3, 2.0), ANYWHERE),
    "pow": ((0.3, 2.0), (-2.0, 3.0)),
    "remainder": ((0.05, 0.95), (1.0, 2.0)),
}
"""Names of two operands, with the bounds of each."""
BINARY_COMPLEX = ("add", "divide", "equal", "multiply", "not_equal", "pow", "subtract")
INTEGER_PAIRS = (
    "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
)  # fmt: skip
LOGICAL_PAIRS = ("logical_and", "logical_or", "logical_xor")

# Inside these bounds of both parts, a complex function meets no branch cut.
COMPLEX_BOUNDS = {"low": 0.2, "high": 0.8}


def _unary(name: str) -> list[Case]:
    low, high = UNARY[name]
    real = [case(reals(*shape, low=low, high=high)) for shape in SHAPES]
    if name in REAL_ONLY:
        return real
    if name == "imag":
        real = []
    return [*real, *(case(complexes(*shape, **COMPLEX_BOUNDS)) for shape in SHAPES)]


def _binary(name: str) -> list[Case]:
    (low1, high1), (low2, high2) = BINARY[name]
    cases = [
        case(reals(*one, low=low1, high=high1, seed=1), reals(*two, low=low2, high=high2, seed=2))
        for one, two in SHAPE_PAIRS
    ]
    if name in BINARY_COMPLEX:
        z = complexes(3, 1, seed=3, **COMPLEX_BOUNDS)
        w = complexes(4, seed=4, **COMPLEX_BOUNDS)
        cases += [case(z, w), case(w, z), case(z, w.real), case(z.real, w)]
    return cases


SPECIAL = {
    "bitwise_invert": [case(integers(3, 4)), case(bools(3))],
    "clip": [
        case(reals(3, 4)),
        case(reals(3, 4), -0.51, 0.52),
        case(reals(3, 4), min=-0.51),
        case(reals(3, 4), max=0.52),
        case(reals(3, 4), reals(4, low=-1, high=-0.3), reals(3, 1, low=0.3, high=1)),
        case(reals(3, 4), min=reals(4, low=-1, high=-0.3)),
        case(reals(), -0.5, 0.5),
        case(reals(0, 2), 0.0, 1.0),
    ],
    "logical_not": [case(bools(3, 4))],
}
# Points where a derivative is often wrong, though it exists.
DELICATE = {
    "expm1": [case(np.asarray([1e-12, -1e-12]))],
    "log1p": [case(np.asarray([1e-12, -1e-12]))],
    "logaddexp": [case(np.asarray([800.0, -800.0]), np.asarray([0.0, 1.0]))],
    "multiply": [case(np.zeros(3), np.zeros(3))],
    "pow": [case(np.asarray([0.0, -1.0, 2.0]), 2.0), case(reals(3), 3), case(2.0, reals(3))],
    "square": [case(np.zeros(2))],
    "tanh": [case(np.asarray([20.0, -20.0, 400.0]))],
}

ELEMENTWISE = {
    **{name: _unary(name) + DELICATE.get(name, []) for name in UNARY},
    **{name: _binary(name) + DELICATE.get(name, []) for name in BINARY},
    **{name: [case(integers(3, 4), integers(4, seed=1))] for name in INTEGER_PAIRS},
    **{name: [case(bools(3, 4), bools(4, seed=1))] for name in LOGICAL_PAIRS},
    **SPECIAL,
}
