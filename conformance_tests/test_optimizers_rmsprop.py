"""RMSProp, Adagrad and Adadelta: steps of torch, optax and keras, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adadelta, adagrad, rmsprop
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
    "rmsprop": rmsprop(0.02),
    "rmsprop-torch": rmsprop(0.02, convention="torch", weight_decay=0.1),
    "rmsprop-momentum": rmsprop(0.02, momentum=0.5),
    "rmsprop-nesterov": rmsprop(0.02, momentum=0.5, nesterov=True),
    "rmsprop-momentum-torch": rmsprop(0.02, momentum=0.5, convention="torch"),
    "centered": rmsprop(0.02, centered=True),
    "centered-torch": rmsprop(0.02, centered=True, convention="torch", epsilon=1e-3),
    "centered-momentum": rmsprop(0.02, centered=True, momentum=0.5, epsilon=1e-3),
    "centered-nesterov": rmsprop(0.02, centered=True, momentum=0.5, nesterov=True, epsilon=1e-3),
    "centered-momentum-torch": rmsprop(
        0.02, centered=True, momentum=0.5, convention="torch", epsilon=1e-3
    ),
    "adagrad": adagrad(0.3, learning_rate_decay=0.01),
    "adagrad-optax": adagrad(0.3, convention="optax", initial_accumulator=0.1, weight_decay=0.1),
    "adadelta": adadelta(weight_decay=0.1, epsilon=1e-4),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)
one_of_each = pytest.mark.parametrize("name", ["centered-momentum", "adagrad", "adadelta"])


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
    assert_differentiable(backend, CASES[name])


@every_case
@pytest.mark.parametrize("cost", COSTS)
def test_each_descends(cost, optimizer):
    assert_descends(optimizer, cost, to=0.8)


# --- RMSProp --------------------------------------------------------------------------------------


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rmsprop_is_that_of_torch(centered, momentum):
    torch = pytest.importorskip("torch")
    keywords = {"centered": centered, "momentum": momentum, "weight_decay": 0.1}
    assert_like_torch(
        rmsprop(0.01, decay=0.99, epsilon=1e-3, **keywords, convention="torch"),
        lambda w: torch.optim.RMSprop(w, lr=0.01, eps=1e-3, **keywords),
        tolerance=1e-11,
    )


def rate(count):
    """Return a learning rate that changes from step to step."""
    return 0.1 / (1 + count)


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize(
    "keywords", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], ids=str
)
def test_rmsprop_is_that_of_optax_also_with_a_schedule(centered, keywords):
    optax = pytest.importorskip("optax")
    keywords = {"centered": centered, **keywords}
    theirs = optax.rmsprop(rate, eps=1e-3, **keywords)
    assert_like_optax(rmsprop(rate, epsilon=1e-3, **keywords, convention="optax"), theirs)


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("convention", ["paper", "keras"])
def test_rmsprop_is_its_formula(centered, convention):
    def formula(t, w, g, v, m, b):
        v, m = 0.9 * v + 0.1 * g**2, centered * (0.9 * m + 0.1 * g)
        b = 0.5 * b + rate(t - 1) * g / np.sqrt(v - m**2 + 1e-3)
        return w - b, v, m, b

    ours = rmsprop(rate, momentum=0.5, epsilon=1e-3, centered=centered, convention=convention)
    assert_like_plain(ours, formula, [0.0, 0.0, 0.0])


def test_a_variance_of_equal_gradients_is_not_negative():
    optimizer, g = rmsprop(0.1, centered=True, convention="torch"), np.full(5, 1 / 3)
    w, state = g, optimizer.init(g)
    for _ in range(300):  # the mean square and the squared mean end up equal, to rounding
        w, state = optimizer.step(w, g, state)
    assert np.isfinite(w).all()


# --- Adagrad and Adadelta -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"epsilon": 0.1}, {"eps": 0.1}),
        ({"learning_rate_decay": 0.1}, {"lr_decay": 0.1}),
        ({"initial_accumulator": 0.5}, {"initial_accumulator_value": 0.5}),
        ({"weight_decay": 0.1}, {"weight_decay": 0.1}),
    ],
    ids=str,
)
def test_adagrad_is_that_of_torch(ours, theirs):
    torch = pytest.importorskip("torch")
    assert_like_torch(
        adagrad(0.1, **ours, convention="torch"),
        lambda w: torch.optim.Adagrad(w, lr=0.1, **theirs),
    )


@pytest.mark.parametrize("initial", [0.0, 0.1])
def test_adagrad_is_that_of_optax(initial):
    optax = pytest.importorskip("optax")
    ours = adagrad(0.1, initial_accumulator=initial, epsilon=1e-3, convention="optax")
    theirs = optax.adagrad(0.1, initial_accumulator_value=initial, eps=1e-3)
    assert_like_optax(ours, theirs)
    assert_like_optax(ours, theirs, params=complex_tree())


@pytest.mark.parametrize("convention", ["paper", "keras"])
def test_adagrad_is_its_formula(convention):
    def formula(t, w, g, s):
        s = s + g**2
        return w - 0.1 * g / (np.sqrt(s) + 0.1 if convention == "paper" else np.sqrt(s + 0.1)), s

    assert_like_plain(adagrad(0.1, epsilon=0.1, convention=convention), formula, [0.0])


def test_a_sum_starts_in_the_dtype_of_its_parameter():
    params = {"a": np.ones((2, 3), np.float32), "b": np.asarray(1 + 1j)}
    state = adagrad(0.1, initial_accumulator=np.asarray(0.1)).init(params)
    found = state.slots["sum"]
    assert (found["a"].dtype, found["a"].shape) == (np.float32, (2, 3))
    assert (found["b"].dtype, type(found["b"])) == (np.float64, np.ndarray)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adadelta_is_that_of_torch_and_optax(decay):
    torch, optax = pytest.importorskip("torch"), pytest.importorskip("optax")
    ours = adadelta(0.5, decay=0.8, weight_decay=decay)
    keywords = {"rho": 0.8, "weight_decay": decay}
    assert_like_torch(ours, lambda w: torch.optim.Adadelta(w, lr=0.5, **keywords), tolerance=1e-11)
    assert_like_optax(ours, optax.adadelta(0.5, **keywords))


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "keywords"),
    [
        (rmsprop, {"learning_rate": -1.0}),
        (rmsprop, {"decay": 1.0}),
        (rmsprop, {"epsilon": -1e-8}),
        (rmsprop, {"momentum": 1.0}),
        (rmsprop, {"weight_decay": -0.1}),
        (rmsprop, {"convention": "mine"}),
        (rmsprop, {"nesterov": True}),
        (rmsprop, {"nesterov": True, "momentum": 0.9, "convention": "torch"}),
        (adagrad, {"learning_rate": -1.0}),
        (adagrad, {"learning_rate_decay": -1.0}),
        (adagrad, {"initial_accumulator": -1.0}),
        (adagrad, {"epsilon": -1.0}),
        (adagrad, {"convention": "mine"}),
        (adadelta, {"learning_rate": -1.0}),
        (adadelta, {"decay": 1.0}),
        (adadelta, {"epsilon": -1.0}),
        (adadelta, {"weight_decay": -1.0}),
    ],
)
def test_each_refuses(make, keywords):
    with pytest.raises(HyperparameterError, match=rf"`{next(iter(keywords))}` (must be|needs)"):
        make(**{"learning_rate": 0.1, **keywords})
