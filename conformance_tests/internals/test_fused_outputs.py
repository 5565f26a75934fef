"""What a kernel returns may be one another, and inputs: all run it to the same numbers."""

import numpy as np
import pytest

from arraygrad.fusion import use_executor
from arraygrad.optimizers import KernelOptimizer, lookahead, rmsprop, sgd
from arraygrad.optimizers._kernel_optimizer import copies, zeros


def kernels_with_outputs_of_every_kind():
    """Return kernels whose outputs are one another, or inputs, or what they choose from."""

    def twice(xp, w, g, m, v, *, rate):
        t = m * 0.5 + g
        return -rate * t, t, t

    def handed(xp, w, g, m, v, *, rate):
        t = m * 0.5 + g
        return rate * t, v, t + v

    def exchanged(xp, w, g, m, v, *, rate):
        return g * rate, v + g, m

    def swapped(xp, w, g, m, v, *, rate):
        return g * rate, v, m

    def gradient(xp, w, g, m, v, *, rate):
        return g, g, w

    def chosen(xp, w, g, m, v, *, rate):
        return rate * g, xp.where(m > w, m, w * 0.5), xp.where(v > w, g, v)

    def unchanged(xp, w, g, m, v, *, rate):
        return w, m, v

    return [twice, handed, exchanged, swapped, gradient, chosen, unchanged]


@pytest.mark.parametrize("executor", ["blocked", "numba"])
@pytest.mark.parametrize("kernel", kernels_with_outputs_of_every_kind())
def test_outputs_may_be_one_another_and_inputs(kernel, executor):
    if executor == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(3, 5))

    def run(name, donate, add):
        slots = {"m": copies, "v": zeros}
        optimizer = KernelOptimizer(
            kernel.__name__, kernel, slots=slots, hyperparameters={"rate": 0.3}
        )
        w = np.linspace(-1.0, 1.0, 5)
        state = optimizer.init(w)
        with use_executor(name):
            for g in gradients:
                if add:
                    w, state = optimizer.step(w, g.copy(), state, donate=donate)
                else:
                    w, state = optimizer.update(g, state, w)
        return [w, *state.slots.values()]

    for donate, add in ((False, True), (True, True), (False, False)):
        expected = run("plain", False, add)
        for x, y in zip(run(executor, donate, add), expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-14, err_msg=f"{donate=}, {add=}")


@pytest.mark.parametrize("make", [
    lambda: sgd(0.1, momentum=0.9),
    lambda: sgd(0.1, momentum=0.9, convention="keras"),
    lambda: rmsprop(0.1, momentum=0.9, centered=True),
    lambda: lookahead(sgd(0.1, momentum=0.9), sync_period=2),
])  # fmt: skip
def test_an_update_returns_the_slots_that_a_step_returns(make):
    w, optimizer = np.linspace(-1.0, 1.0, 6), make()
    stepped, after = w, optimizer.init(w)
    updated, then = w, optimizer.init(w)
    for n in range(4):
        stepped, after = optimizer.step(stepped, np.cos(stepped + n), after)
        updates, then = optimizer.update(np.cos(updated + n), then, updated)
        updated = updated + updates
    np.testing.assert_allclose(updated, stepped, rtol=1e-13)
