"""NumPy's functions that write into an array: a traced one takes values, and their gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff.tape.numpy_compositions import writing
from arraygrad.errors import GraphBreakError, SpentTapeError
from conformance_tests.internals.traced_checks import check_derivatives

X = np.asarray([[0.31, 0.72, 0.15, 0.58], [0.86, 0.24, 0.67, 0.43], [0.52, 0.91, 0.36, 0.79]])
MASK = X > 0.5
ORDER = np.argsort(X, axis=1)
TALL = np.sin(np.arange(21.0)).reshape(7, 3)


def written(write: Callable[..., Any], *arguments: Any, **keywords: Any) -> Callable[..., Any]:
    """Return the function that lets something be written into a copy of its argument."""

    def of(x: Any) -> Any:
        y = x * x
        assert write(y, *(a(x) if callable(a) else a for a in arguments), **keywords) is None
        return y

    return of


CALLS = {
    "copyto": written(np.copyto, lambda x: x[0] * x[1]),
    "copyto where": written(np.copyto, lambda x: 3 * x, where=MASK),
    "copyto number": written(np.copyto, 2.0, where=MASK[0]),
    "fill_diagonal": written(np.fill_diagonal, 0.5),
    "fill_diagonal array": written(np.fill_diagonal, lambda x: x[1, :2]),
    "fill_diagonal tall": lambda x: written(np.fill_diagonal, lambda x: x[0, 0])(x[0, 0] * TALL),
    "fill_diagonal wrap": lambda x: written(np.fill_diagonal, 1.5, wrap=True)(x[0, 0] * TALL),
    "fill_diagonal cube": lambda x: written(np.fill_diagonal, 1.5)(
        np.multiply.outer(x[:, :3], x[0, :3])
    ),
    "place": written(np.place, MASK, lambda x: x[0, :3]),
    "put": written(np.put, [1, 6, 11], lambda x: x[2, :2]),
    "put clip": written(np.put, [1, 60], 0.0, mode="clip"),
    "put wrap": written(np.put, [-1, 13], lambda x: x[1, :2], mode="wrap"),
    "put_along_axis": written(np.put_along_axis, ORDER[:, :2], lambda x: x[:, 1:3], 1),
    "put_along_axis flat": written(np.put_along_axis, np.asarray([3, 0, 7]), 4.0, None),
    "putmask": written(np.putmask, MASK, lambda x: x[0, :3]),
}


def into(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Callable[..., Any]:
    """Return the function that writes a result into a copy of its argument."""

    def of(x: Any) -> Any:
        y = x * x
        given = [a(x) if callable(a) else a for a in arguments]
        assert function(*given, out=y, **keywords) is y
        return y

    return of


def divided(x: Any) -> Any:
    """Return quotients, and zeros where there would be none."""
    return np.divide(x[0], x - 0.24, out=np.zeros_like(x), where=X != 0.24)


def flat(x: Any) -> Any:
    """Read, add to and replace elements in one dimension."""
    y = x * x
    y.flat[::5] += x[0, :3]
    y.flat[3] = 7.0 * y.flat[4]
    return [y, len(y.flat) * sum(y.flat)]


OUT = {
    "add": into(np.add, lambda x: x, 1.0),
    "clip": into(np.clip, lambda x: x * 3, 0.5, 2.0),
    "cumsum": into(np.cumsum, lambda x: x * 3, axis=1),
    "divide where": divided,
    "in itself": lambda x: (lambda y: np.multiply(y, y, y))(x * 2.0),
    "modf": lambda x: np.modf(x * 3, out=(np.zeros_like(x), None)),
    "reduce": lambda x: np.add.reduce(x * x, axis=0, out=np.zeros_like(x[0])),
    "repeated": into(np.multiply, lambda x: x[0], lambda x: x[1]),
    "single": into(np.exp, lambda x: x.astype(np.float32)),
    "sum": lambda x: np.sum(x * x, axis=1, out=np.zeros_like(x[:, 0])),
    "where": into(np.log, lambda x: x, where=MASK),
    "flat": flat,
}


@pytest.mark.parametrize("name", OUT)
def test_results_written_into_traced_arrays_have_numpys_values_and_derivatives(name: str) -> None:
    check_derivatives(OUT[name], X, rtol=1e-8 if name != "single" else 1e-2)


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (lambda x: np.multiply(x, 1j, out=x * 1.0), TypeError),
        (lambda x: np.add(x, 1.0, out=x[0] * 1.0), ValueError),
        (lambda x: np.add(x, 1.0, out=np.zeros_like(x, dtype=np.int64)), TypeError),
        (lambda x: np.add(x, 1.0, out=np.zeros(x.shape)), GraphBreakError),
        (lambda x: np.modf(x, out=(x * 1.0, np.zeros(x.shape))), GraphBreakError),
        (lambda x: np.sum(x, out=np.zeros(())), GraphBreakError),
    ],
)
def test_a_result_that_does_not_fit_is_refused(write: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ag.vjp(write, X)


def test_what_is_written_in_an_inner_function_does_not_get_out_of_it() -> None:
    def outer(x: Any) -> Any:
        y = x * 1.0
        ag.grad(lambda z: np.sum(np.multiply(z, z, out=y)))(x * 2.0)
        return np.sum(y)

    with pytest.raises(SpentTapeError):
        ag.grad(outer)(X)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_written_has_numpys_values_and_derivatives(name: str) -> None:
    check_derivatives(CALLS[name], X)


def test_every_function_is_tried() -> None:
    assert {name.split()[0] for name in CALLS} == set(writing.FUNCTIONS)


def test_indices_out_of_range_are_refused() -> None:
    with pytest.raises(IndexError):
        ag.vjp(written(np.put, [12], 0.0), X)


def test_a_gradient_is_not_written_into_integers() -> None:
    with pytest.raises(GraphBreakError, match="int64"):
        ag.vjp(lambda x: np.copyto(x.__array_namespace__().zeros(4, dtype=np.int64), x[0]), X)
