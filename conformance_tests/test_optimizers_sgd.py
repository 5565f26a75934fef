"""Gradient descent: steps of torch, optax and keras, on every library."""

import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import sgd
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    assert_like_torch,
    complex_tree,
)

CASES = {
    "plain": sgd(0.1),
    "decay": sgd(0.1, weight_decay=0.1),
    "momentum": sgd(0.1, momentum=0.9),
    "nesterov": sgd(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "torch": sgd(0.1, momentum=0.9, dampening=0.3, convention="torch"),
    "torch-nesterov": sgd(0.1, momentum=0.9, nesterov=True, convention="torch"),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)


def halving(count):
    """Return a learning rate that changes from step to step."""
    return 0.1 / (1 + count)


@every_case
def test_sgd_agrees_on_every_library(backend, optimizer):
    assert_libraries_agree(backend, optimizer)


@every_case
def test_sgd_jits(optimizer):
    assert_jits(optimizer)


@every_case
def test_sgd_is_differentiable(backend, optimizer):
    assert_differentiable(backend, optimizer)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_descends(cost, nesterov):
    rate = 0.0005 if cost == "rosenbrock" else 0.05
    assert_descends(sgd(rate, momentum=0.8, nesterov=nesterov), cost)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True},
    ],
    ids=str,
)
def test_sgd_is_that_of_torch(keywords):
    torch = pytest.importorskip("torch")
    ours = sgd(0.1, convention="torch", **keywords)
    assert_like_torch(ours, lambda w: torch.optim.SGD(w, lr=0.1, **keywords))
    assert_like_torch(ours, lambda w: torch.optim.SGD(w, lr=0.1, **keywords), params=complex_tree())


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_is_that_of_optax_also_with_a_schedule(nesterov):
    optax = pytest.importorskip("optax")
    for rate in (0.1, halving):
        ours = sgd(rate, momentum=0.9, nesterov=nesterov, convention="optax")
        assert_like_optax(ours, optax.sgd(rate, momentum=0.9, nesterov=nesterov))


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_velocity_holds_the_rates_of_its_steps(nesterov):
    def formula(t, w, g, b):
        move = halving(t - 1) * g
        b = 0.9 * b - move
        return w + (0.9 * b - move if nesterov else b), b

    for convention in ("paper", "keras"):
        ours = sgd(halving, momentum=0.9, nesterov=nesterov, convention=convention)
        assert_like_plain(ours, formula, [0.0])


@pytest.mark.parametrize(
    "keywords",
    [
        {"learning_rate": -1.0},
        {"momentum": 1.0},
        {"weight_decay": -0.1},
        {"dampening": 0.1, "convention": "torch"},
        {"dampening": 0.1, "momentum": 0.9},
        {"dampening": 0.1, "momentum": 0.9, "nesterov": True, "convention": "torch"},
        {"convention": "mine"},
    ],
    ids=str,
)
def test_sgd_refuses(keywords):
    with pytest.raises(HyperparameterError, match=r"must be|needs"):
        sgd(**{"learning_rate": 0.1, **keywords})
