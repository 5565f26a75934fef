"""Adam and AdamW: steps of torch, optax and keras, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adam, adamw
from arraygrad.updates import adam_update
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
    "adam": adam(0.1),
    "keras": adam(0.1, convention="keras"),
    "ivy": adam(0.1, convention="ivy"),
    "decay": adam(0.1, weight_decay=0.1),
    "adamw": adamw(0.1, weight_decay=0.1),
    "adamw-paper": adamw(0.1, weight_decay=0.01, convention="paper"),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)


def plain_keras(t, w, g, m, v, decay=0.0):
    """Take keras's step: ε joins the root before its bias is corrected."""
    w = w - 0.1 * decay * w
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return w - m * rate / (np.sqrt(v) + 1e-3), m, v


@every_case
def test_adam_agrees_on_every_library(backend, optimizer):
    assert_libraries_agree(backend, optimizer)
    assert_libraries_agree(backend, optimizer, params=complex_tree(), steps=3)


@every_case
def test_adam_jits(optimizer):
    assert_jits(optimizer)


@pytest.mark.parametrize("optimizer", [CASES["adam"], CASES["adamw"]], ids=["adam", "adamw"])
def test_adam_is_differentiable(backend, optimizer):
    assert_differentiable(backend, optimizer)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("make", [adam, adamw])
def test_adam_descends(cost, make):
    assert_descends(make(0.05), cost)


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_adam_is_that_of_torch(epsilon):
    torch = pytest.importorskip("torch")
    ours = adam(0.1, epsilon=epsilon, convention="torch")
    assert_like_torch(ours, lambda w: torch.optim.Adam(w, lr=0.1, eps=epsilon))


def test_weight_decay_is_that_of_torch():
    torch = pytest.importorskip("torch")
    keywords = {"lr": 0.1, "weight_decay": 0.1}
    assert_like_torch(
        adam(0.1, weight_decay=0.1), lambda w: torch.optim.Adam(w, **keywords), tolerance=1e-11
    )
    assert_like_torch(adamw(0.1, weight_decay=0.1), lambda w: torch.optim.AdamW(w, **keywords))
    assert_like_torch(adamw(0.1), lambda w: torch.optim.AdamW(w, lr=0.1))  # and its default


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_adam_is_that_of_optax(epsilon):
    optax = pytest.importorskip("optax")
    ours = adam(0.1, epsilon=epsilon, convention="optax")
    assert_like_optax(ours, optax.adam(0.1, eps=epsilon))
    assert_like_optax(ours, optax.adam(0.1, eps=epsilon), params=complex_tree())


def test_adamw_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = adamw(0.1, weight_decay=0.1, convention="optax")
    assert_like_optax(ours, optax.adamw(0.1, weight_decay=0.1))


def test_adam_is_that_of_keras():
    assert_like_plain(adam(0.1, epsilon=1e-3, convention="keras"), plain_keras, [0.0, 0.0])
    assert_like_plain(
        adamw(0.1, epsilon=1e-3, weight_decay=0.2, convention="keras"),
        lambda *row: plain_keras(*row, decay=0.2),
        [0.0, 0.0],
    )


def test_the_convention_ivy_is_the_update_on_the_page():
    def formula(t, w, g, m, v):
        return adam_update(w, g, 0.1, m, v, t, epsilon=1e-3)

    assert_like_plain(adam(0.1, epsilon=1e-3, convention="ivy"), formula, [0.0, 0.0])


def test_the_papers_decay_is_no_multiple_of_the_rate():
    def formula(t, w, g, m, v):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        direction = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return w - (0.1 * direction + 0.01 * w), m, v

    assert_like_plain(adamw(0.1, weight_decay=0.01, convention="paper"), formula, [0.0, 0.0])


def test_without_decay_the_parameters_are_not_looked_at():
    grads = {"w": np.ones(3)}
    optimizer = adam(0.1)
    updates, state = optimizer.update(grads, optimizer.init(grads))
    np.testing.assert_allclose(updates["w"], -0.1, rtol=1e-7)
    assert sorted(state.hyperparameters) == ["beta1", "beta2", "epsilon", "learning_rate"]


@pytest.mark.parametrize("make", [adam, adamw])
@pytest.mark.parametrize(
    "keywords",
    [
        {"learning_rate": -1.0},
        {"beta1": 1.0},
        {"beta2": -0.1},
        {"epsilon": -1e-8},
        {"weight_decay": -0.1},
        {"convention": "mine"},
    ],
    ids=str,
)
def test_adam_refuses(make, keywords):
    with pytest.raises(HyperparameterError, match=f"`{next(iter(keywords))}` must be"):
        make(**{"learning_rate": 0.1, **keywords})
