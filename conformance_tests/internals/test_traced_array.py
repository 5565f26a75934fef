"""The traced array: operators, indexing, assignment, methods, and what it refuses."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_strict
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff.tape import TracedArray, traced_namespace
from arraygrad.errors import GraphBreakError, NoRuleError, SpentTapeError
from conformance_tests.internals.derivative_checks import check_derivatives

CPU = array_api_strict.Device("CPU_DEVICE")
X = np.asarray([[0.31, 0.72, -0.15, 0.58], [0.86, -0.24, 0.67, 0.43], [-0.52, 0.91, 0.36, 0.79]])


class Library(NamedTuple):
    """A namespace, and the device its arrays lie on."""

    xp: Any
    device: Any

    def array(self, values: Any) -> Any:
        """Return an array of this library."""
        return self.xp.asarray(values, device=self.device)


def to_numpy(x: Any) -> Any:
    """Return the values of an array on any device."""
    return x if isinstance(x, np.ndarray) else np.asarray(x.to_device(CPU))


@pytest.fixture(
    params=[
        Library(np, "cpu"),
        Library(array_api_strict, CPU),
        Library(array_api_strict, array_api_strict.Device("device1")),
    ],
    ids=["numpy", "strict", "device1"],
)
def library(request: pytest.FixtureRequest) -> Library:
    """Each library and device."""
    found: Library = request.param
    return found


def total(x: Any) -> Any:
    """Return a sum that tells all elements apart."""
    xp = x.__array_namespace__()
    weights = xp.cos(xp.arange(x.size, dtype=xp.float64, device=x.device) + 1.0)
    return xp.sum(xp.reshape(x, (-1,)) * weights)


def gradient(f: Callable[[Any], Any], x: Any) -> Any:
    """Return the gradient of the total of `f`, as an array of NumPy."""
    return to_numpy(ag.grad(lambda x: total(f(x)))(x))


def inside(f: Callable[[Any], Any], x: Any = X) -> Any:
    """Return what `f` gives for a live traced array."""
    found = []
    ag.grad(lambda x: (found.append(f(x)), total(x))[1])(x)
    return found[0]


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


def integers(x: Any, values: Any) -> Any:
    """Return indices beside `x`."""
    xp = x.__array_namespace__()
    return xp.asarray(values, dtype=xp.int64, device=x.device)


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
def test_assignment_agrees_between_libraries(name: str, library: Library) -> None:
    """The same gradient on every library and device."""
    f = ASSIGNMENTS[name]
    got = gradient(f, library.array(X))
    np.testing.assert_allclose(got, gradient(f, X), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", INTEGERS)
def test_assignment_at_integer_arrays(name: str, library: Library) -> None:
    """Composed where the library refuses it."""

    def f(x: Any) -> Any:
        y = x * 1.0
        y[INTEGERS[name](x)] = x[:2, 0] * x[0, :2]
        return y * y

    check_derivatives(f, X)
    np.testing.assert_allclose(gradient(f, library.array(X)), gradient(f, X), rtol=1e-14)


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


# --- operators and what an array tells of itself -------------------------------------------------

OPERATORS = {
    "+": lambda x: (x + 2) + (2.5 + x) + (x + x),
    "-": lambda x: (x - 2) - (2.5 - x) * x,
    "*": lambda x: (x * 2) * (2.5 * x) * x,
    "/": lambda x: (x / 2) + (2.5 / x) + (x / (x + 3.0)),
    "//": lambda x: (x // 0.41) * x + (2.5 // x) * x,
    "%": lambda x: x % 0.41 + 2.5 % x + x % (x + 3.0),
    "**": lambda x: abs(x) ** 2 + x**3 + 2.5**x + abs(x) ** x + x**0 + x**-1 + abs(x) ** 0.5,
    "@": lambda x: (x @ x.T) @ (x[:, 0] @ x),
    "unary": lambda x: -x + +x * abs(x),
    "divmod": lambda x: divmod(x, 0.41)[1] * divmod(2.5, x)[0],
    "comparisons": lambda x: np.where((x < 0.5) & (x >= 0.1) | ~(x != x[0]), x, x * x),
    "mT": lambda x: x[None].mT * 2.0 * x.T,
    "real": lambda x: x.real * x + x.imag,
    "complex": lambda x: ((x + 1j) * (2j * x)).real + ((x * 1j) ** 2).imag,
}


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "@"])
def test_operator_has_the_right_derivatives(name: str) -> None:
    """On either side, with numbers and arrays."""
    check_derivatives(OPERATORS[name], X)


def test_matrix_product_has_the_right_derivatives() -> None:
    """Of matrices and vectors."""
    check_derivatives(lambda x: (x @ x.T) @ (x @ x[0]), X)


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
def test_indexing_has_the_right_derivatives_on_every_library(name: str, library: Library) -> None:
    """Read twice, an element's cotangents add up."""
    check_derivatives(READS[name], X)
    got = gradient(READS[name], library.array(X))
    np.testing.assert_allclose(got, gradient(READS[name], X), rtol=1e-14, atol=1e-15)


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


def test_iteration_gives_rows_with_their_gradients() -> None:
    """And zero-dimensional arrays have none."""
    check_derivatives(lambda x: [row * row for row in x], X)
    for use in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            inside(lambda x, use=use: use(x[0, 0]))


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
def test_reading_a_live_array_raises_and_says_what_to_do(read: Any, library: Library) -> None:
    """The value of `stop_gradient(x)` is what can be read."""
    x = library.array(X)
    with pytest.raises(GraphBreakError, match="stop_gradient"):
        inside(lambda x: read(x[0, 0]), x)


def test_dlpack_of_a_live_array_raises() -> None:
    """Another library would not know of the gradient."""
    with pytest.raises(GraphBreakError, match="stop_gradient"):
        inside(np.from_dlpack)


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
            inside(refuse)

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
    mask = inside(lambda x: np.asarray((x > 0).copy()))
    np.testing.assert_array_equal(mask, X > 0)


def test_array_cannot_be_hashed() -> None:
    """`==` is elementwise."""
    with pytest.raises(TypeError, match="unhashable"):
        inside(hash)


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
    escaped = inside(lambda x: x * 2.0)
    with pytest.raises(SpentTapeError):
        use(escaped)


# --- methods -----------------------------------------------------------------------------------

METHODS = {
    "all, any": lambda x: x * (x > 0.4).any(axis=0) * (x > -9).all(),
    "argmax": lambda x: x.take(x.argmax(axis=1), axis=1),
    "argmin": lambda x: x[x.argmin(axis=0), [0, 1, 2, 3]],
    "argsort": lambda x: [x.take(x[0].argsort(), axis=1), x.take(x.argsort(axis=None))],
    "astype": lambda x: (x * x).astype(np.complex128).real,
    "clip": lambda x: [x.clip(0.1, 0.6), x.clip(max=0.5), x.clip(x[0] - 0.1, None)],
    "conj": lambda x: (x * 1j).conj().imag + x.conjugate(),
    "cumprod": lambda x: [x.cumprod(), x.cumprod(axis=0)],
    "cumsum": lambda x: [(x * x).cumsum(), (x * x).cumsum(1)],
    "diagonal": lambda x: (x * x).diagonal(1),
    "dot": lambda x: [x.dot(X.T), x.T.dot(x), x[0].dot(x[1]), x.dot(2.0)],
    "flatten": lambda x: (x * x).flatten(),
    "max": lambda x: [x.max(), x.max(1), x.max(axis=0, keepdims=True)],
    "mean": lambda x: [(x * x).mean(), (x * x).mean((0, 1)), (x * x).mean(1, keepdims=True)],
    "min": lambda x: [x.min(), x.min(axis=-1)],
    "nonzero": lambda x: x[(x > 0.5).nonzero()],
    "prod": lambda x: [x.prod(), x.prod(axis=1)],
    "ravel": lambda x: x.T.ravel() * x.ravel(),
    "repeat": lambda x: [x.repeat(2), x.repeat(3, axis=0), x.repeat(np.asarray([1, 0, 2]), 0)],
    "reshape": lambda x: [x.reshape(2, 6), x.reshape((4, -1)), x.reshape(-1), x.reshape([12])],
    "round": lambda x: x * x.round() + x * (3.7 * x).round(1),
    "squeeze": lambda x: [x[None, :, None].squeeze(), x[None].squeeze(0), x[None].squeeze((0,))],
    "std": lambda x: [x.std(), x.std(0, ddof=1), x.std(axis=1, keepdims=True)],
    "sum": lambda x: [(x * x).sum(), (x * x).sum(0), (x * x).sum(axis=(0, 1), keepdims=True)],
    "swapaxes": lambda x: (x * x)[None].swapaxes(0, -1),
    "take": lambda x: [x.take([3, 0, 3], axis=1), x.take([[1, 5], [5, 11]]), x.take(2, axis=-1)],
    "trace": lambda x: [(x * x).trace(), (x * x).trace(offset=-1)],
    "transpose": lambda x: [x[None].transpose(), x[None].transpose(1, 2, 0), x.transpose((1, 0))],
    "var": lambda x: [x.var(), x.var(0, ddof=1), x.var(axis=1, keepdims=True)],
}


@pytest.mark.parametrize("name", METHODS)
def test_method_has_numpys_values_and_derivatives(name: str) -> None:
    """At first and second order."""
    check_derivatives(METHODS[name], X)


def test_methods_serve_other_libraries_too() -> None:
    """They are spelt in the standard."""

    def f(x: Any) -> Any:
        y = (x * x).reshape(2, -1).swapaxes(0, 1).dot(x.ravel().reshape(2, 6)[:, 1:3])
        z = y.std(axis=0, ddof=1).clip(0.1, 0.9) + y.take([1, 3], axis=0).diagonal().cumsum()
        return z.sum() + x.mean() + x.trace() + y.repeat(2, axis=0).max() + x.copy().transpose()

    x = array_api_strict.asarray(X)
    np.testing.assert_allclose(to_numpy(ag.vjp(f, x)[0]), ag.vjp(f, X)[0], rtol=1e-13)
    np.testing.assert_allclose(gradient(f, x), gradient(f, X), rtol=1e-12)


def test_sorting_and_filling_make_a_name_stand_for_the_new_values() -> None:
    """`x.sort()` and `x.fill(v)` return nothing, as in NumPy."""

    def f(x: Any) -> Any:
        y, z = x * x, x * 1.0
        assert y.sort(axis=0) is None
        assert z.fill(2.5) is None
        return y * z

    def expected(x: Any) -> Any:
        return np.sort(x * x, axis=0) * 2.5

    np.testing.assert_allclose(gradient(f, X), gradient(expected, X), rtol=1e-14)


def test_bytes_are_counted() -> None:
    """`itemsize`, `nbytes`."""
    assert inside(lambda x: (x.itemsize, x.nbytes, x[0, :2].nbytes)) == (8, 96, 16)


def test_order_of_memory_is_refused() -> None:
    """Elements are in C order."""
    for f in (lambda x: x.reshape(4, 3, order="F"), lambda x: x.ravel("F")):
        with pytest.raises(NoRuleError, match="order"):
            inside(f)
