"""What is nested, interleaved or interrupted: right numbers, or clear errors."""

import gc
import sys
import threading
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import array_api_strict
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import arraygrad as ag

X = np.asarray([0.3, 1.1, -0.7])


def total(x):
    """Return the sum, in the namespace of the array."""
    return x.__array_namespace__().sum(x)


# --- random nests of operators -------------------------------------------------------------------

SETTINGS = {
    "derandomize": True, "database": None, "deadline": None,
    "phases": [Phase.generate],  # each step of a shrinking would compile for jax
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}  # fmt: skip


@pytest.mark.parametrize(("xp", "examples"), [(np, 40), (array_api_strict, 10)])
def test_random_nests_of_operators_agree_with_jax(xp, examples):
    jax = pytest.importorskip("jax")
    nests = pytest.importorskip("conformance_tests.internals.nests")

    def products(operators, formula, x, ones):
        f = nests.function(formula, operators)
        yield operators.pulled(f, x, ones)
        yield operators.pushed(f, x, ones)
        if xp is np:  # else raw arrays of the outermost function meet traced ones
            yield f(x)

    @settings(max_examples=examples, **SETTINGS)
    @given(nests.formulas(8))
    def holds(formula):
        found = products(nests.OURS, formula, xp.asarray(X), xp.asarray(np.ones(3)))
        jitted = jax.jit(lambda x: list(products(nests.JAX, formula, x, x * 0 + 1)))
        for one, other in zip(found, jitted(jax.numpy.asarray(X)), strict=True):
            scale = max(1.0, float(np.max(np.abs(other))))
            np.testing.assert_allclose(np.asarray(one), other, rtol=1e-9, atol=1e-10 * scale)

    with jax.enable_x64(True):
        holds()


def test_a_checkpoint_may_close_over_a_variable_that_its_result_holds_constant():
    f = lambda x: total(ag.checkpoint(lambda z: z * ag.stop_gradient(x * 2.0))(x))
    np.testing.assert_array_equal(ag.grad(f)(X), 2 * X)
    branch = lambda x: total(ag.checkpoint(lambda z: z**3 if total(x) > 0 else z)(x))
    np.testing.assert_allclose(ag.grad(branch)(X), 3 * X**2, rtol=1e-15)


# --- functions traced while others are -----------------------------------------------------------


def powers(x):
    """Yield x, x², x³, …: each step is computed when it is asked for."""
    y = x
    while True:
        yield y
        y = y * x


def test_two_functions_are_traced_alternately_in_one_thread():
    def outer(x):
        steps, seen = powers(x), []

        def inner(y):
            seen.extend(step * own for step, own in zip(islice(steps, 3), powers(y), strict=False))
            return total(seen[-1])  # x³ y³

        slope = ag.grad(inner)(x * 2.0)  # 3 x³ (2x)² = 12 x⁵
        return total(slope + next(steps))  # the outer generator goes on: x⁴

    np.testing.assert_allclose(ag.grad(outer)(X), 60 * X**4 + 4 * X**3, rtol=1e-13)


def test_functions_are_traced_in_lockstep_by_eight_threads():
    barrier = threading.Barrier(8)

    def f(x, n):
        for _ in range(5):
            barrier.wait(timeout=30)
            x = x * x + 0.1 * n
        return total(x)

    def slope(n):
        y, rate = 0.4, 1.0
        for _ in range(5):
            y, rate = y * y + 0.1 * n, 2 * y * rate
        return rate

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: ag.grad(f)(np.asarray([0.4]), n), range(8)))
    np.testing.assert_allclose(np.concatenate(found), [slope(n) for n in range(8)], rtol=1e-13)


def test_pullbacks_may_be_swept_in_any_order():
    pairs = [ag.vjp(lambda x, n=n: x**n, X) for n in (2, 3, 4)]
    found = [pullback(y * 0 + 1)[0] for y, pullback in [*pairs[::-1], *pairs]]
    expected = [n * X ** (n - 1) for n in (4, 3, 2, 2, 3, 4)]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


# --- exceptions ----------------------------------------------------------------------------------


class Interruption(BaseException):
    """What no `except Exception` catches, like KeyboardInterrupt."""


def interrupt(*_):
    """Raise."""
    raise Interruption


def interrupted(where, values):
    """Return a function that is interrupted somewhere, and refers to its values."""
    bad_pullback = ag.custom_gradient(lambda z: (z * 1.0, interrupt))

    def f(x):
        y = x * 2.0
        values.append(weakref.ref(y._value))
        if where == "function":
            interrupt()
        if where == "inner function":
            ag.grad(lambda z: interrupt(z * y))(y)
        if where == "inner pushed":
            ag.jvp(lambda z: interrupt(z * y), (y,), (y,))
        if where == "checkpoint":
            ag.checkpoint(lambda z: interrupt(z * 2.0))(y)
        if where == "inner sweep":
            ag.grad(lambda z: total(bad_pullback(z)))(y)
        return total(bad_pullback(y))  # in the sweep

    return f


PLACES = ["function", "inner function", "inner pushed", "checkpoint", "inner sweep", "sweep"]


@pytest.mark.parametrize("where", PLACES)
def test_an_interruption_leaves_neither_state_nor_references(where):
    second = ag.grad(lambda x: total(ag.grad(lambda z: total(z**3))(x) * x))
    expected, values = second(X), []
    for _ in range(3):
        with pytest.raises(Interruption):
            ag.grad(interrupted(where, values))(X.copy())
        np.testing.assert_array_equal(second(X), expected)
    gc.collect()
    assert len(values) == 3
    assert all(value() is None for value in values)


def test_an_argument_is_not_kept_after_an_exception():
    before = sys.getrefcount(X)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            ag.grad(lambda x: total(x * x) / (1 // 0))(X)
        with pytest.raises(ZeroDivisionError):
            ag.value_and_grad(lambda x: ag.grad(lambda y: total(x * y) / (1 // 0))(x))(X)
    gc.collect()
    assert sys.getrefcount(X) == before


def test_a_pullback_works_after_one_of_its_calls_failed():
    calls = []

    def pullback_once_broken(g):
        calls.append(g)
        if len(calls) == 1:
            raise ZeroDivisionError
        return 2 * g

    doubled = ag.custom_gradient(lambda z: (z * 2.0, pullback_once_broken))
    _, pullback = ag.vjp(lambda x: doubled(x * x), X)
    with pytest.raises(ZeroDivisionError):
        pullback(np.ones(3))
    np.testing.assert_allclose(pullback(np.ones(3))[0], 4 * X)


# --- memory --------------------------------------------------------------------------------------


def test_a_sweep_frees_what_it_has_read():
    before, after, alive = [], [], []

    def watching(g):
        alive.append([sum(ref() is not None for ref in refs) for refs in (before, after)])
        return g

    watched = ag.custom_gradient(lambda z: (z * 1.0, watching))

    def f(x):
        for refs in (before, after):
            for _ in range(10):
                x = np.sin(x)
                refs.append(weakref.ref(x._value))
            x = watched(x)
        return total(x)

    ag.grad(f)(X)
    # The last sine is no operand of another: it is kept by the watching function alone.
    (first_before, first_after), (second_before, second_after) = alive
    assert (first_before, first_after) == (10, 10)
    assert second_before == 10
    assert second_after <= 1


def test_the_sweep_needs_no_memory_beside_the_records():
    length, x = 100, np.linspace(0.1, 1.0, 20_000)

    def chain(x):
        for _ in range(length):
            x = np.sin(x)
        return total(x)

    ag.grad(chain)(X)  # compiles rules
    gc.collect()
    tracemalloc.start()
    try:
        ag.grad(chain)(x)
        left, peak = (n / x.nbytes for n in tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()
    assert left < 1
    assert length < peak < length + 5
