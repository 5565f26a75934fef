"""AdaBelief and Yogi: steps of optax and of the papers, on every library."""

import pickle

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adabelief, yogi
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

OURS = {
    "adabelief": adabelief(0.05, epsilon=1e-8),
    "adabelief-nesterov": adabelief(0.05, epsilon=1e-8, nesterov=True),
    "yogi": yogi(0.05),
    "yogi-optax": yogi(0.05, convention="optax"),
}
every_one = pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)


# --- parity with optax ----------------------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
def test_adabelief_is_that_of_optax(nesterov):
    optax = pytest.importorskip("optax")
    ours = adabelief(0.05, beta1=0.8, beta2=0.95, epsilon=1e-7, nesterov=nesterov)
    theirs = optax.adabelief(0.05, b1=0.8, b2=0.95, eps=1e-7, eps_root=1e-7, nesterov=nesterov)
    assert_like_optax(ours, theirs)
    assert_like_optax(ours, theirs, params=complex_tree(), steps=20)


def test_adabelief_defaults_are_those_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(adabelief(0.05), optax.adabelief(0.05))


def test_yogi_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = yogi(0.05, beta1=0.8, beta2=0.95, epsilon=1e-2, convention="optax")
    assert_like_optax(ours, optax.yogi(0.05, b1=0.8, b2=0.95, eps=1e-2))
    ours, theirs = yogi(0.05, convention="optax"), optax.yogi(0.05)
    assert_like_optax(ours, theirs, params=complex_tree(), steps=20)


# --- the papers' pseudo-code ----------------------------------------------------------------------


def test_adabelief_is_the_papers():
    def formula(t, w, g, m, s):
        m = 0.9 * m + 0.1 * g
        s = 0.99 * s + 0.01 * (g - m) ** 2 + 1e-6
        rate = 0.05 / (1 - 0.9**t)
        return w - rate * m / (np.sqrt(s / (1 - 0.99**t)) + 1e-6), m, s

    assert_like_plain(adabelief(0.05, beta2=0.99, epsilon=1e-6), formula, [0.0, 0.0])


def test_yogi_is_the_papers():
    def formula(t, w, g, m, v):
        m = 0.9 * m + 0.1 * g
        v = v - 0.01 * np.sign(v - g * g) * g * g
        return w - 0.05 * m / (np.sqrt(v) + 1e-3), m, v

    assert_like_plain(yogi(0.05, beta2=0.99), formula, [0.0, 1e-6])


# --- every library, jit, derivatives, costs -------------------------------------------------------


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
    assert_descends(optimizer, cost)


@every_one
def test_optimizers_can_be_pickled(optimizer):
    params = random_tree()
    grads = gradients_like(params, steps=3)
    again = pickle.loads(pickle.dumps(optimizer))
    np.testing.assert_array_equal(
        run(again, params, grads)["bias"], run(optimizer, params, grads)["bias"]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: adabelief(0.1, beta1=1.0),
        lambda: yogi(0.1, initial_accumulator=-1.0),
        lambda: yogi(0.1, convention="torch"),
    ],
)
def test_what_does_not_fit_is_refused(make):
    with pytest.raises(HyperparameterError):
        make()
