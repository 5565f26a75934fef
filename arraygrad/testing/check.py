"""Derivatives held against finite differences, and the modes against each other."""

import random
from collections.abc import Callable
from typing import Any

from arraygrad._namespace import array_namespace, is_array
from arraygrad._typing import Array, Autodiff, Namespace, Tree
from arraygrad.autodiff import autodiff_named
from arraygrad.errors import DtypeError, ShapeError, SpentTapeError
from arraygrad.libraries import library_of
from arraygrad.testing.differences import Differences, Flat, FlatCall

__all__ = ["check_autodiff", "check_gradients"]


def check_gradients(
    f: Callable[..., Tree],
    *args: Tree,
    order: int = 2,
    tolerance: float = 1e-7,
    autodiff: str | None = None,
    seed: int = 0,
) -> None:
    """Hold the derivatives of a function against finite differences.

    Parameters
    ----------
    f : callable
        A function of `args` that returns a tree of floating arrays, smooth near `args`.
    *args : trees of arrays
        Where to evaluate. Floating arrays are differentiated: they must be float64 or
        complex128, and numbers of ordinary size. All other leaves are constants.
    order : int, default 2
        How many derivatives to check: 2 checks the gradient of the gradient too.
    tolerance : float, default 1e-7
        The largest error allowed, relative to the sizes of value and derivative.
    autodiff : {"tape", "torch", "jax"}, optional
        Who differentiates; by default who does for the arrays' library.
    seed : int, default 0
        Chooses the directions.

    Raises
    ------
    AssertionError
        If reverse mode, forward mode and differences do not agree, or if a gradient has another
        shape or dtype than its array.
    DtypeError
        If a floating array is not in double precision, or there is none.

    Notes
    -----
    With a random direction t and a random cotangent g, reverse mode, forward mode and central
    differences of fourth order must give the same number::

        Re⟨Jᴴ g, t⟩ = Re⟨g, J t⟩ = Re⟨g, (8 d(h) - d(2h)) / 12h⟩,  d(h) = f(x + ht) - f(x - ht)

    For the next order the same is asked of the map x ↦ Jᴴ g.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.testing import check_gradients
    >>> check_gradients(lambda x: np.sum(np.sin(x)), np.asarray([1.0, 2.0]))
    """
    call = FlatCall(f, args)
    if not call.variables:
        message = "there is nothing to differentiate: `args` hold no floating array"
        raise DtypeError(message)
    for x in call.variables:
        _require_double(call.xp, x)
    speaker = autodiff_named(autodiff or library_of(call.xp).autodiff)
    check = _Check(speaker, call.xp, call.constants, tolerance, random.Random(seed))
    check(call.flat, call.variables, order)


def _require_double(xp: Namespace, x: Array) -> None:
    double = [getattr(xp, name, None) for name in ("float64", "complex128")]  # some have one only
    if not any(dtype is not None and x.dtype == dtype for dtype in double):
        message = f"differences need float64 or complex128, got an array of {x.dtype}"
        raise DtypeError(message)


class _Check(Differences):
    """The comparison of modes and differences, for one autodiff and one choice of directions."""

    def __init__(
        self,
        autodiff: Autodiff,
        xp: Namespace,
        constants: list[Array],
        tolerance: float,
        numbers: random.Random,
    ) -> None:
        super().__init__(xp, constants, numbers)
        self.autodiff, self.tolerance = autodiff, tolerance

    def __call__(self, f: Flat, x: list[Array], order: int) -> None:
        """Check `order` derivatives of a function between flat lists."""
        t = self.like(x)
        pushed, rates, _ = self.autodiff.jvp(f, x, t, self.constants)
        outputs, pullback, _ = self.autodiff.vjp(f, x, self.constants)
        g = self.like(outputs)
        gradients = pullback(g)
        self._same_kind(rates, outputs, "tangent")
        self._same_kind(gradients, x, "gradient")
        size = self.size(g, rates) + self.size(gradients, t) + self.size(g, outputs)
        forward = self.inner(g, rates)
        self._agree("reverse and forward mode", self.inner(gradients, t), forward, size)
        difference = self.inner(g, self.difference(f, x, t))
        self._agree("forward mode and differences", forward, difference, size)
        self._agree("the two values", self.inner(g, pushed), self.inner(g, outputs), size)
        if order > 1:
            self(self._gradient(f, g), x, order - 1)

    def _gradient(self, f: Flat, g: list[Array]) -> Flat:
        """Return the map from the arrays to the cotangents pulled back to them."""

        def gradient(x: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
            return self.autodiff.vjp(f, x, constants)[1](g), []

        return gradient

    def _agree(self, what: str, one: float, other: float, size: float) -> None:
        if not abs(one - other) <= self.tolerance * max(size, 1e-9):  # 0 and 1e-20 agree
            message = f"{what} disagree: {one!r} and {other!r}, among terms of size {size:.3g}"
            raise AssertionError(message)

    @staticmethod
    def _same_kind(found: list[Array], expected: list[Array], what: str) -> None:
        for n, (x, y) in enumerate(zip(found, expected, strict=True)):
            if (tuple(x.shape), x.dtype) != (tuple(y.shape), y.dtype):
                message = (
                    f"{what} {n} has shape {tuple(x.shape)} and dtype {x.dtype}, "
                    f"its array {tuple(y.shape)} and {y.dtype}"
                )
                raise AssertionError(message)


def check_autodiff(autodiff: Autodiff, x: Array) -> None:
    """Hold an autodiff of your own against the protocol.

    Parameters
    ----------
    autodiff : module or str
        What speaks the protocol of `arraygrad.autodiff`: `vjp`, `jvp` and `stop_gradient`; or
        its registered name.
    x : array, shape (n,), float64
        Any numbers between 1/2 and 2, of the library that it differentiates; n at least 2.

    Raises
    ------
    AssertionError
        If it does not keep to the protocol; the message says where.
    DtypeError, ShapeError
        If `x` is not what is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.testing import check_autodiff
    >>> check_autodiff("tape", np.asarray([0.5, 1.0, 2.0]))
    """
    speaker = autodiff_named(autodiff) if isinstance(autodiff, str) else autodiff
    if not is_array(x):
        message = f"`x` must be an array of float64, got {type(x).__name__}"
        raise DtypeError(message)
    if len(x.shape) != 1 or x.shape[0] < 2:
        message = f"`x` must have shape (n,), n at least 2, got {tuple(x.shape)}"
        raise ShapeError(message)
    xp = array_namespace(x)
    _require_double(xp, x)
    check = _Check(speaker, xp, [xp.ones_like(x)], 1e-7, random.Random(0))
    for f in (_smooth, _several_outputs, _partly_constant):
        check(f, [x, x * x], 2)
    _check_zeros(speaker, x)
    _check_repeated(speaker, x)
    _check_once(speaker, x)
    _check_aux(speaker, x)
    _check_stop_gradient(speaker, x)


def _smooth(leaves: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
    x, y = leaves
    xp = array_namespace(x)
    return [xp.sum(xp.sin(x * y) + constants[0] / x)], []


def _several_outputs(leaves: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
    x, y = leaves
    xp = array_namespace(x)
    return [x * y, xp.exp(-x), x[0] * xp.sum(y), y], []


def _partly_constant(leaves: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
    x, y = leaves
    return [constants[0] * 2.0, x * x, x / y], []


def _require(holds: Any, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _are_equal(a: Array, b: Array) -> bool:
    return bool(array_namespace(a).all(a == b))


def _check_zeros(autodiff: Autodiff, x: Array) -> None:
    """Require zeros for an input that the output does not depend on, in either mode."""
    xp = array_namespace(x)
    _, pullback, _ = autodiff.vjp(lambda leaves, _: ([leaves[0] * 2.0], []), [x, x], [])
    used, unused = pullback([xp.ones_like(x)])
    _require(_are_equal(used, 2.0 + 0 * x), "the pullback of 2 x is not 2 g")
    _require(_are_equal(unused, 0 * x), "an input without influence must get zeros")
    _, (rate,), _ = autodiff.jvp(lambda _, constants: (constants, []), [x], [x], [x])
    _require(_are_equal(rate, 0 * x), "an output without influence must have a tangent of zeros")


def _check_repeated(autodiff: Autodiff, x: Array) -> None:
    """Require that a pullback can be called again, unless it was made for a single call."""
    xp = array_namespace(x)
    _, pullback, _ = autodiff.vjp(lambda leaves, _: ([leaves[0] ** 3], []), [x], [])
    first, again = (pullback([xp.ones_like(x)])[0] for _ in range(2))
    _require(_are_equal(first, again), "a pullback gives something else the second time")


def _check_once(autodiff: Autodiff, x: Array) -> None:
    """Require that a pullback made for a single call refuses a second."""
    xp = array_namespace(x)
    _, pullback, _ = autodiff.vjp(lambda leaves, _: ([leaves[0] ** 3], []), [x], [], once=True)
    pullback([xp.ones_like(x)])
    try:
        pullback([xp.ones_like(x)])
    except SpentTapeError:
        return
    message = "with once=True, a second call of the pullback must raise SpentTapeError"
    raise AssertionError(message)


def _check_aux(autodiff: Autodiff, x: Array) -> None:
    """Require that aux comes back as plain values, whatever it holds."""
    *_, aux = autodiff.vjp(lambda leaves, _: (leaves, [leaves[0] * 2.0, "label"]), [x], [])
    _require(type(aux[0]) is type(x) and _are_equal(aux[0], x * 2.0), "aux lost an array")
    _require(aux[1] == "label", "aux lost what is no array")


def _check_stop_gradient(autodiff: Autodiff, x: Array) -> None:
    """Require that stop_gradient keeps values and cuts gradients."""
    xp = array_namespace(x)

    def f(leaves: list[Any], constants: list[Any]) -> tuple[list[Any], list[Any]]:
        return [leaves[0] * autodiff.stop_gradient(leaves[0])], []

    (y,), pullback, _ = autodiff.vjp(f, [x], [])
    _require(_are_equal(y, x * x), "stop_gradient changes values")
    _require(_are_equal(pullback([xp.ones_like(x)])[0], x), "stop_gradient lets a gradient pass")
