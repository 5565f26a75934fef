"""Adan and AdEMAMix: steps of optax and of the papers, on every library."""

import math
import pickle

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adan, ademamix
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
    "adan": adan(0.05, weight_decay=0.1),
    "adan-optax": adan(0.05, weight_decay=0.1, convention="optax"),
    "ademamix": ademamix(0.05, beta3=0.99, alpha=2.0, weight_decay=0.1),
    "ademamix-warmup": ademamix(0.01, beta3=0.999, warmup=50),
}
every_one = pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)


# --- parity with optax ----------------------------------------------------------------------------


def test_adan_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = adan(0.05, beta1=0.9, beta2=0.8, beta3=0.95, weight_decay=0.1, convention="optax")
    theirs = optax.adan(0.05, b1=0.9, b2=0.8, b3=0.95, eps_root=0, weight_decay=0.1)
    assert_like_optax(ours, theirs)
    ours, theirs = adan(0.05, convention="optax"), optax.adan(0.05, eps_root=0)
    assert_like_optax(ours, theirs, params=complex_tree(), steps=20)


def test_ademamix_is_that_of_optax():
    contrib = pytest.importorskip("optax.contrib")
    ours = ademamix(0.05, beta1=0.8, beta2=0.95, beta3=0.99, alpha=2.0, weight_decay=0.1)
    theirs = contrib.ademamix(0.05, b1=0.8, b2=0.95, b3=0.99, alpha=2.0, weight_decay=0.1)
    assert_like_optax(ours, theirs)
    assert_like_optax(ademamix(0.05), contrib.ademamix(0.05), params=complex_tree(), steps=20)


# --- the papers' pseudo-code ----------------------------------------------------------------------


def test_adan_is_the_papers():
    def formula(t, w, g, m, v, n, last):
        if t == 1:
            m, n, last = g, g * g, g
        else:
            m = 0.98 * m + 0.02 * g
            n = 0.99 * n + 0.01 * (g + 0.92 * (g - last)) ** 2
        v = 0.92 * v + 0.08 * (g - last)
        moved = w - 0.05 / (np.sqrt(n) + 1e-8) * (m + 0.92 * v)
        return moved / (1 + 0.05 * 0.1), m, v, n, g

    assert_like_plain(OURS["adan"], formula, [0.0] * 4)


def papers_ademamix(warmup):
    """Return the paper's formula, with β₃ = 0.999 and α = 5."""

    def formula(t, w, g, m, slow, v):
        done = t / warmup
        blend = math.log(0.9) * math.log(0.999)
        beta3 = math.exp(blend / ((1 - done) * math.log(0.999) + done * math.log(0.9)))
        beta3, alpha = (min(beta3, 0.999), 5 * done) if done < 1 else (0.999, 5.0)
        m, slow = 0.9 * m + 0.1 * g, beta3 * slow + (1 - beta3) * g
        v = 0.999 * v + 0.001 * g * g
        top = m / (1 - 0.9**t) + alpha * slow
        return w - 0.05 * top / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, slow, v

    return formula


@pytest.mark.parametrize("warmup", [1, 50, 1000])
def test_ademamix_warms_up_as_in_the_paper(warmup):
    ours = ademamix(0.05, beta3=0.999, warmup=warmup)
    assert_like_plain(ours, papers_ademamix(warmup), [0.0] * 3, tolerance=1e-11)


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


def test_the_last_gradient_is_remembered_not_the_array():
    params, grads = random_tree(), gradients_like(random_tree(), steps=1)[0]
    optimizer = adan(0.05)
    _, state = optimizer.step(params, grads, optimizer.init(params))
    assert not np.shares_memory(state.slots["previous"]["bias"], grads["bias"])
    np.testing.assert_array_equal(state.slots["previous"]["bias"], grads["bias"])


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
        lambda: adan(0.1, beta3=2.0),
        lambda: adan(0.1, weight_decay=-1.0),
        lambda: adan(0.1, convention="keras"),
        lambda: ademamix(0.1, alpha=-1.0),
        lambda: ademamix(0.1, warmup=0),
        lambda: ademamix(0.1, warmup=10, alpha=lambda count: 1.0),
    ],
)
def test_what_does_not_fit_is_refused(make):
    with pytest.raises(HyperparameterError):
        make()
