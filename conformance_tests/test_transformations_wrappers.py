"""Wrappers of optimizers: accumulation, averages, finite steps."""

import functools

import numpy as np
import pytest

from arraygrad import schedules
from arraygrad import transformations as tf
from arraygrad._tree import flatten, map_leaves
from arraygrad.optimizers import adam
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import (
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    gradients_like,
    random_tree,
    run,
    run_optax,
)
from conformance_tests.trees import assert_close, from_numpy, to_numpy

RATE = 0.01

WRAPPERS = {
    "accumulate_gradients": tf.accumulate_gradients(adam(RATE), 2),
    "apply_if_finite": tf.apply_if_finite(adam(RATE)),
    "average_params": tf.average_params(adam(RATE), start=1, every=2),
    "ema_params": tf.ema_params(adam(RATE), 0.9, debias=True),
    "keep_master_weights": tf.keep_master_weights(adam(RATE)),
    "scale_loss": tf.scale_loss(adam(RATE), init_scale=4.0, interval=2),
}
every_wrapper = pytest.mark.parametrize("name", WRAPPERS)


@every_wrapper
def test_a_wrapper_agrees_on_every_library(backend, name):
    assert_libraries_agree(backend, WRAPPERS[name], steps=4)


def test_wrappers_work_under_jit():
    for names in (("apply_if_finite", "accumulate_gradients"), ("scale_loss", "ema_params")):
        nested = tf.scale(-RATE)
        for name in names:
            wrapper = WRAPPERS[name]
            settings = {k: v for k, v in vars(wrapper).items() if k not in ("inner", "_settings")}
            nested, new = type(wrapper).__new__(type(wrapper)), nested
            vars(nested).update(settings, inner=new, _settings={})
        assert_jits(nested, steps=4)
    assert_jits(WRAPPERS["average_params"], steps=4)
    assert_jits(WRAPPERS["keep_master_weights"], steps=2)


def test_states_keep_their_types_through_a_scan():
    jax = pytest.importorskip("jax")
    nested = tf.ema_params(tf.keep_master_weights(adam(schedules.cosine(0.1, 9))), debias=True)
    optimizer = tf.apply_if_finite(tf.accumulate_gradients(tf.scale_loss(nested), 2))
    w = load("jax").asarray([1.0, 2.0], "float32")

    def body(carry, _):
        params, state = carry
        return optimizer.step(params, params, state), None

    (end, state), _ = jax.lax.scan(body, (w, optimizer.init(w)), None, length=4)
    one = (w, optimizer.init(w))
    for _ in range(4):
        one, _ = body(one, None)
    assert_close(to_numpy(load("jax"), end), to_numpy(load("jax"), one[0]), 1e-6)
    assert int(state.inner.gradient_step) == 2


@pytest.mark.parametrize("name", ["accumulate_gradients", "ema_params", "apply_if_finite"])
def test_a_wrapper_is_differentiable(name):
    assert_differentiable(load("numpy"), WRAPPERS[name])


@every_wrapper
def test_updates_and_steps_are_the_same(backend, name):
    optimizer = WRAPPERS[name]
    w = from_numpy(backend, random_tree())
    one = other = optimizer.init(w)
    assert "adam" in repr(optimizer)
    for grads in gradients_like(random_tree(), 2):
        g = from_numpy(backend, grads)
        updates, one = optimizer.update(g, one, w)
        moved, other = optimizer.step(w, g, other)
        assert flatten(one)[1] == flatten(other)[1]
        sums = [x + u for x, u in zip(flatten(w)[0], flatten(updates)[0], strict=True)]
        assert_close(flatten(to_numpy(backend, moved))[0], to_numpy(backend, sums), 1e-14)
        w = moved


@every_wrapper
def test_a_wrapper_changes_nothing_unless_donated(name):
    optimizer, params = WRAPPERS[name], random_tree()
    grads = gradients_like(params, 4)
    kept = map_leaves(np.copy, params)
    want = run(optimizer, params, grads)
    assert_close(params, kept, 0.0)
    state = optimizer.init(params)
    for g in grads:
        params, state = optimizer.step(params, map_leaves(np.copy, g), state, donate=True)
    assert_close(params, want, 1e-15)


# --- accumulation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [True, False])
def test_accumulation_is_that_of_optax(mean):
    optax, jnp = pytest.importorskip("optax"), pytest.importorskip("jax.numpy")
    theirs = optax.MultiSteps(
        optax.adam(RATE), 3, use_grad_mean=mean, accumulator_dtype=jnp.float64
    ).gradient_transformation()
    ours = tf.accumulate_gradients(adam(RATE), 3, mean=mean)
    params, grads = random_tree(), gradients_like(random_tree(), 10)
    want = run_optax(theirs, params, grads)
    assert_close(run(ours, params, grads), want, 1e-10)


def test_accumulation_is_one_step_with_the_mean(backend):
    grads = gradients_like(random_tree(), 12)
    means = [map_leaves(np.asarray, tree_mean(grads[n : n + 4])) for n in range(0, 12, 4)]
    ours = run(tf.accumulate_gradients(adam(RATE), 4), random_tree(), grads, backend=backend)
    assert_close(ours, run(adam(RATE), random_tree(), means), 1e-12)


def tree_mean(trees):
    """Return the mean of trees of NumPy arrays."""
    columns = zip(*(flatten(tree)[0] for tree in trees), strict=True)
    return unflatten_like(trees[0], [sum(column) / len(trees) for column in columns])


def unflatten_like(tree, leaves):
    """Return leaves in the structure of a tree."""
    leaves = iter(leaves)
    return map_leaves(lambda _: next(leaves), tree)


def test_the_number_of_gradients_may_follow_a_schedule():
    every = schedules.piecewise_constant(1.0, {2: 3.0})
    optimizer, w = tf.accumulate_gradients(adam(RATE), every), np.ones(2)
    state, seen = optimizer.init(w), []
    for _ in range(8):
        w, state = optimizer.step(w, np.ones(2), state)
        seen.append((state.mini_step, state.gradient_step))
    assert seen == [(0, 1), (0, 2), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3), (0, 4)]


def test_half_precision_is_accumulated_in_single():
    w = np.ones(1, dtype="float16")
    optimizer = tf.accumulate_gradients(tf.scale(-1.0), 4, mean=False)
    state = optimizer.init(w)
    for g in (1.0, 2e-4, 2e-4, 2e-4):
        updates, state = optimizer.update(np.full(1, g, dtype="float16"), state, w)
        if state.mini_step:
            assert state.accumulated.dtype == "float32"
    assert updates.dtype == "float16"
    assert float(updates[0]) == float(np.float16(-1.0006))  # in half precision, -1


# --- averages -------------------------------------------------------------------------------------


def averages(optimizer, params, grads):
    """Return the average after each step."""
    state, found = optimizer.init(params), []
    for g in grads:
        params, state = optimizer.step(params, g, state)
        found.append(state.average)
    return found


def paths_of_adam(params, grads):
    """Return the parameters after each step."""
    return [run(adam(RATE), params, grads[: n + 1]) for n in range(len(grads))]


@pytest.mark.parametrize("kind", ["swa", "ema"])
def test_averages_are_those_of_torch(kind):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    params, grads = {"w": np.arange(4.0)}, gradients_like({"w": np.arange(4.0)}, 6)
    model = torch.nn.Linear(4, 1, bias=False, dtype=torch.float64)
    keywords = {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)} if kind == "ema" else {}
    theirs = swa_utils.AveragedModel(model, **keywords)
    ours = {"swa": tf.average_params(adam(RATE)), "ema": tf.ema_params(adam(RATE), 0.9, start=1)}
    found = averages(ours[kind], params, grads)
    for w, got in zip(paths_of_adam(params, grads), found, strict=True):
        with torch.no_grad():
            model.weight[0] = torch.asarray(w["w"])
        theirs.update_parameters(model)
        want = theirs.module.weight[0].detach().numpy()
        np.testing.assert_allclose(got["w"], want, rtol=1e-12)


def test_a_debiased_average_is_that_of_optax():
    optax = pytest.importorskip("optax")
    load("jax")
    params, grads = {"w": np.arange(4.0)}, gradients_like({"w": np.arange(4.0)}, 6)
    theirs = optax.ema(0.9, debias=True)
    state = theirs.init(params)
    found = averages(tf.ema_params(adam(RATE), 0.9, debias=True), params, grads)
    for w, got in zip(paths_of_adam(params, grads), found, strict=True):
        want, state = theirs.update(w, state)
        np.testing.assert_allclose(got["w"], want["w"], rtol=1e-6)  # optax's 1 - 0.9**t is float32
    weights = 0.9 ** np.arange(5, -1, -1)
    exact = sum(c * w["w"] for c, w in zip(weights, paths_of_adam(params, grads), strict=True))
    np.testing.assert_allclose(got["w"], exact / weights.sum(), rtol=1e-13)


def test_an_average_begins_late_and_takes_every_so_many():
    params, grads = {"w": np.arange(4.0)}, gradients_like({"w": np.arange(4.0)}, 7)
    path = [w["w"] for w in paths_of_adam(params, grads)]
    found = averages(tf.average_params(adam(RATE), start=2, every=2), params, grads)
    third, fifth = path[3], (path[3] + path[5]) / 2
    want = [path[0], path[1], path[1], third, third, fifth, fifth]
    for got, expected in zip(found, want, strict=True):
        np.testing.assert_allclose(got["w"], expected, rtol=1e-13)


def test_the_average_of_half_precision_is_kept_in_single():
    w = np.ones(2, dtype="float16")
    optimizer = tf.ema_params(tf.scale(-1e-3), 0.999)
    moved, state = optimizer.step(w, w, optimizer.init(w))
    assert moved.dtype == "float16"
    assert state.average.dtype == "float32"
    assert state.average[0] == pytest.approx(1 - 1e-6, rel=1e-7)


# --- what is not finite ---------------------------------------------------------------------------


def with_accidents(steps=9):
    """Return gradients, some of which are not finite, three in a row at last."""
    grads = gradients_like(random_tree(), steps)
    for n, value in ((1, np.nan), (4, np.inf), (5, np.nan), (6, -np.inf)):
        grads[n]["bias"][2] = value
    return grads


@functools.cache
def left_out_by_optax(most):
    """Return the parameters after optax's steps."""
    optax = pytest.importorskip("optax")
    theirs = optax.apply_if_finite(optax.adam(RATE), most)
    return run_optax(theirs, random_tree(), with_accidents())


@pytest.mark.parametrize("most", [1, 2, 5])
def test_steps_are_left_out_as_in_optax(most, backend):
    params, grads = random_tree(), with_accidents()
    want = left_out_by_optax(most)
    ours = tf.apply_if_finite(adam(RATE), most)
    with np.errstate(invalid="ignore"):  # accepted at last
        assert_close(run(ours, params, grads, backend=backend), want, 1e-10)


def test_a_schedule_is_followed_where_the_count_is_an_array(backend):
    optimizer = adam(schedules.cosine(0.1, 5))
    params, grads = random_tree(), gradients_like(random_tree(), 3)
    wrapped = tf.apply_if_finite(optimizer)
    assert_close(run(wrapped, params, grads, backend=backend), run(optimizer, params, grads), 1e-12)


def test_accidents_are_counted():
    optimizer, w = tf.apply_if_finite(adam(RATE)), random_tree()
    state = optimizer.init(w)
    for grads in with_accidents(7):
        w, state = optimizer.step(w, grads, state)
    assert [int(x) for x in state[:3]] == [3, 4, 0]
    assert int(state.inner.count) == 3


def test_an_optimizer_of_optax_may_be_wrapped():
    optax = pytest.importorskip("optax")
    params, grads = random_tree(), with_accidents()
    ours = tf.apply_if_finite(optax.adam(RATE))
    assert_close(run(ours, params, grads, backend=load("jax")), left_out_by_optax(5), 1e-10)
