"""Prodigy and D-Adaptation: optimizers that find their rate in sums over all leaves."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._tree import flatten, unflatten
from arraygrad.errors import HyperparameterError, ShapeError, StructureError
from arraygrad.optimizers import dadapt_adamw, prodigy
from conformance_tests.optimizer_checks import (
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    complex_tree,
    gradients_like,
    random_tree,
    run,
)
from conformance_tests.trees import assert_close

OPTIMIZERS = {"dadapt_adamw": dadapt_adamw, "prodigy": prodigy}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
B1, B2, B3, EPS, WD, D0 = 0.9, 0.99, 0.99**0.5, 1e-3, 0.1, 1e-2
GIVEN = {"beta2": B2, "epsilon": EPS, "weight_decay": WD, "initial_distance": D0}


def _plain_prodigy(params, gradients):
    """Take the steps of algorithm 4, on all parameters as one vector."""
    w, start = params, params
    m, v, s, r, d = 0.0, 0.0, 0.0, 0.0, D0
    for g in gradients:
        m = B1 * m + (1 - B1) * d * g
        v = B2 * v + (1 - B2) * d**2 * np.abs(g) ** 2
        r = B3 * r + (1 - B3) * 0.5 * d**2 * np.real(np.vdot(g, start - w))
        s = B3 * s + (1 - B3) * 0.5 * d**2 * g
        w = w - 0.5 * d * (m / (np.sqrt(v) + d * EPS) + WD * w)
        d = max(d, r / np.sum(np.abs(s)))
    return w


def _plain_dadapt(params, gradients):
    """Take the steps of algorithm 5, on all parameters as one vector."""
    w = params
    m, v, s, r, d = 0.0, 0.0, np.zeros_like(w), 0.0, D0
    for g in gradients:
        m = B1 * m + (1 - B1) * d * 0.5 * g
        v = B2 * v + (1 - B2) * np.abs(g) ** 2
        scale = np.sqrt(v) + EPS
        w = w - m / scale - d * 0.5 * WD * w
        r = B3 * r + (1 - B3) * d * 0.5 * np.real(np.vdot(g, s / scale))
        s = B3 * s + (1 - B3) * d * 0.5 * g
        d = max(d, r / ((1 - B3) * np.sum(np.abs(s))))
    return w


@pytest.mark.parametrize("tree", [random_tree, complex_tree])
@pytest.mark.parametrize(
    ("make", "plain"), [(prodigy, _plain_prodigy), (dadapt_adamw, _plain_dadapt)]
)
def test_steps_are_the_papers(make, plain, tree):
    params = tree()
    gradients = [unflatten(flatten(g)[1], [x + 0.1 for x in flatten(g)[0]])
                 for g in gradients_like(params)]  # fmt: skip
    ours = run(make(0.5, **GIVEN), params, gradients)
    theirs = plain(_vector(params), [_vector(g) for g in gradients])
    assert_close(_vector(ours), theirs, 1e-12)


def _vector(tree):
    return np.concatenate([np.ravel(x) for x in flatten(tree)[0]])


@every_optimizer
def test_steps_are_optaxs(make):
    contrib = pytest.importorskip("optax.contrib")
    theirs = getattr(contrib, make.__name__)(
        0.5, betas=(B1, B2), eps=EPS, weight_decay=WD, estim_lr0=D0
    )
    assert_like_optax(make(0.5, **GIVEN, convention="optax"), theirs)


def test_prodigys_options_are_optaxs():
    contrib = pytest.importorskip("optax.contrib")
    assert_like_optax(
        prodigy(lambda n: 1 / (1 + n), beta3=0.7, growth=2.0, convention="optax"),
        contrib.prodigy(lambda n: 1 / (1 + n), beta3=0.7, estim_lr_coef=2.0),
    )


@every_optimizer
def test_libraries_agree(backend, make):
    assert_libraries_agree(backend, make(convention="optax", **GIVEN), steps=4)


@every_optimizer
@pytest.mark.parametrize("convention", ["paper", "optax"])
def test_steps_run_inside_jit(make, convention):
    assert_jits(make(convention=convention, **GIVEN))


@every_optimizer
def test_steps_are_differentiable(backend, make):
    assert_differentiable(backend, make(**GIVEN), steps=2)


@every_optimizer
@pytest.mark.parametrize("cost", ["quadratic", "rosenbrock", "logistic"])
def test_costs_descend_without_a_rate(make, cost):
    distance = {"quadratic": 1e-2, "rosenbrock": 1e-3, "logistic": 1e-3}[cost]
    assert_descends(make(initial_distance=distance), cost, steps=300)


@every_optimizer
def test_the_distance_grows_and_stays_below_the_true_one(make):
    optimizer, w = make(initial_distance=1e-4), np.asarray([3.0, -4.0])
    state, distances = optimizer.init(w), [1e-4]
    for _ in range(200):
        w, state = optimizer.step(w, np.sign(w) * np.sqrt(np.abs(w)), state)
        distances.append(float(state.slots["distance"]))
    assert distances == sorted(distances)
    assert 0.01 < distances[-1] < 10


@every_optimizer
def test_no_gradient_and_no_leaf_change_nothing(backend, make):
    optimizer, w = make(), {"a": backend.asarray([1.0, 2.0])}
    state = optimizer.init(w)
    moved, state = optimizer.step(w, {"a": backend.asarray([0.0, 0.0])}, state)
    np.testing.assert_array_equal(backend.to_numpy(moved["a"]), [1.0, 2.0])
    assert float(state.slots["distance"]) == 1e-6
    moved, state = optimizer.step({}, {}, optimizer.init({}))
    assert moved == {}
    assert state.count == 1


@every_optimizer
def test_sums_are_wide_and_parameters_keep_their_dtypes(backend, make):
    w = {"a": backend.asarray([1.0], "float32"), "b": backend.asarray([1.0], "float64")}
    optimizer = make()
    moved, state = optimizer.step(w, w, optimizer.init(w))
    assert [moved[name].dtype for name in "ab"] == [w[name].dtype for name in "ab"]
    assert state.slots["distance"].dtype == backend.dtype("float64")


@every_optimizer
def test_a_raw_state_meets_traced_parameters(backend, make):
    optimizer, w = make(convention="optax"), backend.asarray([1.0, 2.0])
    state = optimizer.init(w)
    jacobian = ag.jac(lambda x: optimizer.step(x, x * x, state)[0])(w)
    assert jacobian.shape == (2, 2)


@every_optimizer
def test_mistakes_are_refused(make):
    optimizer, params = make(), {"a": np.zeros(2)}
    state = optimizer.init(params)
    with pytest.raises(StructureError, match="params"):
        optimizer.update(params, state)
    with pytest.raises(ShapeError, match=r"\['a'\]"):
        optimizer.step(params, {"a": np.zeros(3)}, state)
    with pytest.raises(HyperparameterError, match="initial_distance"):
        make(initial_distance=-1.0)
    with pytest.raises(HyperparameterError, match="convention"):
        make(convention="torch")
