"""Optimizers around others: schedule-free, lookahead, sharpness-aware."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._namespace import array_namespace
from arraygrad._tree import flatten, map_leaves, unflatten
from arraygrad.errors import HyperparameterError, ShapeError, StructureError
from arraygrad.optimizers import (
    adam,
    apply_updates,
    lookahead,
    sam,
    schedule_free,
    schedule_free_adamw,
    schedule_free_params,
    schedule_free_sgd,
    sgd,
)
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    complex_tree,
    gradients_like,
    random_tree,
    run,
    run_optax,
)
from conformance_tests.trees import assert_close, from_numpy, to_numpy


def half(tree):
    """Return a gradient that depends on where it is taken."""
    return map_leaves(lambda x: 0.5 * x + 0.1 * x * x, tree)


def with_gradient(_):
    """Bring what `sam` asks for."""
    return {"gradient": half}


OPTIMIZERS = {
    "schedule_free_sgd": (lambda rate: schedule_free_sgd(rate, weight_decay=0.1), None),
    "schedule_free_adamw": (lambda rate: schedule_free_adamw(rate, weight_decay=0.1), None),
    "lookahead": (lambda rate: lookahead(adam(rate), sync_period=3), None),
    "lookahead-reset": (
        lambda rate: lookahead(adam(rate), sync_period=3, reset_state=True), None),
    "sam": (lambda rate: sam(adam(rate), radius=0.1), with_gradient),
    "sam-adaptive": (lambda rate: sam(sgd(rate), radius=0.1, adaptive=True), with_gradient),
}  # fmt: skip
every_optimizer = pytest.mark.parametrize(
    ("make", "extra"), OPTIMIZERS.values(), ids=list(OPTIMIZERS)
)


# --- schedule-free --------------------------------------------------------------------------------


def warmup(n):
    """Return a rate that rises over five steps; of numbers and arrays."""
    return 0.1 - 0.02 * (5 - n) * (n < 5)


def test_schedule_free_sgd_is_optaxs():
    contrib = pytest.importorskip("optax.contrib")
    assert_like_optax(
        schedule_free_sgd(0.1, beta1=0.8, weight_decay=0.1, weight_power=1.0),
        contrib.schedule_free_sgd(0.1, b1=0.8, weight_decay=0.1, weight_lr_power=1.0),
    )


def test_schedule_free_adamw_is_optaxs():
    contrib = pytest.importorskip("optax.contrib")
    assert_like_optax(
        schedule_free_adamw(0.1, beta2=0.99, weight_decay=0.1),
        contrib.schedule_free_adamw(0.1, b2=0.99, weight_decay=0.1),
    )


def test_a_mean_may_have_a_rate_of_its_own():
    optax = pytest.importorskip("optax")
    # optax weighs step n by the rate of step n + 1
    assert_like_optax(
        schedule_free(adam(warmup, beta1=0.0), lambda n: warmup(n + 1)),
        optax.contrib.schedule_free(optax.adam(warmup, b1=0.0), warmup),
    )


def _plain_schedule_free(w, gradients):
    """Take the steps of algorithm 1, and return y, x and z."""
    x = y = z = w
    v, total = 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        v = 0.99 * v + 0.01 * np.abs(g) ** 2
        rate = 0.1 * min(1, t / 5)
        z = z - rate * (g / (np.sqrt(v / (1 - 0.99**t)) + 1e-8) + 0.1 * y)
        total += rate**2
        x = (1 - rate**2 / total) * x + rate**2 / total * z
        y = 0.1 * z + 0.9 * x
    return y, x, z


@pytest.mark.parametrize("tree", [random_tree, complex_tree])
def test_schedule_free_adamw_is_the_papers(tree):
    params = tree()
    gradients = gradients_like(params)
    optimizer = schedule_free_adamw(
        lambda n: 0.1 * min(1, (n + 1) / 5), beta2=0.99, weight_decay=0.1
    )
    state, y = optimizer.init(params), params
    for grads in gradients:
        y, state = optimizer.step(y, grads, state)
    ours = [flatten(x)[0] for x in (y, schedule_free_params(y, state), state.z)]
    columns = zip(*(flatten(g)[0] for g in gradients), strict=True)
    for n, (w, column) in enumerate(zip(flatten(params)[0], columns, strict=True)):
        for found, expected in zip(ours, _plain_schedule_free(w, column), strict=True):
            assert_close(np.asarray(found[n]), np.asarray(expected), 1e-12)


def test_the_mean_of_no_rate_is_the_start(backend):
    optimizer, w = schedule_free_sgd(0.0), backend.asarray([1.0, 2.0])
    moved, state = optimizer.step(w, w, optimizer.init(w))
    np.testing.assert_array_equal(backend.to_numpy(moved), [1.0, 2.0])
    mean = schedule_free_params(moved, state)
    np.testing.assert_allclose(backend.to_numpy(mean), [1.0, 2.0])


@pytest.mark.parametrize("make", [schedule_free_sgd, schedule_free_adamw])
@pytest.mark.parametrize("cost", ["quadratic", "rosenbrock", "logistic"])
def test_the_mean_descends(make, cost):
    function, y = COSTS[cost]
    first, _ = function(y)
    rosenbrock, logistic = 1e-3 if make is schedule_free_sgd else 0.1, 1.0
    optimizer = make({"quadratic": 0.1, "rosenbrock": rosenbrock, "logistic": logistic}[cost])
    state = optimizer.init(y)
    for _ in range(200):
        y, state = optimizer.step(y, function(y)[1], state)
    assert function(schedule_free_params(y, state))[0] < 0.5 * first


def test_schedule_free_refuses_what_it_cannot_do():
    with pytest.raises(HyperparameterError, match="beta1"):
        schedule_free(sgd(0.1), beta1=0.0)
    w = np.ones(2)
    optimizer = schedule_free(lookahead(sgd(0.1)))
    with pytest.raises(HyperparameterError, match="learning_rate"):
        optimizer.step(w, w, optimizer.init(w))
    with pytest.raises(StructureError, match="schedule-free"):
        schedule_free_params(w, sgd(0.1).init(w))


# --- lookahead ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True])
def test_lookahead_is_optaxs(reset):
    optax = pytest.importorskip("optax")
    params, gradients = random_tree(), gradients_like(random_tree())
    inner = optax.lookahead(optax.adam(0.1), 6, 0.3, reset_state=reset)

    def update(grads, state, fast):
        both = optax.LookaheadParams(fast, state[1])
        updates, after = inner.update(grads, state[0], both)
        return updates.fast, (after, optax.apply_updates(state[1], updates.slow))

    def init(fast):
        return inner.init(optax.LookaheadParams.init_synced(fast)), fast

    theirs = run_optax(optax.GradientTransformation(init, update), params, gradients)
    ours = lookahead(adam(0.1), sync_period=6, slow_step_size=0.3, reset_state=reset)
    assert_close(run(ours, params, gradients), theirs, 1e-10)


def test_slow_weights_change_when_they_meet_the_fast_ones():
    optimizer, w = lookahead(sgd(1.0), sync_period=3, slow_step_size=0.5), np.zeros(2)
    state, seen = optimizer.init(w), []
    for _ in range(6):
        w, state = optimizer.step(w, np.ones(2), state)
        seen.append((w[0], state.slow[0]))
    assert seen == [(-1, 0), (-2, 0), (-1.5, -1.5), (-2.5, -1.5), (-3.5, -1.5), (-3, -3)]


@pytest.mark.parametrize("period", [0, 1.5])
def test_a_period_is_a_number_of_steps(period):
    with pytest.raises(HyperparameterError, match="sync_period"):
        lookahead(sgd(0.1), sync_period=period)


# --- sharpness-aware ------------------------------------------------------------------------------


def test_sam_is_optaxs():
    optax = pytest.importorskip("optax")
    backend, params = load("jax"), random_tree()
    uphill = optax.chain(optax.contrib.normalize(), optax.sgd(0.3))
    theirs = optax.contrib.sam(optax.adam(0.1), uphill, opaque_mode=True)
    ours, w = sam(adam(0.1), radius=0.3), from_numpy(backend, params)
    expected = from_numpy(backend, params)
    state, theirs_state = ours.init(w), theirs.init(expected)
    for _ in range(10):
        w, state = ours.step(w, half(w), state, gradient=half)
        updates, theirs_state = theirs.update(
            half(expected), theirs_state, expected, grad_fn=lambda p, _: half(p)
        )
        expected = optax.apply_updates(expected, updates)
    assert_close(to_numpy(backend, w), to_numpy(backend, expected), 1e-10)


@pytest.mark.parametrize("tree", [random_tree, complex_tree])
def test_adaptive_sam_is_the_papers(tree):
    w, treedef = flatten(tree())
    ours, state = sam(sgd(0.1), radius=0.5, adaptive=True), None
    params = tree()
    state = ours.init(params)
    for _ in range(20):
        params, state = ours.step(params, half(params), state, gradient=half)
        g, sizes = half(w), [np.abs(x) + 0.01 for x in w]
        length = np.sqrt(sum(np.sum(np.abs(t * x) ** 2) for t, x in zip(sizes, g, strict=True)))
        up = [0.5 * t**2 * x / length for t, x in zip(sizes, g, strict=True)]
        second = half([x + e for x, e in zip(w, up, strict=True)])
        w = [x - 0.1 * g for x, g in zip(w, second, strict=True)]
    assert_close(params, unflatten(treedef, [np.asarray(x) for x in w]), 1e-12)


@pytest.mark.parametrize("adaptive", [False, True])
def test_two_phases_are_one(backend, adaptive):
    optimizer = sam(adam(0.1), adaptive=adaptive)
    w = from_numpy(backend, random_tree())
    state = optimizer.init(w)
    once, _ = optimizer.step(w, half(w), state, gradient=half)
    there = optimizer.perturbed(w, half(w), state)
    twice, _ = optimizer.step(w, half(w), state, perturbed_grads=half(there))
    for one, other in zip(flatten(once)[0], flatten(twice)[0], strict=True):
        np.testing.assert_array_equal(backend.to_numpy(one), backend.to_numpy(other))


def test_sam_takes_the_gradients_of_any_autodiff(backend):
    optimizer, w = sam(sgd(0.1), radius=0.5), {"a": backend.asarray([3.0, 4.0])}
    gradient = ag.grad(lambda w: array_namespace(w["a"]).sum(w["a"] * w["a"]))
    moved, _ = optimizer.step(w, gradient(w), optimizer.init(w), gradient=gradient)
    np.testing.assert_allclose(backend.to_numpy(moved["a"]), [2.34, 3.12])


def test_where_the_gradient_is_zero_nothing_is_uphill(backend):
    optimizer, w = sam(sgd(0.1)), {"a": backend.asarray([3.0, 4.0])}
    flat = {"a": backend.asarray([0.0, 0.0])}
    there = optimizer.perturbed(w, flat, optimizer.init(w))
    np.testing.assert_array_equal(backend.to_numpy(there["a"]), [3.0, 4.0])
    assert optimizer.perturbed({}, {}, optimizer.init({})) == {}


def test_sam_needs_one_second_gradient():
    optimizer, w = sam(sgd(0.1)), np.ones(2)
    state = optimizer.init(w)
    with pytest.raises(HyperparameterError, match="gradient"):
        optimizer.step(w, w, state)
    with pytest.raises(HyperparameterError, match="gradient"):
        optimizer.step(w, w, state, gradient=half, perturbed_grads=w)


# --- all ------------------------------------------------------------------------------------------


@every_optimizer
def test_libraries_agree(backend, make, extra):
    assert_libraries_agree(backend, make(0.1), extra, steps=4)


@every_optimizer
def test_steps_run_inside_jit(make, extra):
    if extra is None:
        assert_jits(make(0.1), tolerance=1e-12)
        return
    jax = pytest.importorskip("jax")
    backend, optimizer, params = load("jax"), make(0.1), random_tree()
    w, expected = from_numpy(backend, params), params
    state, expected_state = optimizer.init(w), optimizer.init(params)
    step = jax.jit(lambda w, g, state: optimizer.step(w, g, state, gradient=half))
    for _ in range(5):
        w, state = step(w, half(w), state)
        expected, expected_state = optimizer.step(
            expected, half(expected), expected_state, gradient=half
        )
    assert_close(to_numpy(backend, w), expected, 1e-12)


@every_optimizer
def test_steps_are_differentiable(backend, make, extra):
    assert_differentiable(backend, make(0.1), extra)


@pytest.mark.parametrize(
    ("optimizer", "cost"),
    [
        (lookahead(sgd(0.1)), "quadratic"),
        (lookahead(adam(0.1)), "rosenbrock"),
        (lookahead(sgd(1.0)), "logistic"),
        (sam(sgd(0.1)), "quadratic"),
        (sam(adam(0.1), radius=0.01), "rosenbrock"),
        (sam(sgd(1.0)), "logistic"),
        (sam(sgd(1.0), radius=0.5, adaptive=True), "logistic"),
    ],
)
def test_costs_descend(optimizer, cost):
    function = COSTS[cost][0]
    keywords = {"gradient": lambda w: function(w)[1]}
    is_sam = optimizer.name == "sam"
    assert_descends(optimizer, cost, extra=(lambda value, w: keywords) if is_sam else None)


@every_optimizer
def test_update_and_step_agree_and_nothing_given_changes(make, extra):
    params = random_tree()
    optimizer, grads = make(0.1), half(params)
    state, kept = optimizer.init(params), map_leaves(np.copy, params)
    keywords = extra(0) if extra else {}
    updates, _ = optimizer.update(grads, state, params, **keywords)
    moved, _ = optimizer.step(params, grads, state, **keywords)
    assert_close(apply_updates(params, updates), moved, 1e-15)
    assert_close(params, kept, 0)


@every_optimizer
def test_mistakes_are_refused(make, extra):
    optimizer, params = make(0.1), {"a": np.zeros(2)}
    keywords, state = extra(0) if extra else {}, optimizer.init(params)
    with pytest.raises(StructureError, match="params"):
        optimizer.update(params, state, **keywords)
    with pytest.raises(ShapeError, match=r"\['a'\]"):
        optimizer.step(params, {"a": np.zeros(3)}, state, **keywords)
