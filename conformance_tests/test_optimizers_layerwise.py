"""LARS, LAMB, NovoGrad and Fromage: steps of optax and of the papers, on every library."""

import functools
import math

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import fromage, lamb, lars, novograd
from arraygrad.updates import lamb_update, lars_update
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
from conformance_tests.trees import assert_close, map_tree

OURS = {
    "lars": lars(0.2, weight_decay=0.01, trust_coefficient=0.5, momentum=0.5),
    "lars-optax": lars(0.2, trust_coefficient=0.05, nesterov=True, convention="optax"),
    "lars-alone": lars(0.2, weight_decay=0.01, trust_coefficient=0.5, momentum=0),
    "lars-ivy": lars(0.1, convention="ivy"),
    "lamb": lamb(0.05, weight_decay=0.01, max_trust_ratio=2.0),
    "lamb-ivy": lamb(0.05, epsilon=1e-7, max_trust_ratio=10.0, convention="ivy"),
    "novograd": novograd(0.02, weight_decay=0.001),
    "fromage": fromage(0.05, min_norm=0.5),
}
every_one = pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)


# --- parity with optax ----------------------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_is_that_of_optax(nesterov):
    optax = pytest.importorskip("optax")
    ours = lars(0.1, nesterov=nesterov, weight_decay=0.1, epsilon=1e-3, convention="optax")
    assert_like_optax(ours, optax.lars(0.1, nesterov=nesterov, weight_decay=0.1, eps=1e-3))
    ours, theirs = lars(0.1, convention="optax"), optax.lars(0.1)
    assert_like_optax(ours, theirs, params=complex_tree(), steps=20)


def test_without_decay_the_paper_has_optaxs_ratio():
    optax = pytest.importorskip("optax")
    assert_like_optax(lars(0.1), optax.lars(0.1))


def test_lars_without_momentum_remembers_nothing():
    optax = pytest.importorskip("optax")
    ours, theirs = lars(0.1, momentum=0, convention="optax"), optax.lars(0.1, momentum=0)
    assert not ours.init(random_tree()).slots
    assert_like_optax(ours, theirs, params=complex_tree(), steps=20)
    assert_like_optax(lars(0.1, momentum=0), theirs)


def test_lamb_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = lamb(0.05, beta1=0.8, beta2=0.95, weight_decay=0.1)
    assert_like_optax(ours, optax.lamb(0.05, b1=0.8, b2=0.95, weight_decay=0.1))
    assert_like_optax(lamb(0.05), optax.lamb(0.05), params=complex_tree(), steps=20)


def test_novograd_is_that_of_optax():
    optax = pytest.importorskip("optax")
    ours = novograd(0.05, beta1=0.9, beta2=0.5, epsilon=1e-3, weight_decay=0.1)
    assert_like_optax(ours, optax.novograd(0.05, b1=0.9, b2=0.5, eps=1e-3, weight_decay=0.1))


def test_fromage_is_that_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(fromage(0.05), optax.fromage(0.05))
    assert_like_optax(fromage(0.05, min_norm=3.0), optax.fromage(0.05, min_norm=3.0))


# --- the papers' pseudo-code, and the page's functions --------------------------------------------


def norm(x):
    return math.sqrt(np.sum(np.abs(x) ** 2))


def test_lars_is_the_papers():
    def formula(t, w, g, v):
        divisor = norm(g) + 0.1 * norm(w)
        ratio = 0.01 * norm(w) / divisor if norm(w) and divisor else 1.0
        v = 0.9 * v + 0.2 * ratio * (g + 0.1 * w)
        return w - v, v

    assert_like_plain(lars(0.2, weight_decay=0.1, trust_coefficient=0.01), formula, [0.0])


def test_nesterovs_lars_looks_ahead():
    def formula(t, w, g, v):
        ratio = 0.001 * norm(w) / norm(g) if norm(w) and norm(g) else 1.0
        v = 0.9 * v + 0.2 * ratio * g
        return w - (0.9 * v + 0.2 * ratio * g), v

    assert_like_plain(lars(0.2, nesterov=True), formula, [0.0])


def test_lamb_is_the_papers():
    def formula(t, w, g, m, v):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        u = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-6) + 0.01 * w
        ratio = min(norm(w) / norm(u), 2.0) if norm(w) and norm(u) else 1.0
        return w - 0.05 * ratio * u, m, v

    assert_like_plain(OURS["lamb"], formula, [0.0, 0.0])


def test_novograd_is_the_papers():
    def formula(t, w, g, m, v):
        v = np.full_like(w, norm(g) ** 2) if t == 1 else 0.98 * v + 0.02 * norm(g) ** 2
        m = 0.95 * m + g / (np.sqrt(v) + 1e-8) + 0.001 * w
        return w - 0.02 * m, m, v

    assert_like_plain(OURS["novograd"], formula, [0.0, 0.0])
    assert_like_plain(OURS["novograd"], formula, [0.0, 0.0], params=complex_tree())


def test_fromage_is_the_papers():
    def formula(t, w, g):
        ratio = norm(w) / norm(g) if norm(w) and norm(g) else 1.0
        return ((w - 0.05 * ratio * g) / math.sqrt(1 + 0.05**2),)

    assert_like_plain(fromage(0.05, min_norm=0.0), formula)
    assert_like_plain(fromage(0.05, min_norm=0.0), formula, params=complex_tree())


def test_fromage_takes_steps_of_one_relative_size():
    params = {"small": np.asarray([1e-3, 2e-3]), "large": np.asarray([[3e3]])}
    grads = map_tree(lambda w: w[::-1] ** 2 + 1, params)
    optimizer = fromage(0.1)
    updates, _ = optimizer.update(grads, optimizer.init(params), params)
    for name, w in params.items():
        moved = updates[name] * math.sqrt(1.01) + (math.sqrt(1.01) - 1) * w
        assert norm(moved) == pytest.approx(0.1 * norm(w))


def test_the_convention_ivy_is_that_of_the_pages_functions():
    params, grads = random_tree(), gradients_like(random_tree(), steps=5)
    w = params
    for g in grads:
        w = lars_update(w, g, 0.1, decay_lambda=0.2)
    assert_close(run(lars(0.1, weight_decay=0.2, convention="ivy"), params, grads), w, 1e-12)
    w, m, v = params, map_tree(np.zeros_like, params), map_tree(np.zeros_like, params)
    for n, g in enumerate(grads):
        w, m, v = lamb_update(w, g, 0.05, m, v, n + 1, decay_lambda=0.2)
    ours = functools.partial(lamb, epsilon=1e-7, max_trust_ratio=10.0, convention="ivy")
    assert_close(run(ours(0.05, weight_decay=0.2), params, grads), w, 1e-12)


# --- every library, jit, derivatives, costs -------------------------------------------------------


@every_one
def test_libraries_agree(backend, optimizer):
    assert_libraries_agree(backend, optimizer, steps=4)


@pytest.mark.parametrize("name", ["lars", "lamb", "novograd"])
def test_libraries_agree_on_complex_numbers(backend, name):
    assert_libraries_agree(backend, OURS[name], params=complex_tree(), steps=3)


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


def test_single_precision_is_kept(backend):
    params = {"w": backend.asarray([[1.0, -2.0], [0.5, 3.0]], "float32")}
    for optimizer in OURS.values():
        moved, state = optimizer.step(params, params, optimizer.init(params))
        assert moved["w"].dtype == backend.dtype("float32")
        kept = [slot["w"].dtype for slot in state.slots.values()]
        assert kept == [backend.dtype("float32")] * len(kept)


def test_numbers_out_of_range_are_refused():
    for make in (
        lambda: lars(0.1, momentum=1.0),
        lambda: lars(0.1, convention="keras"),
        lambda: lars(0.1, convention="ivy", momentum=0.9),
        lambda: lars(0.1, convention="ivy", nesterov=True),
        lambda: lamb(0.1, max_trust_ratio=-1.0),
        lambda: novograd(0.1, beta2=1.0),
        lambda: fromage(-0.1),
    ):
        with pytest.raises(HyperparameterError):
            make()
