"""Adam and AdamW: steps of torch and optax, on every library."""

import pytest

from arraygrad.optimizers import adam
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_torch,
    complex_tree,
)


@pytest.mark.parametrize("convention", ["paper", "torch", "optax", "ivy"])
def test_adam_agrees_on_every_library(backend, convention):
    assert_libraries_agree(backend, adam(0.1, convention=convention))


def test_adam_is_that_of_torch():
    torch = pytest.importorskip("torch")
    assert_like_torch(adam(0.1, convention="torch"), lambda w: torch.optim.Adam(w, lr=0.1))


def test_adam_is_that_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(adam(0.1, convention="optax"), optax.adam(0.1))
    assert_like_optax(adam(0.1), optax.adam(0.1), params=complex_tree())


def test_adam_jits():
    assert_jits(adam(0.1))


def test_adam_is_differentiable(backend):
    assert_differentiable(backend, adam(0.1))


@pytest.mark.parametrize("cost", COSTS)
def test_adam_descends(cost):
    assert_descends(adam(0.05), cost)
