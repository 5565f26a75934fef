"""What the tests of traced arrays share: libraries, gradients, and differences to check them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_strict
import numpy as np
import pytest

import arraygrad as ag

__all__ = [
    "Library",
    "check_derivatives",
    "every_library",
    "flat",
    "gradient",
    "inside",
    "integers",
    "to_numpy",
]

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


CPU = array_api_strict.Device("CPU_DEVICE")


class Library(NamedTuple):
    """A namespace, and the device its arrays lie on."""

    xp: Any
    device: Any

    def array(self, values: Any) -> Any:
        """Return an array of this library."""
        return self.xp.asarray(values, device=self.device)


every_library = pytest.mark.parametrize(
    "library",
    [
        Library(np, "cpu"),
        Library(array_api_strict, CPU),
        Library(array_api_strict, array_api_strict.Device("device1")),
    ],
    ids=["numpy", "strict", "device1"],
)


def to_numpy(x: Any) -> Any:
    """Return the values of an array on any device."""
    return x if isinstance(x, np.ndarray) else np.asarray(x.to_device(CPU))


def weighed(x: Any) -> Any:
    """Return a sum that tells all elements apart, in the namespace of `x`."""
    xp = x.__array_namespace__()
    weights = xp.cos(xp.arange(x.size, dtype=xp.float64, device=x.device) + 1.0)
    return xp.sum(xp.reshape(x, (-1,)) * weights)


def gradient(f: Function, x: Any) -> Any:
    """Return the gradient of the weighed sum of `f`, as an array of NumPy."""
    return to_numpy(ag.grad(lambda x: weighed(f(x)))(x))


def inside(f: Function, x: Any) -> Any:
    """Return what `f` gives for a live traced array."""
    found = []
    ag.grad(lambda x: (found.append(f(x)), x.real.sum())[1])(x)
    return found[0]


def integers(x: Any, values: Any) -> Any:
    """Return indices beside `x`."""
    xp = x.__array_namespace__()
    return xp.asarray(values, dtype=xp.int64, device=x.device)
