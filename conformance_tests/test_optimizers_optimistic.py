"""Optimistic gradient descent and Adam: steps of optax and of the papers, and games."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adam, optimistic_adam, optimistic_gradient_descent
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    complex_tree,
    gradients_like,
    random_tree,
    run,
)
from conformance_tests.trees import assert_close

OURS = {
    "descent": optimistic_gradient_descent(1e-3, beta=0.5),
    "adam": optimistic_adam(0.05),
    "adam-nesterov": optimistic_adam(0.05, nesterov=True),
}
every_one = pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)


def test_optimistic_gradient_descent_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = optimistic_gradient_descent(0.1, alpha=0.8, beta=0.5)
    theirs = optax.optimistic_gradient_descent(0.1, alpha=0.8, beta=0.5)
    assert_like_optax(ours, theirs)
    assert_like_optax(ours, theirs, params=complex_tree(), steps=20)


@pytest.mark.parametrize("nesterov", [False, True])
def test_optimistic_adam_is_that_of_optax(nesterov):
    optax = pytest.importorskip("optax")
    keywords = {"alpha": 0.8, "beta": 0.5, "nesterov": nesterov}
    theirs = optax.optimistic_adam_v2(0.05, b1=0.8, b2=0.95, **keywords)
    assert_like_optax(optimistic_adam(0.05, beta1=0.8, beta2=0.95, **keywords), theirs)


def test_optimistic_adam_is_the_papers():
    def formula(t, w, g, m, v, last):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        r = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        last = r if t == 1 else last
        return w - 2 * 0.05 * r + 0.05 * last, m, v, r

    assert_like_plain(OURS["adam"], formula, [0.0] * 3)


def test_without_optimism_it_is_adam():
    params, grads = random_tree(), gradients_like(random_tree(), steps=10)
    ours = run(optimistic_adam(0.1, beta=0.0), params, grads)
    assert_close(ours, run(adam(0.1), params, grads), 1e-13)


def distance_after(optimizer, steps):
    """Return how far from 0 players are: one minimizes xy by x, the other maximizes it by y."""
    game = np.asarray([1.0, 1.0])
    state = optimizer.init(game)
    for _ in range(steps):
        x, y = game
        game, state = optimizer.step(game, np.asarray([y, -x]), state)
    return np.linalg.norm(game)


def test_games_end_where_gradient_descent_circles():
    assert distance_after(optimistic_gradient_descent(0.3), 200) < 1e-3
    assert distance_after(optimistic_gradient_descent(0.3, beta=0.0), 200) > 1
    assert distance_after(optimistic_adam(1.0, alpha=0.01), 1000) < 1e-2
    assert distance_after(adam(0.01), 1000) > 1


def test_the_last_gradient_is_remembered_not_the_array():
    grads = np.ones(3)
    optimizer = optimistic_gradient_descent(0.1)
    for params in (np.zeros(3), np.zeros(3, dtype=complex)):  # fused, and as written
        _, state = optimizer.step(params, grads.astype(params.dtype), optimizer.init(params))
        mine = grads.astype(params.dtype)
        _, state = optimizer.step(params, mine, state)
        assert not np.shares_memory(state.slots["previous"], mine)


@every_one
def test_libraries_agree(backend, optimizer):
    assert_libraries_agree(backend, optimizer, steps=4)


@every_one
def test_steps_jit(optimizer):
    assert_jits(optimizer)


@every_one
def test_steps_are_differentiable(backend, optimizer):
    assert_differentiable(backend, optimizer)


@pytest.mark.parametrize("cost", COSTS)
@every_one
def test_costs_descend(optimizer, cost):
    assert_descends(optimizer, cost, steps=500)


def test_numbers_out_of_range_are_refused():
    for make in (
        lambda: optimistic_gradient_descent(-0.1),
        lambda: optimistic_gradient_descent(0.1, alpha=-1.0),
        lambda: optimistic_adam(0.1, beta1=1.0),
        lambda: optimistic_adam(0.1, beta=float("nan")),
    ):
        with pytest.raises(HyperparameterError):
            make()
