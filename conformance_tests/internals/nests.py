"""Random formulas with operators nested in them, and two who evaluate them: arraygrad and jax.

A formula is a nested tuple that starts with the name of its kind. Its value is a vector of three
numbers, for any vectors in its scope; an operator brings a variable of its own into the scope of
its body, which may use the outer ones too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from array_api_compat import array_namespace
from hypothesis import strategies as st

import arraygrad as ag

__all__ = ["JAX", "OURS", "Operators", "formulas", "function"]

Function = Callable[[Any], Any]

CONSTANT = (0.7, -1.3, 0.4)
MATRIX = ((0.3, -0.8, 0.5), (0.9, 0.2, -0.4), (-0.6, 0.7, 0.1))
ROWS = (2, 0, 2)

UNARY = {
    "sin": lambda xp, a: xp.sin(a),
    "tanh": lambda xp, a: xp.tanh(a),
    "exp": lambda xp, a: xp.exp(xp.sin(a)),
    "square": lambda xp, a: a**2 / 4.0,
    "power": lambda xp, a: (1.5 + xp.cos(a)) ** 1.7,
    "sqrt": lambda xp, a: xp.sqrt(1.0 + a * a),
    "abs": lambda xp, a: xp.abs(a - 0.137),
    "sum": lambda xp, a: xp.sum(a, axis=0, keepdims=True) * a / 3.0,
    "mean": lambda xp, a: a - xp.mean(a),
    "max": lambda xp, a: a - xp.max(a),
    "cumulate": lambda xp, a: xp.cumulative_sum(a) / 3.0,
    "reverse": lambda xp, a: a[::-1],
    "element": lambda xp, a: a[1] * a,
    "take": lambda xp, a: xp.take(a, xp.asarray(ROWS), axis=0),
    "mask": lambda xp, a: xp.where(a > 0.211, a, 0.1 * a * a),
    "product": lambda xp, a: xp.asarray(MATRIX) @ a,
    "outer": lambda xp, a: (a[:, None] @ a[None, :]) @ xp.asarray(CONSTANT),
}
BINARY = {
    "add": lambda xp, a, b: a + b,
    "subtract": lambda xp, a, b: a - 0.5 * b,
    "multiply": lambda xp, a, b: a * b,
    "divide": lambda xp, a, b: a / (1.0 + b * b),
    "atan2": lambda xp, a, b: xp.atan2(a, 1.5 + xp.sin(b)),
    "where": lambda xp, a, b: xp.where(a > 0.173, b, a),
    "concat": lambda xp, a, b: xp.concat([a[1:], b[:1]]),
    "inner": lambda xp, a, b: xp.sum(a * b) * xp.asarray(CONSTANT),
    "outer": lambda xp, a, b: (a[:, None] * b[None, :] + xp.asarray(MATRIX)) @ b,
}
OPERATORS = {
    "gradient": lambda o, f, x, v: o.grad(lambda z: total(f(z)))(x),
    "pushed": lambda o, f, x, v: o.pushed(f, x, v),
    "pulled": lambda o, f, x, v: o.pulled(f, x, v),
    "forward jacobian": lambda o, f, x, v: o.forward(f)(x) @ v,
    "reverse jacobian": lambda o, f, x, v: v @ o.reverse(f)(x),
    "checkpoint": lambda o, f, x, v: o.checkpoint(f)(x) * v,
    "stop": lambda o, f, x, v: o.stop(f(x)) * v,
}


@dataclass(frozen=True)
class Operators:
    """How one library spells the operators."""

    grad: Callable[[Function], Function]
    pushed: Callable[[Function, Any, Any], Any]
    pulled: Callable[[Function, Any, Any], Any]
    forward: Callable[[Function], Function]
    reverse: Callable[[Function], Function]
    checkpoint: Callable[[Function], Function]
    stop: Function


OURS = Operators(
    grad=ag.grad,
    pushed=lambda f, x, t: ag.jvp(f, (x,), (t,))[1],
    pulled=lambda f, x, g: ag.vjp(f, x)[1](g)[0],
    forward=lambda f: ag.jac(f, mode="forward"),
    reverse=lambda f: ag.jac(f, mode="reverse"),
    checkpoint=ag.checkpoint,
    stop=ag.stop_gradient,
)
JAX = Operators(
    grad=jax.grad,
    pushed=lambda f, x, t: jax.jvp(f, (x,), (t,))[1],
    pulled=lambda f, x, g: jax.vjp(f, x)[1](g)[0],
    forward=jax.jacfwd,
    reverse=jax.jacrev,
    checkpoint=jax.checkpoint,
    stop=jax.lax.stop_gradient,
)


def total(x: Any) -> Any:
    """Return the sum, in the namespace of the array."""
    return array_namespace(x).sum(x)


def evaluate(formula: Any, scope: tuple[Any, ...], operators: Operators) -> Any:
    """Return the value of a formula."""
    kind, *rest = formula
    if kind == "variable":
        return scope[rest[0] % len(scope)]
    if kind == "constant":
        return array_namespace(scope[0]).asarray(CONSTANT)
    if kind in ("unary", "binary"):
        name, *parts = rest
        values = [evaluate(part, scope, operators) for part in parts]
        table: Any = UNARY if kind == "unary" else BINARY
        return table[name](array_namespace(scope[0]), *values)
    body, *parts = rest
    point, direction = (evaluate(part, scope, operators) for part in parts)
    f = lambda z: evaluate(body, (z, *scope), operators)
    # At a constant point an operator gives a raw array, which not every library's traced ones take.
    return array_namespace(scope[0]).asarray(OPERATORS[kind](operators, f, point, direction))


def function(formula: Any, operators: Operators) -> Function:
    """Return a formula as a function of one vector."""
    return lambda x: evaluate(formula, (x,), operators)


def _larger(smaller: Any) -> Any:
    operator = st.sampled_from(sorted(OPERATORS))
    return st.one_of(
        st.tuples(st.just("unary"), st.sampled_from(sorted(UNARY)), smaller),
        st.tuples(st.just("binary"), st.sampled_from(sorted(BINARY)), smaller, smaller),
        st.tuples(operator, smaller, smaller, smaller),
    )


def formulas(leaves: int) -> Any:
    """Draw formulas of at most so many variables and constants, under one operator at least."""
    variable = st.tuples(st.just("variable"), st.integers(0, 3))
    whole = st.recursive(variable | variable | st.just(("constant",)), _larger, max_leaves=leaves)
    operator = st.sampled_from(sorted(OPERATORS))
    return st.tuples(operator, _larger(whole), whole, whole)
