"""signSGD, Signum and Lion: steps of optax, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.optimizers import lion, signsgd, signum
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    complex_tree,
)

OURS = {
    "signsgd": signsgd(0.01),
    "signum": signum(0.01, momentum=0.8),
    "lion": lion(0.01, beta1=0.8, beta2=0.95, weight_decay=0.1),
}
every_one = pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)


def theirs(name):
    """Return optax's with the hyperparameters of ours."""
    optax = pytest.importorskip("optax")
    return {
        "signsgd": lambda: optax.sign_sgd(0.01),
        "signum": lambda: optax.signum(0.01, beta=0.8),
        "lion": lambda: optax.lion(0.01, b1=0.8, b2=0.95, weight_decay=0.1),
    }[name]()


@pytest.mark.parametrize("name", OURS)
def test_steps_are_those_of_optax(name):
    assert_like_optax(OURS[name], theirs(name))


def test_steps_of_complex_numbers_are_those_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(signsgd(0.01), optax.sign_sgd(0.01), params=complex_tree(), steps=20)
    assert_like_optax(signum(0.01), optax.signum(0.01), params=complex_tree(), steps=20)
    assert_like_optax(lion(0.01), optax.lion(0.01, weight_decay=0), params=complex_tree(), steps=20)


def test_lion_is_the_papers():
    def formula(t, w, g, m):
        w = w - 0.01 * (np.sign(0.8 * m + 0.2 * g) + 0.1 * w)
        return w, 0.95 * m + 0.05 * g

    assert_like_plain(OURS["lion"], formula, [0.0])


@every_one
def test_libraries_agree(backend, optimizer):
    assert_libraries_agree(backend, optimizer)


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: signsgd(-1.0),
        lambda: signum(0.1, momentum=1.0),
        lambda: lion(0.1, beta2=-0.1),
        lambda: lion(0.1, weight_decay=float("nan")),
    ],
)
def test_numbers_out_of_range_are_refused(make):
    with pytest.raises(HyperparameterError):
        make()


def test_lion_asks_for_the_parameters():
    w = np.ones(2)
    with pytest.raises(StructureError, match="params"):
        OURS["lion"].update(w, OURS["lion"].init(w))
