"""ADOPT and Sophia: steps of optax and of the papers, on every library."""

import math
import pickle

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.optimizers import adopt, sophia
from conformance_tests.optimizer_checks import (
    COSTS,
    STEPS,
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
    run_optax,
    run_plain,
    small_tree,
)
from conformance_tests.trees import assert_close, map_tree

OURS = {
    "adopt": adopt(0.05),
    "adopt-unclipped": adopt(0.01, clip=math.inf, weight_decay=0.1),
    "sophia": sophia(0.05, gamma=0.5, weight_decay=0.1),
    "sophia-optax": sophia(0.05, gamma=0.5, convention="optax"),
}
every_one = pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)


def diagonal(tree):
    """Return some diagonal of a Hessian, with negative elements."""
    return map_tree(lambda x: np.asarray(np.abs(x) ** 2 - 0.5), tree)


# --- ADOPT ----------------------------------------------------------------------------------------


def test_adopt_is_that_of_optax():
    contrib = pytest.importorskip("optax.contrib")
    ours = adopt(0.05, beta1=0.8, beta2=0.95, epsilon=1e-4)
    assert_like_optax(ours, contrib.adopt(0.05, b1=0.8, b2=0.95, eps=1e-4))
    ours = adopt(0.05, clip=math.inf)
    assert_like_optax(ours, contrib.adopt(0.05, use_clipping=False))


@pytest.mark.parametrize("params", [random_tree(), complex_tree()], ids=["real", "complex"])
def test_adopt_is_the_papers(params):
    def formula(t, w, g, m, v):
        squares = np.abs(g) ** 2
        if t == 1:
            return w, m, squares
        scaled = g / np.maximum(np.sqrt(np.abs(v)), 1e-6)
        sizes, bound = np.maximum(np.abs(scaled), 1e-300), (t - 1) ** 0.25
        m = 0.9 * m + 0.1 * scaled * np.minimum(sizes, bound) / sizes
        return w - 0.05 * m, m, 0.9999 * v + 0.0001 * squares

    assert_like_plain(adopt(0.05), formula, [0.0, 0.0], params=params)


# --- Sophia ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 10])
def test_sophia_is_that_of_optax(every):
    contrib, optax = pytest.importorskip("optax.contrib"), pytest.importorskip("optax")
    params, grads = random_tree(), gradients_like(random_tree())

    def estimate(updates, state, params=None):
        return map_tree(lambda x: x * x - 0.5, updates), state

    theirs = contrib.sophia(
        0.05,
        gamma=0.5,
        weight_decay=0.1,
        update_interval=every,
        hessian_diagonal_fn=optax.GradientTransformation(lambda params: (), estimate),
    )
    ours = sophia(0.05, gamma=0.5, weight_decay=0.1, convention="optax")
    found = run(
        ours,
        params,
        grads,
        lambda n: {"hessian_diagonal": None if n % every else diagonal(grads[n])},
    )
    assert_close(found, run_optax(theirs, params, grads), 1e-10)


@pytest.mark.parametrize("params", [random_tree(), complex_tree()], ids=["real", "complex"])
def test_sophia_is_the_papers(params):
    grads = gradients_like(params)

    def formula(t, w, g, m, h):
        m = 0.965 * m + 0.035 * g
        if t % 10 == 1:
            h = 0.99 * h + 0.01 * (np.abs(g) ** 2 - 0.5)
        ratio = m / np.maximum(0.5 * np.real(h), 1e-8)
        sizes = np.maximum(np.abs(ratio), 1e-300)
        w = w - 0.05 * 0.1 * w
        return w - 0.05 * ratio * np.minimum(sizes, 1) / sizes, m, h

    def extra(n):
        return {"hessian_diagonal": diagonal(grads[n])} if n % 10 == 0 else {}

    ours = run(OURS["sophia"], params, grads, extra)
    theirs = run_plain(formula, params, grads, [0.0, 0.0])
    assert_close(ours, theirs, 1e-12)


def test_sophia_refuses_diagonals_of_another_structure():
    w = {"a": np.ones(2)}
    optimizer = OURS["sophia"]
    with pytest.raises(StructureError, match="hessian_diagonal"):
        optimizer.step(w, w, optimizer.init(w), hessian_diagonal={"b": np.ones(2)})


def test_sophia_divides_by_curvature():
    params, scales = np.ones(3), np.asarray([1.0, 10.0, 100.0])
    optimizer = sophia(0.1, beta1=0.0, beta2=0.0, gamma=1.0)
    moved, _ = optimizer.step(
        params, scales * params, optimizer.init(params), hessian_diagonal=scales
    )
    np.testing.assert_allclose(moved, 0.9)


# --- every library, jit, derivatives, costs -------------------------------------------------------


def extra_of(optimizer):
    """Return what the steps of an optimizer ask for: every other one, a diagonal."""
    if not repr(optimizer).startswith("<optimizer sophia"):
        return None
    grads = gradients_like(small_tree(), STEPS)
    return lambda n: {"hessian_diagonal": diagonal(grads[n])} if n % 2 == 0 else {}


@every_one
def test_libraries_agree(backend, optimizer):
    assert_libraries_agree(backend, optimizer, extra_of(optimizer), steps=4)


@every_one
def test_steps_jit(optimizer):
    assert_jits(optimizer, extra_of(optimizer))


@every_one
def test_steps_are_differentiable(backend, optimizer):
    assert_differentiable(backend, optimizer)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("name", OURS)
def test_costs_descend(name, cost):
    curvature = {"quadratic": np.asarray([1.0, 3.0, 10.0]), "rosenbrock": None, "logistic": None}

    def extra(value, params):
        return {"hessian_diagonal": curvature[cost]} if name.startswith("sophia") else {}

    assert_descends(OURS[name], cost, extra=extra)


@every_one
def test_optimizers_can_be_pickled(optimizer):
    params = random_tree()
    grads = gradients_like(params, steps=3)
    again = run(pickle.loads(pickle.dumps(optimizer)), params, grads)
    assert_close(again, run(optimizer, params, grads), 0)


def test_numbers_out_of_range_are_refused():
    for make in (
        lambda: adopt(0.1, beta2=1.0),
        lambda: adopt(0.1, clip=-1.0),
        lambda: sophia(0.1, gamma=-1.0),
        lambda: sophia(0.1, convention="torch"),
    ):
        with pytest.raises(HyperparameterError):
            make()
