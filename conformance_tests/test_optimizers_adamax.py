"""AMSGrad and Adamax: steps of torch, optax and keras, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adamax, adamaxw, amsgrad
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
    "amsgrad": amsgrad(0.05),
    "amsgrad-torch": amsgrad(0.05, convention="torch"),
    "amsgrad-optax": amsgrad(0.05, convention="optax", weight_decay=0.1),
    "amsgrad-keras": amsgrad(0.05, convention="keras"),
    "adamax": adamax(0.05),
    "adamax-torch": adamax(0.05, convention="torch"),
    "adamaxw": adamaxw(0.05, weight_decay=0.1),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)
one_of_each = pytest.mark.parametrize("name", ["amsgrad", "adamax"])


@every_case
def test_each_agrees_on_every_library(backend, optimizer):
    assert_libraries_agree(backend, optimizer)


@one_of_each
def test_each_takes_complex_parameters(backend, name):
    assert_libraries_agree(backend, CASES[name], params=complex_tree(), steps=2)


@one_of_each
def test_each_jits(name):
    assert_jits(CASES[name])


@one_of_each
def test_each_is_differentiable(backend, name):
    assert_differentiable(backend, CASES[name], steps=3)


@every_case
@pytest.mark.parametrize("cost", COSTS)
def test_each_descends(cost, optimizer):
    assert_descends(optimizer, cost, to=0.8)


# --- AMSGrad --------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_amsgrad_is_that_of_torch(epsilon):
    torch = pytest.importorskip("torch")
    assert_like_torch(
        amsgrad(0.1, epsilon=epsilon, convention="torch"),
        lambda w: torch.optim.Adam(w, lr=0.1, eps=epsilon, amsgrad=True),
    )


def test_amsgrad_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = amsgrad(0.1, beta2=0.9, convention="optax")
    assert_like_optax(ours, optax.amsgrad(0.1, b2=0.9))
    assert_like_optax(ours, optax.amsgrad(0.1, b2=0.9), params=complex_tree())


@pytest.mark.parametrize("convention", ["paper", "keras"])
def test_amsgrad_is_its_formula(convention):
    def formula(t, w, g, m, v, top):
        m, v = 0.9 * m + 0.1 * g, 0.95 * v + 0.05 * g**2
        top = np.maximum(top, v)
        bias = np.sqrt(1 - 0.95**t) / (1 - 0.9**t) if convention == "keras" else 1.0
        return w - 0.1 * bias * m / (np.sqrt(top) + 1e-3), m, v, top

    ours = amsgrad(0.1, beta2=0.95, epsilon=1e-3, convention=convention)
    assert_like_plain(ours, formula, [0.0, 0.0, 0.0])


# --- Adamax ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("keywords", [{}, {"eps": 0.1}, {"weight_decay": 0.1}], ids=str)
def test_adamax_is_that_of_torch(keywords):
    torch = pytest.importorskip("torch")
    ours = {name.replace("eps", "epsilon"): value for name, value in keywords.items()}
    assert_like_torch(
        adamax(0.1, **ours, convention="torch"),
        lambda w: torch.optim.Adamax(w, lr=0.1, **keywords),
        tolerance=1e-11,
    )


def test_adamax_is_that_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(adamax(0.1, convention="optax"), optax.adamax(0.1))
    ours = adamaxw(0.1, weight_decay=0.2, convention="optax")
    assert_like_optax(ours, optax.adamaxw(0.1, weight_decay=0.2))
    assert_like_optax(adamaxw(0.1, convention="optax"), optax.adamaxw(0.1))  # and its default


@pytest.mark.parametrize("convention", ["paper", "keras"])
def test_adamax_is_its_formula(convention):
    def formula(t, w, g, m, u):
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.95 * u, np.abs(g))
        return w - 0.1 * m / ((1 - 0.9**t) * (u + 1e-3)), m, u

    ours = adamax(0.1, beta2=0.95, epsilon=1e-3, convention=convention)
    assert_like_plain(ours, formula, [0.0, 0.0])


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [amsgrad, adamax, adamaxw])
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
def test_each_refuses(make, keywords):
    with pytest.raises(HyperparameterError, match=f"`{next(iter(keywords))}` must be"):
        make(**{"learning_rate": 0.1, **keywords})
