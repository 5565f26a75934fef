"""Kernels of other people, which name, sum and branch as they like: fused equals unfused."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

from arraygrad._numbers import NUMBERS
from arraygrad.fusion import loop, use_executor
from arraygrad.optimizers import KernelOptimizer

EXECUTORS = ["blocked", *(["numba"] if loop.available() else [])]


def bounded_sum(xp, w, g, *, min):
    """Call a number what the printed code calls a function of Python."""
    return -g / xp.sqrt(xp.sum(xp.maximum(g * g, min)))


def magnitude(xp, w, g, *, abs):
    return -abs * xp.abs(g)


def compensated(xp, w, g, m, *, rate):
    """Kahan's summation: reordered, the compensation would be 0."""
    y = -rate * g - m
    total = w + y
    m = (total - w) - y
    return y / (1 + xp.sum(m * m)), m


def scaled_squares(xp, w, g, *, rate):
    return -rate * g / xp.sum(g * g * rate)


def doubled(xp, w, g, *, rate):
    return -rate * g / xp.sum(2.0 * w)


def late_root(xp, w, g, m, *, rate, step):
    """Look at the gradient in the first walk only."""
    m = 0.9 * m + xp.sqrt(xp.sum(g * g)) * w
    return -rate / step * m, m


def condition_of_two_walks(xp, w, g, *, rate):
    positive = g > 0
    total = xp.sum(xp.where(positive, g, 0 * g))
    return xp.where(positive, -rate * total, -rate * g)


def numbers_of_numpy(xp, w, g, *, rate):
    return -rate * g + xp.finfo(g.dtype).eps * w * np.float64(0.5)


def not_a_number(xp, w, g, *, rate):
    return xp.where(g > 0, float("nan") * g, -rate * g)


def many_sums(xp, w, g, *, rate):
    squares = w * w
    total = xp.sum(squares) + xp.sum(squares * g) + xp.sum(w) + xp.sum(xp.abs(w))
    return -rate * g / (1 + xp.abs(total))


def sum_of_what_is_overwritten(xp, w, g, m, *, rate):
    square = m * m
    m = 0.5 * m + g
    return -rate * m / (1 + xp.sum(square)), m


KERNELS = [
    bounded_sum, magnitude, compensated, scaled_squares, doubled, late_root,
    condition_of_two_walks, numbers_of_numpy, not_a_number, many_sums, sum_of_what_is_overwritten,
]  # fmt: skip


@pytest.mark.parametrize("donate", [False, True])
@pytest.mark.parametrize("size", [1, 10, 1025, 20_000])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_fused_steps_equal_those_of_the_plain_expression(executor, kernel, size, donate):
    rng = np.random.default_rng(size)
    w, g = rng.uniform(0.5, 2, size), rng.standard_normal(size)
    parameters = inspect.signature(kernel).parameters
    rate = next(name for name in parameters if name in ("rate", "min", "abs"))
    slots = {"m": lambda xp, w: xp.zeros_like(w)} if "m" in parameters else {}
    optimizer = KernelOptimizer("odd", kernel, slots=slots, hyperparameters={rate: 0.3})

    def steps(executor):
        moved, state = w.copy(), optimizer.init(w)
        with use_executor(executor):
            for _ in range(3):
                moved, state = optimizer.step(moved, g, state, donate=donate)
        return [moved, *state.slots.values()]

    for found, expected in zip(steps(executor), steps("plain"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("maximum", (1.0, np.nan)), ("minimum", (1.0, np.nan)), ("maximum", (np.nan, 1.0)),
        ("log1p", (-1.0,)), ("sign", (np.nan,)), ("pow", (-8.0, 401)), ("pow", (8.0, 401)),
        ("pow", (-0.0, -1.0)), ("pow", (0.0, -2.0)), ("pow", (-8.0, 0.5)), ("divide", (-1.0, 0.0)),
    ],
)  # fmt: skip
def test_numbers_are_computed_with_as_arrays_are(name, arguments):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(*(np.float64(x) for x in arguments))
    found = getattr(NUMBERS, name)(*arguments)
    np.testing.assert_array_equal(found, expected)
    assert np.signbit(found) == np.signbit(expected) or np.isnan(expected)


def test_threads_may_step_at_once_whatever_numba_runs_on():
    """Of numba's ways to run several threads, one ends the process when two enter it."""
    pytest.importorskip("numba")
    code = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from arraygrad.fusion import use_executor
from arraygrad.optimizers import sgd

def steps(rate):
    w, optimizer = np.ones(100_000), sgd(rate)
    state = optimizer.init(w)
    with use_executor("numba"):
        for _ in range(50):
            w, state = optimizer.step(w, np.ones(100_000), state, donate=True)
    return w

with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(steps, [0.5, 0.25, 0.125, 0.0625]))
assert [x[0] for x in found] == [-24.0, -11.5, -5.25, -2.125]
"""
    environment = os.environ | {
        "ARRAYGRAD_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "2",
        "NUMBA_THREADING_LAYER": "workqueue",
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=300)


def test_a_step_keeps_only_the_slots_of_its_optimizer():
    w, optimizer = np.ones(3), KernelOptimizer("odd", magnitude, hyperparameters={"abs": 0.5})
    state = optimizer.init(w)._replace(slots={"foreign": np.ones(3)})
    for donate in (False, True, True):
        assert optimizer.step(w, w, state, donate=donate)[1].slots == {}
