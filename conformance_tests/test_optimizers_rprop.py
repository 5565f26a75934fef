"""Rprop and averaged gradient descent: steps of torch, on every library."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._namespace import array_namespace
from arraygrad.errors import DtypeError, HyperparameterError
from arraygrad.optimizers import asgd, rprop
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_plain,
    assert_like_torch,
    complex_tree,
    gradients_like,
    random_tree,
)
from conformance_tests.trees import assert_close

CASES = {
    "rprop": rprop(0.1),
    "rprop-torch": rprop(0.1, convention="torch"),
    "asgd": asgd(0.1),
    "asgd-started": asgd(0.1, start=3, decay=0.1, weight_decay=0.1),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)


@every_case
def test_each_agrees_on_every_library(backend, optimizer):
    assert_libraries_agree(backend, optimizer)


@every_case
def test_each_jits(optimizer):
    assert_jits(optimizer)


@every_case
def test_each_is_differentiable(backend, optimizer):
    assert_differentiable(backend, optimizer)


@every_case
@pytest.mark.parametrize("cost", COSTS)
def test_each_descends(cost, optimizer):
    if optimizer.name == "asgd" and cost == "rosenbrock":
        optimizer = asgd(0.001)
    assert_descends(optimizer, cost, to=0.8)


# --- Rprop ----------------------------------------------------------------------------------------


def test_rprop_is_that_of_torch():
    torch = pytest.importorskip("torch")
    assert_like_torch(rprop(convention="torch"), lambda w: torch.optim.Rprop(w))
    assert_like_torch(
        rprop(0.1, eta_minus=0.3, eta_plus=1.5, smallest=1e-3, largest=0.2, convention="torch"),
        lambda w: torch.optim.Rprop(w, lr=0.1, etas=(0.3, 1.5), step_sizes=(1e-3, 0.2)),
    )


def test_the_paper_undoes_a_step_after_a_change_of_sign():
    @np.vectorize
    def one(w, g, size, last, move):
        if g * last > 0:
            size = min(1.2 * size, 0.2)
            move = -np.sign(g) * size
        elif g * last < 0:
            size = max(0.5 * size, 1e-3)
            move, g = -move, 0.0
        else:
            move = -np.sign(g) * size
        return w + move, size, g, move

    def formula(t, *row):
        return one(*row) if row[0].size else row[:1] + row[2:]

    assert_like_plain(rprop(0.1, smallest=1e-3, largest=0.2), formula, [0.1, 0.0, 0.0])


def test_signs_are_compared_without_underflow():
    optimizer, g = rprop(0.1), np.asarray([1e-200])
    w, state = np.zeros(1), optimizer.init(g)
    for _ in range(2):
        w, state = optimizer.step(w, g, state)
    np.testing.assert_allclose(w, [-0.22])  # grown, though g·g is 0


def test_the_first_size_has_a_gradient(backend):
    def end(size):
        optimizer, g = rprop(size), backend.asarray([1.0, 2.0])
        w, state = g, optimizer.init(g)
        for _ in range(3):
            w, state = optimizer.step(w, g, state)
        return array_namespace(w).sum(w)

    found = ag.grad(end)(backend.asarray(0.1))
    np.testing.assert_allclose(backend.to_numpy(found), -2 * (1.2 + 1.2**2 + 1), rtol=1e-12)


def test_rprop_refuses_complex_parameters():
    with pytest.raises(DtypeError, match="`params` must be real"):
        rprop(0.1).init(complex_tree())


# --- averages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        (
            {"decay": 0.1, "power": 0.6, "start": 10, "weight_decay": 0.1},
            {"lambd": 0.1, "alpha": 0.6, "t0": 10, "weight_decay": 0.1},
        ),
    ],
    ids=str,
)
def test_parameters_and_averages_are_those_of_torch(ours, theirs, torch_in_double):
    torch, made = torch_in_double, []

    def make(w):
        made.append(torch.optim.ASGD(w, lr=0.1, **theirs))
        return made[-1]

    assert_like_torch(asgd(0.1, **ours), make)
    (optimizer,) = made
    params, averages = random_tree(), [s["ax"].numpy() for s in optimizer.state.values()]
    state = asgd(0.1, **ours).init(params)
    for grads in gradients_like(params):
        params, state = asgd(0.1, **ours).step(params, grads, state)
    found = state.slots["average"]
    nested = found["nested"]
    leaves = [found["bias"], nested["none"], nested["one"], nested["scale"], *found["weights"]]
    assert_close(leaves, averages, 1e-12)


@pytest.fixture
def torch_in_double():
    """Return torch where its rates, too, are numbers of double precision."""
    torch = pytest.importorskip("torch")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(usual)


def test_averages_take_complex_parameters(backend):
    assert_libraries_agree(backend, asgd(0.1, start=0), params=complex_tree(), steps=2)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "keywords"),
    [
        (rprop, {"learning_rate": -1.0}),
        (rprop, {"learning_rate": abs}),
        (rprop, {"eta_minus": 1.0}),
        (rprop, {"eta_plus": 1.0}),
        (rprop, {"smallest": -1.0}),
        (rprop, {"convention": "keras"}),
        (asgd, {"learning_rate": -1.0}),
        (asgd, {"decay": -1.0}),
        (asgd, {"power": -1.0}),
        (asgd, {"start": -1.0}),
        (asgd, {"weight_decay": -1.0}),
    ],
)
def test_each_refuses(make, keywords):
    with pytest.raises(HyperparameterError, match=rf"`{next(iter(keywords))}` (must be|is the)"):
        make(**{"learning_rate": 0.1, **keywords})
