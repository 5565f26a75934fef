"""For all shapes, axes, keys and dtypes: both modes agree with differences, through the tape."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from arraygrad._namespace import array_namespace
from arraygrad.testing import check_gradients
from conformance_tests.products import pull, push
from conformance_tests.trees import assert_close, to_numpy

SIDES = {"min_side": 0, "max_side": 3}


def for_all(strategy, backend, holds):
    """Try a property on many examples, always the same; on few for jax, which compiles each."""
    count = 4 if backend.library == "jax" else 40
    options = settings(max_examples=count, deadline=None, derandomize=True, database=None)
    options(given(strategy)(holds))()


def values(shape, dtype="float64", seed=0):
    """Return numbers between 1/2 and 3/2, complex where asked."""
    numbers = np.random.default_rng([seed, *shape])
    x = numbers.uniform(0.5, 1.5, shape)
    return np.asarray(x + 1j * numbers.uniform(0.5, 1.5, shape) if "complex" in dtype else x)


def check(backend, f, *arrays):
    """Hold a function's first derivatives against differences."""
    check_gradients(f, *map(backend.asarray, arrays), order=1, autodiff="tape")


BINARY = {
    "add": lambda xp, a, b: a + b,
    "subtract": lambda xp, a, b: a - b,
    "multiply": lambda xp, a, b: a * b,
    "divide": lambda xp, a, b: a / b,
    "pow": lambda xp, a, b: a**b,
    "atan2": lambda xp, a, b: xp.atan2(a, b),
    "where": lambda xp, a, b: xp.where(b > 1.0, a, b),
    "concat": lambda xp, a, b: xp.concat([xp.reshape(a, (-1,)), xp.reshape(b, (-1,))]),
}


@pytest.mark.parametrize("name", BINARY)
def test_all_shapes_that_broadcast(backend, name):
    def holds(shapes):
        one, two = shapes.input_shapes
        f = lambda a, b: BINARY[name](array_namespace(a), a, b)
        check(backend, f, values(one), values(two, seed=1))

    for_all(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, **SIDES), backend, holds)


@st.composite
def shapes_and_axes(draw):
    """Draw a shape, some of its axes (or all, or one), and whether to keep them."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3))
    some = hnp.valid_tuple_axes(len(shape))
    one = st.integers(-len(shape), len(shape) - 1) if shape else st.none()
    return shape, draw(st.none() | one | some), draw(st.booleans())


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var"])
def test_all_axes_of_reductions(backend, name):
    def holds(drawn):
        shape, axis, keepdims = drawn
        f = lambda x: getattr(array_namespace(x), name)(x, axis=axis, keepdims=keepdims)
        check(backend, f, values(shape))

    for_all(shapes_and_axes(), backend, holds)


def test_all_shapes_of_matrix_products(backend):
    def holds(shapes):
        one, two = shapes.input_shapes
        check(backend, lambda a, b: a @ b, values(one), values(two, seed=1))

    strategy = hnp.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=1, min_side=1, max_side=3
    )
    for_all(strategy, backend, holds)


@st.composite
def shapes_and_keys(draw):
    """Draw a shape and a basic key of as many axes, with steps forward, and new axes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    parts = [draw(st.integers(-n, n - 1) | st.slices(n)) for n in shape]
    for part in parts:
        assume(not isinstance(part, slice) or (part.step or 1) > 0)
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return shape, tuple(parts)


def test_all_basic_keys(backend):
    def holds(drawn):
        shape, key = drawn
        check(backend, lambda x: x[key] ** 2, values(shape))

    for_all(shapes_and_keys(), backend, holds)


@st.composite
def shapes_and_rows(draw):
    """Draw a shape, an axis, and positions along it, with duplicates."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    rows = draw(st.lists(st.integers(0, shape[axis] - 1), max_size=6))
    return shape, axis, np.asarray(rows, dtype=np.int64)


def test_all_rows_that_can_be_taken(backend):
    def holds(drawn):
        shape, axis, rows = drawn
        rows = backend.asarray(rows, "int64")
        f = lambda x: array_namespace(x).take(x, array_namespace(x).asarray(rows), axis=axis) ** 2
        check(backend, f, values(shape))

    for_all(shapes_and_rows(), backend, holds)


DTYPES = ["float32", "float64", "complex64", "complex128"]
MIXED = {
    "multiply": lambda xp, a, b: a * b,
    "divide": lambda xp, a, b: a / b - b,
    "matmul": lambda xp, a, b: a @ b,
    "functions": lambda xp, a, b: xp.exp(-a) * xp.sin(b),
    "reductions": lambda xp, a, b: xp.mean(a, axis=0) + xp.sum(b),
}


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("one", DTYPES)
@pytest.mark.parametrize("two", DTYPES)
def test_all_mixtures_of_dtypes(backend, name, one, two):
    f = lambda a, b: MIXED[name](array_namespace(a), a, b)
    numbers = values((3, 3), one), values((3, 3), two, seed=1)
    args = tuple(backend.asarray(x, d) for x, d in zip(numbers, (one, two), strict=True))
    if name == "matmul" and one != two and backend.library == "torch":
        with pytest.raises(RuntimeError, match="same dtype"):  # the library's own limit
            f(*args)
        return
    value, gradients = pull(f, args, "tape")
    _, rate = push(f, args, "tape", args)
    assert [g.dtype for g in gradients] == [x.dtype for x in args]
    assert value.dtype == rate.dtype == backend.xp.result_type(*args)
    _, expected = pull(f, numbers, "tape")
    tolerance = 1e-5 if {one, two} & {"float32", "complex64"} else 1e-13
    assert_close(to_numpy(backend, gradients), expected, tolerance)
