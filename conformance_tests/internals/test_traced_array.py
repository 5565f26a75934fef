"""The traced array: operators, indexing, what it tells of itself, and what it refuses."""

import copy
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff.tape import TracedArray, traced_namespace
from arraygrad.errors import GraphBreakError, SpentTapeError
from conformance_tests.internals.traced_checks import (
    Library,
    check_derivatives,
    every_library,
    gradient,
    inside,
    integers,
)

X = np.asarray([[0.31, 0.72, -0.15, 0.58], [0.86, -0.24, 0.67, 0.43], [-0.52, 0.91, 0.36, 0.79]])

OPERATORS = {
    "+": lambda x: (x + 2) + (2.5 + x) + (x + x),
    "-": lambda x: (x - 2) - (2.5 - x) * x,
    "*": lambda x: (x * 2) * (2.5 * x) * x,
    "/": lambda x: (x / 2) + (2.5 / x) + (x / (x + 3.0)),
    "//": lambda x: (x // 0.41) * x + (2.5 // x) * x,
    "%": lambda x: x % 0.41 + 2.5 % x + x % (x + 3.0),
    "**": lambda x: abs(x) ** 2 + x**3 + 2.5**x + abs(x) ** x + x**0 + x**-1 + abs(x) ** 0.5,
    "@": lambda x: [(x @ x.T) @ (x @ x[0]), x[:, 0] @ x, x[0] @ x[1]],
    "unary": lambda x: -x + +x * abs(x),
    "divmod": lambda x: divmod(x, 0.41)[1] * divmod(2.5, x)[0],
    "comparisons": lambda x: np.where((x < 0.5) & (x >= 0.1) | ~(x != x[0]), x, x * x),
    "mT": lambda x: x[None].mT * 2.0 * x.T,
    "real": lambda x: x.real * x + x.imag,
    "complex": lambda x: ((x + 1j) * (2j * x)).real + ((x * 1j) ** 2).imag,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_has_the_right_derivatives(name: str) -> None:
    """On either side, with numbers and arrays."""
    check_derivatives(OPERATORS[name], X)


READS = {
    "element": lambda x: x[1, 2] * x[-1, -1],
    "slices": lambda x: x[::2, 1:] * x[:2, :-1],
    "new axis": lambda x: x[:, None, :] * x[None, ...],
    "ellipsis": lambda x: x[..., 0] * x[..., -1],
    "negative step": lambda x: x[::-1, ::-2] * x[:, :2],
    "mask": lambda x: x[x > 0.4] ** 2,
    "rows by mask": lambda x: x[x[:, 0] > 0.0, ...] ** 2 if x[0, 0] > 9.0 else x[1:, :] ** 2,
    "integers": lambda x: x[integers(x, [0, 2, 2]), integers(x, [1, 3, 3])] ** 2,
    "again": lambda x: x[1:, ...][0, ...][2] * x[1, 2],
}


@pytest.mark.parametrize("name", READS)
@every_library
def test_indexing_has_the_right_derivatives_on_every_library(name: str, library: Library) -> None:
    """Read twice, an element's cotangents add up."""
    check_derivatives(READS[name], X)
    got = gradient(READS[name], library.array(X))
    np.testing.assert_allclose(got, gradient(READS[name], X), rtol=1e-14, atol=1e-15)


@every_library
def test_array_tells_what_its_value_tells(library: Library) -> None:
    """Shape, dtype, device, size, length, namespace; and a repr."""
    x = library.array(X)

    def f(x: Any) -> Any:
        assert (x.shape, x.ndim, x.size, len(x)) == ((3, 4), 2, 12, 3)
        assert x.dtype == library.xp.float64
        assert x.device == library.device
        assert x.__array_namespace__() is traced_namespace(x.__array_namespace__())
        assert x.__array_namespace__(api_version="2024.12") is x.__array_namespace__()
        assert repr(x).startswith("TracedArray(")
        assert isinstance(x, TracedArray)
        return x

    ag.vjp(f, x)


def test_array_is_printed_on_any_level_as_its_value() -> None:
    """In a format of its own, too: a loss in a progress report."""
    inner = lambda x: inside(lambda y: f"{y[0, 0] * x[0, 0]:.4f}", X)
    assert inside(inner, X) == f"{X[0, 0] ** 2:.4f}"
    assert inside(lambda x: f"{x}" == repr(x), X)


def test_iteration_gives_rows_with_their_gradients() -> None:
    """And zero-dimensional arrays have none."""
    check_derivatives(lambda x: [row * row for row in x], X)
    for use in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            inside(lambda x, use=use: use(x[0, 0]), X)


@every_library
def test_truth_is_control_flow(library: Library) -> None:
    """`if x > 0` may be asked; the branch taken is differentiated."""

    def f(x: Any) -> Any:
        return x * 2.0 if x[0, 0] > 0.0 and bool(x[0, 1]) else x * 3.0

    weights = np.cos(np.arange(12) + 1.0).reshape(3, 4)
    np.testing.assert_allclose(gradient(f, library.array(X)), 2 * weights, rtol=1e-15)
    np.testing.assert_allclose(gradient(f, library.array(-X)), 3 * weights, rtol=1e-15)


@pytest.mark.parametrize(
    "read",
    [float, int, complex, operator.index, np.asarray, lambda x: x.item(), lambda x: x.tolist()],
    ids=["float", "int", "complex", "index", "asarray", "item", "tolist"],
)
@every_library
def test_reading_a_live_array_raises_and_says_what_to_do(read: Any, library: Library) -> None:
    """The value of `stop_gradient(x)` is what can be read."""
    x = library.array(X)
    with pytest.raises(GraphBreakError, match="stop_gradient"):
        inside(lambda x: read(x[0, 0]), x)


def test_dlpack_of_a_live_array_raises() -> None:
    """Another library would not know of the gradient."""
    with pytest.raises(GraphBreakError, match="stop_gradient"):
        inside(np.from_dlpack, X)


@every_library
def test_constants_can_be_read(library: Library) -> None:
    """`float(stop_gradient(x))`, an integer constant as an index."""
    x = library.array(X)

    def f(x: Any) -> Any:
        xp = x.__array_namespace__()
        factor = float(ag.stop_gradient(x[0, 0]))
        column = [0, 1, 2][xp.asarray(2, device=x.device)]
        assert complex(xp.asarray(2.0, device=x.device)) == 2
        assert int(xp.argmax(x[0, :])) == 1
        return x[:, column] * factor

    expected = np.zeros((3, 4))
    expected[:, 2] = 0.31 * np.cos([1.0, 2.0, 3.0])
    np.testing.assert_allclose(gradient(f, x), expected, rtol=1e-15)


def test_array_cannot_be_pickled_but_copied() -> None:
    """A copy has the same gradient, and is another name."""
    for refuse in (pickle.dumps, lambda x: pickle.dumps([x])):
        with pytest.raises(GraphBreakError, match="pickled"):
            inside(refuse, X)

    for duplicate in (lambda x: x.copy(), copy.copy, copy.deepcopy):

        def f(x: Any, duplicate: Any = duplicate) -> Any:
            y = duplicate(x * x)
            z = duplicate(y)
            z[0, 0] = 7.0
            return y * 2.0 + z

        check_derivatives(f, X)


def test_copy_does_not_share_memory_with_the_callers_array() -> None:
    """What is returned may be written to."""
    y, _ = ag.vjp(lambda x: x.copy(), X)
    assert not np.shares_memory(y, X)
    for duplicate in (lambda m: m.copy(), lambda m: m.__array_namespace__().asarray(m, copy=True)):
        mask = inside(lambda x, duplicate=duplicate: np.asarray(duplicate(x > 0)), X)
        np.testing.assert_array_equal(mask, X > 0)


def test_array_cannot_be_hashed() -> None:
    """`==` is elementwise."""
    with pytest.raises(TypeError, match="unhashable"):
        inside(hash, X)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + 1.0,
        lambda x: x * x,
        lambda x: -x,
        lambda x: x[0],
        lambda x: x.sum(),
        lambda x: np.sin(x),
        lambda x: x @ x.T,
        lambda x: np.concatenate([x, x]),
        lambda x: x.__setitem__(0, 1.0),
        lambda x: float(x[0, 0]),
        np.asarray,
    ],
)
def test_escaped_array_raises_when_used(use: Any) -> None:
    """After its function has returned, it stands for nothing."""
    escaped = inside(lambda x: x * 2.0, X)
    with pytest.raises(SpentTapeError):
        use(escaped)
