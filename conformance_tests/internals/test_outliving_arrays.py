"""Arrays, pullbacks and generators that outlive their function raise when they are used."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import SpentTapeError
from conformance_tests.internals.test_robustness import X, powers, total

# --- arrays that outlive their function ----------------------------------------------------------


def assign(x):
    """Write into an array."""
    x[0] = 1.0


def add_in_place(x):
    """Add to an array in place."""
    x += 1.0


def assigned_elsewhere(x):
    """Write an array's element into one that is alive."""

    def f(y):
        y[0] = x[0]
        return total(y)

    return ag.grad(f)(X)


USES = {
    "scalar": lambda x: x + 1.0,
    "reflected scalar": lambda x: 2 - x,
    "numpy scalar": lambda x: np.float64(2.0) * x,
    "raw array": lambda x: X * x,
    "power": lambda x: x**2,
    "reflected power": lambda x: 2.0**x,
    "negative": lambda x: -x,
    "abs": abs,
    "matmul": lambda x: x @ x,
    "key": lambda x: x[1:],
    "mask": lambda x: x[x > 0],
    "iteration": list,
    "assignment": assign,
    "in place": add_in_place,
    "assigned elsewhere": assigned_elsewhere,
    "method": lambda x: x.sum(),
    "method with an axis": lambda x: x.mean(axis=0),
    "transpose": lambda x: x.T,
    "clip": lambda x: x.clip(0.0, 1.0),
    "ufunc": np.sin,
    "numpy function": lambda x: np.concatenate([x, X]),
    "numpy composition": lambda x: np.einsum("i,i->", x, X),
    "namespace": lambda x: x.__array_namespace__().exp(x),
    "where": lambda x: x.__array_namespace__().where(x > 0, x, 0.0),
    "extension": lambda x: x.__array_namespace__().linalg.vector_norm(x),
    "with a live array": lambda x: ag.grad(lambda y: total(y * x))(X),
    "live array first": lambda x: ag.grad(lambda y: total(np.concatenate([y, x])))(X),
    "result of another function": lambda x: ag.vjp(lambda y: x, X),
    "result beside another": lambda x: ag.vjp(lambda y: {"y": y, "x": x}, X),
    "auxiliary result": lambda x: ag.grad(lambda y: (total(y), x), has_aux=True)(X),
    "argument": lambda x: ag.grad(lambda y: total(y * y))(x),
    "tangent": lambda x: ag.jvp(lambda y: y * y, (X,), (x,)),
    "cotangent": lambda x: ag.vjp(lambda y: y * y, X)[1](x),
    "checkpoint": lambda x: ag.checkpoint(lambda y: y * y)(x),
    "custom gradient": lambda x: ag.custom_gradient(lambda y: (y * y, lambda g: 2 * g * y))(x),
    "update": lambda x: ag.gradient_descent_update(X, x, 0.1),
    "read": np.asarray,
    "list": lambda x: x.tolist(),
}


def kept(levels, x=X):
    """Return an array of the innermost of some nested gradients, computed there."""
    found = []

    def nest(x, level):
        if level > 1:
            return total(ag.grad(lambda y: nest(y, level - 1))(x) * x)
        found.append(x * 2.0)
        return total(x**3)

    ag.grad(lambda x: nest(x, levels))(x)
    return found[0]


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("use", USES)
def test_an_array_that_outlives_its_function_raises(use, levels):
    with pytest.raises(SpentTapeError, match="function that made it"):
        USES[use](kept(levels))
    np.testing.assert_array_equal(ag.grad(lambda x: total(x * x))(X), 2 * X)


def test_an_array_of_an_inner_function_raises_in_the_outer_one():
    def outer(x, use):
        inner = []
        ag.grad(lambda y: inner.append(y * x) or total(y))(x)
        return use(inner[0])

    for use in (total, lambda y: total(X + y), lambda y: y[0]):
        with pytest.raises(SpentTapeError, match="function that made it"):
            ag.grad(outer)(X, use)


def test_an_array_that_only_passes_through_raises_too():
    def outer(x):
        inner = []
        ag.grad(lambda y: inner.append(y) or y * x)(x)
        return inner[0]

    with pytest.raises(SpentTapeError, match="function that made it"):
        ag.grad(outer)(np.asarray(2.0))


def test_an_array_of_a_later_function_that_still_runs_is_no_result():
    handed, returned = threading.Event(), threading.Event()
    box = []

    def later(y):
        box.append(y * 1.0)
        handed.set()
        assert returned.wait(timeout=30)
        return y

    def earlier(x, pool):
        future = pool.submit(ag.grad(later), np.asarray(1.0))
        assert handed.wait(timeout=30)
        return box[0], future

    with ThreadPoolExecutor(1) as pool:
        try:
            with pytest.raises(SpentTapeError, match="function that made it"):
                ag.grad(earlier, has_aux=True)(np.asarray(1.0), pool)
        finally:
            returned.set()


def test_generators_and_closures_that_outlive_their_function_raise():
    found = []

    def f(x):
        steps = powers(x)
        next(steps)
        found.extend([lambda: next(steps), lambda: x * 2.0, lambda: total(x)])
        return total(x)

    ag.grad(f)(X)
    for late in found:
        with pytest.raises(SpentTapeError, match="function that made it"):
            late()


def test_a_pullback_of_an_inner_function_raises_after_the_outer_one():
    found = []

    def outer(x):
        y, pullback = ag.vjp(lambda z: z * z * x, x)
        found.append(pullback)
        return total(y)

    ag.grad(outer)(X)
    with pytest.raises(SpentTapeError, match="function that made it"):
        found[0](np.ones(3))


def test_values_may_be_taken_out_as_constants():
    found = []
    ag.grad(lambda x: found.append(ag.stop_gradient(x * 2.0)) or total(x))(X)
    np.testing.assert_array_equal(np.asarray(found[0]), 2 * X)
