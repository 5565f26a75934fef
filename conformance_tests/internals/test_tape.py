"""The tape's engine: length, memory, threads, errors, ownership."""

import gc
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import array_api_compat.numpy as xp
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff import tape
from arraygrad.errors import (
    ArraygradError,
    GraphBreakError,
    NoRuleError,
    SpentTapeError,
)


def one(f):
    """Return a function of one array as the protocol has it."""
    return lambda leaves, _: ([f(*leaves)], [])


def total(x):
    """Return the sum, in the namespace of the array."""
    return x.__array_namespace__().sum(x)


# --- length and memory ---


def test_a_million_operations_need_no_recursion():
    def f(x):
        for _ in range(1_000_000):
            x = x + 1.0
        return x

    (y,), pullback, _ = tape.vjp(one(f), [np.asarray(0.5)], [], once=True)
    assert y == 1_000_000.5
    assert pullback([np.asarray(2.0)])[0] == 2.0


def test_a_long_chain_is_freed_without_recursion():
    def f(x):
        for _ in range(200_000):
            x = x * 1.0
        return x

    found = tape.vjp(one(f), [np.asarray(0.5)], [])
    del found


@pytest.mark.parametrize("once", [True, False])
def test_memory_is_flat_over_many_gradients(once):
    x, g = np.linspace(0.1, 1.0, 8), np.ones(8)
    space_of = tape.traced_namespace(xp)

    def gradient():
        f = one(lambda x: space_of.exp(x) * x[::-1] + space_of.sum(x**2))
        return tape.vjp(f, [x], [], once=once)[1]([g])[0]

    def used(count):
        for _ in range(count):
            gradient()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        warm = used(2_000)
        assert used(10_000) - warm < 20_000
    finally:
        tracemalloc.stop()


def test_no_cycle_keeps_a_tape_alive():
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(200):
            ag.grad(lambda x: total(x * x))(np.ones(3))
        assert len(gc.get_objects()) - before < 100
    finally:
        gc.enable()


# --- threads ---


def rosenbrock(x):
    """Return the banana function."""
    return total(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def test_threads_differentiate_independently():
    points = [np.random.default_rng(n).normal(size=50) for n in range(8)]
    expected = [ag.grad(rosenbrock)(x) for x in points]
    barrier, found = threading.Barrier(8), [None] * 8

    def work(n):
        barrier.wait()
        for _ in range(20):
            found[n] = ag.grad(rosenbrock)(points[n])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(found, expected)


def test_a_function_may_use_a_thread_pool():
    def f(x, parallel):
        if not parallel:
            return sum((total(x[n::4] ** 3) for n in range(4)), start=0.0)
        with ThreadPoolExecutor(4) as pool:
            return sum(pool.map(lambda n: total(x[n::4] ** 3), range(4)), start=0.0)

    x = np.linspace(-1, 1, 40)
    for _ in range(20):
        np.testing.assert_allclose(ag.grad(f)(x, True), 3 * x**2, rtol=1e-14)


# --- errors leave nothing behind ---


def test_an_error_inside_the_function_leaves_no_state():
    def broken(x):
        return {"outside": x * x}["inside"]

    x = np.asarray([1.0, 2.0])
    for _ in range(3):
        with pytest.raises(KeyError, match="inside"):
            ag.grad(broken)(x)
        np.testing.assert_array_equal(ag.grad(lambda x: total(x * x))(x), 2 * x)


def test_a_one_shot_pullback_refuses_a_second_call():
    _, pullback, _ = tape.vjp(one(lambda x: x * x), [np.ones(2)], [], once=True)
    pullback([np.ones(2)])
    with pytest.raises(SpentTapeError, match="vjp"):
        pullback([np.ones(2)])


def test_an_array_that_escaped_raises_when_it_is_used():
    escaped = []

    def f(x):
        escaped.append(x * 2.0)
        return total(x)

    ag.grad(f)(np.ones(2))
    for use in (lambda x: x + 1.0, lambda x: x[0], lambda x: total(x), float, np.asarray):
        with pytest.raises(SpentTapeError):
            use(escaped[0])


READS = {
    "float": float,
    "int": int,
    "complex": complex,
    "index": lambda x: [1, 2][x],
    "asarray": np.asarray,
    "array": np.array,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
    "dlpack": np.from_dlpack,
}


@pytest.mark.parametrize("read", READS)
def test_a_read_raises_instead_of_losing_the_gradient(read):
    with pytest.raises(GraphBreakError):
        ag.grad(lambda x: READS[read](x) * x)(np.asarray(1.0))


def test_control_flow_may_look_at_values():
    f = lambda x: x * 2.0 if x > 0 else x * 3.0
    assert ag.grad(f)(np.asarray(1.0)) == 2.0
    assert ag.grad(f)(np.asarray(-1.0)) == 3.0


def test_a_function_without_a_rule_says_its_name():
    space = tape.traced_namespace(xp)
    with pytest.raises(NoRuleError, match=r"numpy\.roots"):
        ag.grad(lambda x: total(space.roots(x)))(np.ones(2))


def test_every_error_of_the_tape_is_ours():
    assert all(issubclass(e, ArraygradError) for e in (GraphBreakError, NoRuleError))


# --- ownership: nobody's array is written to, nobody's memory is shared ---

FUNCTIONS = {
    "identity": lambda x, y: [x, y],
    "same output twice": lambda x, y: [x, x],
    "sum of both": lambda x, y: [x + y],
    "difference": lambda x, y: [x - y],
    "product": lambda x, y: [x * y, x * x],
    "views": lambda x, y: [x.T, y[::-1]],
    "reshape": lambda x, y: [x.__array_namespace__().reshape(x, (4,)), y],
    "broadcast": lambda x, y: [x + total(y), y.__array_namespace__().mean(y, axis=0)],
    "fan out": lambda x, y: [x, x * 1.0, x + y, x[0], x[0] * y],
    "in place": lambda x, y: [set_first(x * 1.0, y[1]), y],
    "unused": lambda x, y: [x],
}


def set_first(x, row):
    """Assign to the first row, and add to the second in place."""
    x[0] = row
    x[1] += row
    x *= 2.0
    return x


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_share_no_memory_and_no_argument_is_written_to(name):
    f = lambda leaves, _: (FUNCTIONS[name](*leaves), [])
    leaves = [np.asarray([[1.0, 2.0], [3.0, 4.0]]), np.asarray([[5.0, 6.0], [7.0, 8.0]])]
    kept = [x.copy() for x in leaves]
    outputs, pullback, _ = tape.vjp(f, leaves, [])
    cotangents = [np.full(y.shape, 2.0 + n) for n, y in enumerate(outputs)]
    given = [g.copy() for g in cotangents]
    first, second = pullback(cotangents), pullback(cotangents)
    np.testing.assert_equal(leaves, kept)
    np.testing.assert_equal(cotangents, given)
    np.testing.assert_equal(first, second)
    arrays = [*first, *second]
    for n, gradient in enumerate(arrays):
        assert gradient.flags.writeable
        others = [*leaves, *outputs, *cotangents, *arrays[:n]]
        assert not any(np.shares_memory(gradient, other) for other in others)


def test_read_only_arguments_and_cotangents_are_welcome():
    x, g = np.ones(3), np.broadcast_to(np.asarray(2.0), (3,))
    x.flags.writeable = False
    _, pullback, _ = tape.vjp(one(lambda x: x + x), [x], [])
    np.testing.assert_array_equal(pullback([g])[0], [4.0, 4.0, 4.0])


def test_in_place_operations_leave_the_argument_alone():
    def f(x):
        y = x
        y[0] = 0.0
        y *= 3.0
        return total(y)

    x = np.ones(3)
    np.testing.assert_array_equal(ag.grad(f)(x), [0.0, 3.0, 3.0])
    np.testing.assert_array_equal(x, [1.0, 1.0, 1.0])


def test_a_division_masked_by_assignment_has_no_nan():
    def standardize(x):
        space = x.__array_namespace__()
        spread = space.std(x, axis=0)
        spread[spread == 0.0] = 1.0
        return total((x / spread) ** 2)

    x = np.asarray([[1.0, 2.0], [1.0, 5.0]])
    assert np.all(np.isfinite(ag.grad(standardize)(x)))
