"""Noisy gradient descent and Polyak's step: steps of optax, on every library."""

import numpy as np
import pytest

from arraygrad._tree import flatten
from arraygrad.errors import HyperparameterError, ShapeError
from arraygrad.optimizers import noisy_sgd, polyak_sgd
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import (
    COSTS,
    STEPS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    complex_tree,
    gradients_like,
    run,
    run_optax,
    small_tree,
)
from conformance_tests.trees import assert_close, from_numpy, map_tree, to_numpy

NOISES = gradients_like(small_tree(), STEPS, seed=5)


def noise(n):
    """Return noise for the n-th step."""
    return {"noise": NOISES[n]}


def value(n):
    """Return a cost for the n-th step: some are below the minimum, one is huge."""
    return {"value": [3.0, 0.5, -0.25, 1e9][n % 4]}


POLYAK = {
    "sps": polyak_sgd(0.5, f_min=0.1, epsilon=1e-3),
    "sps+": polyak_sgd(0.5, f_min=0.1, epsilon=1e-3, variant="sps+"),
}
every_polyak = pytest.mark.parametrize("variant", POLYAK)


# --- noise ----------------------------------------------------------------------------------------


def test_noisy_sgd_is_that_of_optax_on_its_noise():
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    backend, params = load("jax"), small_tree()
    grads = gradients_like(params, steps=30)
    noises, source = [], optax.add_noise(0.3, 0.7, key=1)
    zeros = from_numpy(backend, map_tree(np.zeros_like, params))
    state, draw = source.init(zeros), jax.jit(source.update)
    for n in range(30):
        drawn, state = draw(zeros, state)
        deviation = (0.3 / (n + 1) ** 0.7) ** 0.5
        noises.append(map_tree(lambda x, s=deviation: x / s, to_numpy(backend, drawn)))
    ours = noisy_sgd(0.1, eta=0.3, gamma=0.7)
    found = run(ours, params, grads, lambda n: {"noise": noises[n]})
    theirs = run_optax(optax.noisy_sgd(0.1, eta=0.3, gamma=0.7, key=1), params, grads)
    assert_close(found, theirs, 1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_a_generator_draws_the_noise(backend, dtype):
    params = {"a": backend.asarray(np.zeros((500, 8)), dtype), "b": backend.asarray(0.0, dtype)}
    optimizer = noisy_sgd(1.0, eta=4.0)
    state = optimizer.init(params)
    ends = []
    for seed in (0, 0, 1):
        rng = np.random.default_rng(seed)
        end, _ = optimizer.step(params, params, state, rng=rng)
        assert end["a"].dtype == backend.dtype(dtype)
        ends.append(backend.to_numpy(end["a"]))
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.all(ends[0] != ends[2])
    assert abs(np.mean(ends[0])) < 0.15
    assert np.mean(np.abs(ends[0]) ** 2) == pytest.approx(4, rel=0.1)


def test_updates_take_a_generator_too():
    w, optimizer = np.zeros(3), noisy_sgd(1.0, eta=1.0)
    state = optimizer.init(w)
    update, state = optimizer.update(w, state, rng=np.random.default_rng(3))
    np.testing.assert_allclose(update, -np.random.default_rng(3).standard_normal(3))
    assert state.count == 1


def test_noise_must_come_from_somewhere():
    w, optimizer = np.zeros(3), noisy_sgd(1.0)
    with pytest.raises(HyperparameterError, match="rng"):
        optimizer.step(w, w, optimizer.init(w))
    with pytest.raises(ShapeError, match="noise"):
        optimizer.step(w, w, optimizer.init(w), noise=np.zeros(2))


def test_noisy_sgd_agrees_on_every_library(backend):
    assert_libraries_agree(backend, noisy_sgd(0.1), noise, steps=4)


def test_noisy_sgd_jits():
    assert_jits(noisy_sgd(0.1), noise)


def test_noisy_sgd_is_differentiable(backend):
    assert_differentiable(backend, noisy_sgd(0.1), lambda n: {"rng": np.random.default_rng(n)})


@pytest.mark.parametrize("cost", COSTS)
def test_noisy_sgd_descends(cost):
    rng = np.random.default_rng(0)
    rate = 1e-3 if cost == "rosenbrock" else 0.1
    assert_descends(noisy_sgd(rate), cost, extra=lambda value, params: {"rng": rng})


# --- Polyak's step --------------------------------------------------------------------------------


class WithValues:
    """An optax transformation that is given the cost of each step by its number."""

    def __init__(self, transformation, values):
        self.init = lambda params: (0, transformation.init(params))
        self.transformation, self.values = transformation, values

    def update(self, updates, state, params):
        """Return updates, and the next state."""
        count, state = state
        value = self.values[count]
        updates, state = self.transformation.update(updates, state, params, value=value)
        return updates, (count + 1, state)


@every_polyak
@pytest.mark.parametrize("params", [small_tree(), complex_tree()], ids=["real", "complex"])
def test_polyak_sgd_is_that_of_optax(variant, params):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    load("jax")
    values = jax.numpy.asarray([value(n)["value"] for n in range(STEPS)])
    theirs = optax.polyak_sgd(0.5, f_min=0.1, eps=1e-3, variant=variant)
    grads = gradients_like(params)
    found = run(POLYAK[variant], params, grads, value)
    assert_close(found, run_optax(WithValues(theirs, values), params, grads), 1e-10)


def test_the_norm_is_that_of_all_leaves():
    params = {"a": np.asarray([3.0]), "b": np.asarray(4.0)}
    optimizer = polyak_sgd(scaling=0.5)
    moved, _ = optimizer.step(params, params, optimizer.init(params), value=5.0)
    assert_close(moved, map_tree(lambda x: np.asarray(0.9 * x), params), 1e-14)


def test_no_gradient_no_step(backend):
    w = backend.asarray([1.0, 2.0])
    optimizer = polyak_sgd()
    moved, _ = optimizer.step(w, 0 * w, optimizer.init(w), value=1.0)
    np.testing.assert_array_equal(backend.to_numpy(moved), [1.0, 2.0])
    empty, _ = optimizer.step({}, {}, optimizer.init({}), value=1.0)
    assert flatten(empty)[0] == []


def test_the_value_may_be_an_array(backend):
    w = backend.asarray([1.0, 2.0], "float32")
    optimizer = polyak_sgd()
    cost = backend.asarray(5.0)
    moved, _ = optimizer.step(w, 2 * w, optimizer.init(w), value=cost)
    assert moved.dtype == backend.dtype("float32")
    np.testing.assert_allclose(backend.to_numpy(moved), [0.5, 1.0])


def test_polyak_sgd_needs_the_value():
    w = np.ones(2)
    with pytest.raises(HyperparameterError, match="value"):
        polyak_sgd().step(w, w, polyak_sgd().init(w))


@every_polyak
def test_polyak_sgd_agrees_on_every_library(backend, variant):
    assert_libraries_agree(backend, POLYAK[variant], value, steps=4)


@every_polyak
def test_polyak_sgd_jits(variant):
    assert_jits(POLYAK[variant], value)


@every_polyak
def test_polyak_sgd_is_differentiable(backend, variant):
    assert_differentiable(backend, POLYAK[variant], lambda n: {"value": 1.0 + n})


@pytest.mark.parametrize("cost", COSTS)
def test_polyak_sgd_descends(cost):
    assert_descends(polyak_sgd(10.0), cost, extra=lambda value, params: {"value": value})


def test_numbers_out_of_range_are_refused():
    for make in (
        lambda: noisy_sgd(0.1, eta=-1.0),
        lambda: polyak_sgd(-1.0),
        lambda: polyak_sgd(variant="sps-"),
    ):
        with pytest.raises(HyperparameterError):
            make()
