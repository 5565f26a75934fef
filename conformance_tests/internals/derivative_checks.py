"""Derivatives by differences of fourth order, to hold gradients of NumPy functions against."""

from collections.abc import Callable
from typing import Any

import numpy as np

import arraygrad as ag

__all__ = ["check_derivatives", "flat"]

Function = Callable[[Any], Any]


def flat(y: Any) -> list[Any]:
    """Return the arrays of a result that may be nested."""
    return [part for x in y for part in flat(x)] if isinstance(y, (list, tuple)) else [y]


def slope(f: Function, x: Any, v: Any, h: float = 2e-4) -> Any:
    """Return the derivative of `f` at `x` along `v`."""
    return (8 * (f(x + h * v) - f(x - h * v)) - (f(x + 2 * h * v) - f(x - 2 * h * v))) / (12 * h)


def _real(y: Any) -> Any:
    return y.real + 0.7 * y.imag if np.iscomplexobj(y) else y


def total(f: Function) -> Function:
    """Return `f` with all its results weighed and added up."""

    def scalar(x: Any) -> Any:
        parts = [_real(y) for y in flat(f(x))]
        return sum(np.sum(p * np.cos(np.arange(p.size) + 1.0).reshape(p.shape)) for p in parts)

    return scalar


def check_derivatives(f: Function, x: Any, rtol: float = 1e-8) -> None:
    """Hold first and second derivatives of `f` at `x` against differences, values against NumPy."""
    values, _ = ag.vjp(lambda x: flat(f(x)), x)
    for ours, theirs in zip(values, flat(f(x)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15, strict=True)
    generator = np.random.default_rng(7)
    u, v = generator.standard_normal((2, *x.shape))
    scalar = total(f)
    along = lambda x: np.sum(ag.grad(scalar)(x) * u)
    np.testing.assert_allclose(along(x), slope(scalar, x, u), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(
        np.sum(ag.grad(along)(x) * v), slope(along, x, v), rtol=rtol, atol=rtol
    )
