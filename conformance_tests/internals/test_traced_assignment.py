"""Assignment to traced arrays: `x[key] = value`, `x += y`, without writing anywhere."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import GraphBreakError
from conformance_tests.internals.traced_checks import (
    Library,
    check_derivatives,
    every_library,
    gradient,
    integers,
    to_numpy,
)

X = np.asarray([[0.31, 0.72, -0.15, 0.58], [0.86, -0.24, 0.67, 0.43], [-0.52, 0.91, 0.36, 0.79]])


def assigned(key: Any, value: Any) -> Callable[[Any], Any]:
    """Return the function that assigns to a copy of its argument, and squares the result.

    `key` and `value` may be functions of the argument.
    """

    def f(x: Any) -> Any:
        y = x * 1.0
        k = key(x) if callable(key) else key
        y[k] = value(x) if callable(value) else value
        return y * y

    return f


ASSIGNMENTS = {
    "element": assigned((1, 2), lambda x: x[0, 0] * 3.0),
    "number": assigned((0, 1), 0.7),
    "row": assigned((1, ...), lambda x: x[0, :] * x[1, :]),
    "slice": assigned((slice(None), slice(None, None, 2)), lambda x: x[:, 1:3] * 2.0),
    "broadcast": assigned((slice(0, 2), ...), lambda x: x[2, :] * x[0, :]),
    "everything": assigned(..., lambda x: x * x),
    "mask and number": assigned(lambda x: x > 0.5, 0.2),
    "mask and 0-d array": assigned(lambda x: x > 0.5, lambda x: x[0, 0] * x[1, 1]),
    "mask and array": assigned(lambda x: x > 0.5, lambda x: (x * x)[x > 0.5]),
    "mask of rows": assigned(lambda x: x[:, 0] < 0.5, lambda x: x[0, :] * 2.0),
    "no element": assigned(lambda x: x > 9.0, 5.0),
}


def augmented(x: Any) -> Any:
    """Add to a part in place: a read, a sum, an assignment."""
    y = x * 1.0
    y[1:, :2] += x[:2, 2:] * x[1:, :2]
    y[0, 0] *= x[2, 3]
    return y


ASSIGNMENTS["augmented"] = augmented

INTEGERS = {
    "pairs": lambda x: (integers(x, [0, 2]), integers(x, [1, 3])),
    "reversed": lambda x: (integers(x, [2, 0]), integers(x, [3, 0])),
}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_assignment_has_the_right_derivatives(name: str) -> None:
    """`x[key] = value` at first and second order."""
    check_derivatives(ASSIGNMENTS[name], X)


@pytest.mark.parametrize("name", ASSIGNMENTS)
@every_library
def test_assignment_agrees_between_libraries(name: str, library: Library) -> None:
    """The same gradient on every library and device."""
    f = ASSIGNMENTS[name]
    got = gradient(f, library.array(X))
    np.testing.assert_allclose(got, gradient(f, X), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", INTEGERS)
@every_library
def test_assignment_at_integer_arrays(name: str, library: Library) -> None:
    """Composed where the library refuses it."""

    def f(x: Any) -> Any:
        y = x * 1.0
        y[INTEGERS[name](x)] = x[:2, 0] * x[0, :2]
        return y * y

    check_derivatives(f, X)
    np.testing.assert_allclose(gradient(f, library.array(X)), gradient(f, X), rtol=1e-14)


@every_library
def test_last_of_several_values_written_to_one_place_has_the_gradient(library: Library) -> None:
    """Integer arrays may name a place twice."""

    def f(x: Any) -> Any:
        y = x * 1.0
        y[integers(x, [0, 2, 0, 0]), integers(x, [1, 3, 1, 2])] = x[1, :] * x[1, :]
        return y * y

    check_derivatives(f, X)
    np.testing.assert_allclose(gradient(f, library.array(X)), gradient(f, X), rtol=1e-14)


@every_library
def test_assignment_to_the_argument_itself_leaves_the_callers_array_alone(library: Library) -> None:
    """A name is made to stand for another array; nothing of the caller's is written."""
    x = library.array(X)

    def f(x: Any) -> Any:
        x[0, ...] = 2.0
        x *= x
        x += 1.0
        return x

    expected = 2 * X * np.cos(np.arange(12) + 1.0).reshape(3, 4)
    expected[0] = 0
    np.testing.assert_allclose(gradient(f, x), expected, rtol=1e-14)
    np.testing.assert_array_equal(to_numpy(x), X)


def test_other_names_of_an_array_keep_its_values() -> None:
    """Writing through a view of another array is not emulated."""

    def f(x: Any) -> Any:
        y, row = x * 1.0, x[0]
        z = y
        z[0, 0] = 0.0  # `z` is `y`
        row[1] = 0.0  # a view of `x` elsewhere
        return np.stack([x, y])

    y, _ = ag.vjp(f, X)
    np.testing.assert_array_equal(y[0], X)
    assert y[1, 0, 0] == 0.0


@every_library
def test_constant_becomes_live_when_a_live_value_is_assigned(library: Library) -> None:
    """`zeros`, filled element by element; and added to."""

    def f(x: Any) -> Any:
        xp = x.__array_namespace__()
        z = xp.zeros(3, dtype=xp.float64, device=x.device)
        for n in range(3):
            z[n] = x[n, 0] * x[n, 1]
        z += x[:, 2]
        return z * z

    check_derivatives(f, X)
    np.testing.assert_allclose(gradient(f, library.array(X)), gradient(f, X), rtol=1e-14)


def test_live_value_into_an_integer_array_raises() -> None:
    """Rounding it would lose its gradient."""

    def f(x: Any) -> Any:
        z = np.zeros_like(x, dtype=np.int64)
        z[0, 0] = x[0, 0]
        return x * z

    with pytest.raises(GraphBreakError, match="int64"):
        ag.vjp(f, X)


IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
    "@=": lambda x, y: operator.imatmul(x, y[:, None, 0] * y[None, :, 1]),
}


@pytest.mark.parametrize("sign", IN_PLACE)
@every_library
def test_in_place_operator_has_the_right_derivatives(sign: str, library: Library) -> None:
    """It rebinds: the array itself is another one from then on."""

    def f(x: Any) -> Any:
        y = x[:, :3] * x[:, 1:]
        z = y
        z = IN_PLACE[sign](z, x[:, :3] * x[:, :3])
        assert z is y
        return y * y

    positive = np.abs(X)
    check_derivatives(f, positive)
    got = gradient(f, library.array(positive))
    np.testing.assert_allclose(got, gradient(f, positive), rtol=1e-13)


@every_library
def test_in_place_operator_cannot_change_shape_or_dtype(library: Library) -> None:
    """As for every array; the operand is unchanged afterwards."""
    x = library.array(X)

    def enlarge(x: Any) -> Any:
        y = x[0, :] * 1.0
        with pytest.raises(ValueError, match="cannot change the shape"):
            y += x
        return y

    def widen(x: Any) -> Any:
        y = x * 1.0
        with pytest.raises(TypeError, match="cannot change the dtype"):
            y *= 1j
        return y

    assert ag.vjp(enlarge, x)[0].shape == (4,)
    assert ag.vjp(widen, x)[0].dtype == x.dtype


def test_lists_with_traced_entries_are_written_as_arrays():
    def f(x):
        y = np.zeros((2, 3)) * x
        y[0] = [x[0], 2 * x[1], 0.0]
        y[1, :2] = (1.0, x[2])
        return np.sum(y**2)

    np.testing.assert_allclose(ag.grad(f)(np.asarray([0.5, -0.3, 0.8])), [1.0, -2.4, 1.6])
