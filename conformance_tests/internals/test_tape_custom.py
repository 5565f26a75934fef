"""The tape's record of functions that bring their own derivative, or are run again for it."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors

X = np.asarray([0.5, -2.0, 3.0])


def test_the_function_sees_raw_values():
    seen = []

    @ag.custom_gradient
    def halved(x):
        seen.append(type(x))
        return np.frombuffer(x.tobytes()) / 2, lambda g: (g / 2,)

    assert ag.grad(lambda x: np.sum(halved(x)))(X).tolist() == [0.5] * 3
    assert seen == [np.ndarray]


def test_the_function_runs_once_for_a_gradient():
    runs = []

    @ag.custom_gradient
    def counted(x):
        runs.append(x)
        return x * 2, lambda g: (2 * g,)

    ag.grad(lambda x: np.sum(counted(x)))(X)
    assert len(runs) == 1


def test_closing_over_a_variable_is_refused():
    def f(a, x):
        scaled = ag.custom_gradient(lambda x: (x * a, lambda g: (g * a,)))
        return np.sum(scaled(x))

    with pytest.raises(errors.GraphBreakError, match="closes over"):
        ag.grad(f, (0, 1))(np.asarray(2.0), X)


def test_closing_over_an_outer_variable_is_right_where_the_inner_one_is_an_argument():
    def outer(a):
        scaled = ag.custom_gradient(lambda x: (x * a, lambda g: (g * a,)))
        return np.sum(ag.grad(lambda x: np.sum(scaled(x) * x))(X))

    np.testing.assert_allclose(ag.grad(outer)(np.asarray(2.0)), 2 * np.sum(X))


def test_a_function_that_leaves_the_namespace_has_no_second_derivative():
    @ag.custom_gradient
    def halved(x):
        return np.frombuffer(np.asarray(x).tobytes()) / 2, lambda g: (g / 2,)

    f = lambda x: np.sum(halved(x) ** 2)
    np.testing.assert_allclose(ag.grad(f)(X), X / 2)
    with pytest.raises(errors.GraphBreakError):
        ag.hessian(f)(X)


def test_constants_of_the_call_are_no_obstacle():
    data = np.asarray([1.0, 2.0, 3.0])

    def f(x, data):
        weighted = ag.custom_gradient(lambda x: (x * data, lambda g: (g * data,)))
        return np.sum(weighted(x))

    np.testing.assert_array_equal(ag.grad(f)(X, data), data)


def test_a_pullback_does_not_outlive_its_sweep_and_may_return_its_cotangent():
    both = ag.custom_gradient(lambda a, b: (a + b, lambda g: (g, g)))
    by_a, by_b = ag.grad(lambda a, b: np.sum(both(a, b) + a), (0, 1))(X, X + 1)
    np.testing.assert_array_equal(by_a, [2.0] * 3)
    np.testing.assert_array_equal(by_b, [1.0] * 3)
    assert by_a is not by_b


def block(x):
    """Make ten intermediate results."""
    for _ in range(10):
        x = np.tanh(x) * 1.01
    return x


def peak(step, x):
    """Return the peak of memory for the gradient of ten steps, in arrays like `x`."""

    def loss(x):
        for _ in range(10):
            x = step(x)
        return np.sum(x)

    gradient = ag.grad(loss)
    gradient(x[:3])  # compiles rules
    gc.collect()
    tracemalloc.start()
    try:
        gradient(x)
        return tracemalloc.get_traced_memory()[1] / x.nbytes
    finally:
        tracemalloc.stop()


def test_a_chain_of_checkpoints_peaks_lower():
    x = np.linspace(-1.0, 1.0, 20_000)
    plain, again = peak(block, x), peak(ag.checkpoint(block), x)
    assert plain > 90  # ten steps of ten operations, each with a result to keep
    assert again < 30  # ten results of blocks, and one block at a time


def test_a_checkpoint_keeps_gradients_apart_from_its_value():
    x = np.linspace(-1.0, 1.0, 5)
    y, pullback = ag.vjp(ag.checkpoint(block), x)
    first, second = pullback(np.ones(5))[0], pullback(np.ones(5))[0]
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(y, block(x))


@pytest.mark.parametrize("made", ["custom_gradient", "checkpoint"])
@pytest.mark.parametrize("operator", ["vjp", "jvp", "hvp"])
def test_nothing_is_held_once_the_results_are_gone(made, operator):
    if made == "checkpoint":
        f = ag.checkpoint(np.sin)
    else:
        f = ag.custom_gradient(lambda x: (np.sin(x), lambda g: g * np.cos(x)))
    x = np.ones(3)
    held = weakref.ref(x)
    gc.disable()
    try:
        if operator == "vjp":
            ag.vjp(lambda x: f(x) * x, x)
        elif operator == "jvp":
            ag.jvp(lambda x: f(x) * x, (x,), (np.ones(3),))
        else:
            ag.hvp(lambda x: np.sum(f(x) * x), (x,), (np.ones(3),))
        del x
        assert held() is None
    finally:
        gc.enable()
