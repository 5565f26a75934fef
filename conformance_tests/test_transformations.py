"""Transformations: chains, clipping, decay and the like, against optax, torch and formulas."""

import pickle

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import schedules
from arraygrad import transformations as tf
from arraygrad._tree import flatten, map_leaves, unflatten
from arraygrad.errors import DtypeError, HyperparameterError, StructureError
from arraygrad.optimizers import Optimizer, adam
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import (
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_torch,
    complex_tree,
    gradients_like,
    random_tree,
    run,
    run_optax,
    small_tree,
)
from conformance_tests.trees import assert_close, from_numpy, to_numpy

RATE = 0.01

TRANSFORMATIONS = {
    "adaptive_clip": tf.adaptive_clip(0.1),
    "add_decayed_weights": tf.add_decayed_weights(0.1),
    "add_decayed_weights, masked": tf.add_decayed_weights(0.1, mask="[mw]*"),
    "add_decayed_weights, scheduled": tf.add_decayed_weights(schedules.linear(0.3, 0.0, 5)),
    "centralize": tf.centralize(),
    "clip_by_block_rms": tf.clip_by_block_rms(0.5),
    "clip_by_global_norm": tf.clip_by_global_norm(1.0),
    "clip_by_norm": tf.clip_by_norm(0.7),
    "clip_by_value": tf.clip_by_value(0.3),
    "scale": tf.scale(-0.3),
    "scale, scheduled": tf.scale(schedules.cosine(-1.0, 50)),
    "set_to_zero": tf.set_to_zero(),
}
every_transformation = pytest.mark.parametrize("name", TRANSFORMATIONS)


def optax_transformations(optax):
    """Return optax's, by the names of ours."""
    only_weights = {"bias": False, "nested": False, "weights": True}
    return {
        "adaptive_clip": optax.adaptive_grad_clip(0.1),
        "add_decayed_weights": optax.add_decayed_weights(0.1),
        "add_decayed_weights, masked": optax.add_decayed_weights(0.1, only_weights),
        "add_decayed_weights, scheduled": optax.add_decayed_weights(
            lambda count: optax.linear_schedule(0.3, 0.0, 5)(count.astype(float))
        ),
        "centralize": optax.centralize(),
        "clip_by_block_rms": optax.clip_by_block_rms(0.5),
        "clip_by_global_norm": optax.clip_by_global_norm(1.0),
        "clip_by_value": optax.clip(0.3),
        "scale": optax.scale(-0.3),
        "scale, scheduled": optax.scale_by_schedule(optax.cosine_decay_schedule(-1.0, 50)),
        "set_to_zero": optax.set_to_zero(),
    }


def sgd():
    """Return the end of a chain that descends."""
    return tf.scale(-RATE)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in TRANSFORMATIONS
        if name in optax_transformations(pytest.importorskip("optax"))
    ],
)
def test_a_transformation_is_that_of_optax(name):
    optax = pytest.importorskip("optax")
    theirs = optax.chain(optax_transformations(optax)[name], optax.scale(-RATE))
    params = {**random_tree(), "nested": {"one": np.ones(1)}}  # optax divides 0 by 0 elsewhere
    assert_like_optax(tf.chain(TRANSFORMATIONS[name], sgd()), theirs, params=params, steps=20)


@pytest.mark.parametrize("name", ["clip_by_block_rms", "clip_by_global_norm", "adaptive_clip"])
def test_complex_gradients_are_transformed_as_in_optax(name):
    optax = pytest.importorskip("optax")
    theirs = optax.chain(optax_transformations(optax)[name], optax.scale(-RATE))
    params = {**complex_tree(), "nested": {"one": np.ones(1) * (1 + 2j)}}
    assert_like_optax(tf.chain(TRANSFORMATIONS[name], sgd()), theirs, params=params, steps=20)


def torch_clipped(clip):
    """Return a maker of torch's SGD whose gradients are clipped before each step."""
    torch = pytest.importorskip("torch")

    def make(parameters):
        optimizer = torch.optim.SGD(parameters, lr=RATE)
        optimizer.register_step_pre_hook(before)
        return optimizer

    def before(optimizer, *_):
        clip(torch.nn.utils, optimizer.param_groups[0]["params"])

    return make


def test_clipping_is_that_of_torch():
    clipped = tf.chain(tf.clip_by_global_norm(1.0, convention="torch"), sgd())
    assert_like_torch(clipped, torch_clipped(lambda u, ps: u.clip_grad_norm_(ps, 1.0)), steps=20)
    clipped = tf.chain(tf.clip_by_value(0.3), sgd())
    assert_like_torch(clipped, torch_clipped(lambda u, ps: u.clip_grad_value_(ps, 0.3)), steps=20)
    clipped = tf.chain(tf.clip_by_norm(0.5, convention="torch"), sgd())
    each = torch_clipped(lambda u, ps: [u.clip_grad_norm_([p], 0.5) for p in ps])
    assert_like_torch(clipped, each, steps=20)


def test_a_norm_that_is_clipped_is_the_bound_and_others_stay(backend):
    long, short = np.asarray([[3.0, 4.0]]), np.asarray([0.3, 0.4])
    grads = from_numpy(backend, {"long": long, "none": np.zeros((0, 2)), "short": short})
    clip = tf.clip_by_norm(1.0)
    got = to_numpy(backend, clip.update(grads, clip.init(grads))[0])
    assert_close(got, {"long": long / 5, "none": np.zeros((0, 2)), "short": short}, 1e-15)


def test_complex_values_are_clipped_in_their_direction(backend):
    z = np.asarray([3 + 4j, 0.3 - 0.4j, 0])
    clip = tf.clip_by_value(1.0)
    g = backend.asarray(z, "complex128")
    got, _ = clip.update(g, clip.init(g))
    np.testing.assert_allclose(backend.to_numpy(got), [0.6 + 0.8j, 0.3 - 0.4j, 0], rtol=1e-15)


def test_the_global_norm_is_that_of_all_elements(backend):
    tree = complex_tree()
    norm = tf.global_norm(from_numpy(backend, tree))
    want = np.sqrt(sum(np.sum(np.abs(x) ** 2) for x in flatten(tree)[0]))
    assert float(norm) == pytest.approx(want, rel=1e-14)
    assert norm.shape == ()
    half = backend.asarray([300.0, 400.0], "float32")
    assert tf.global_norm(half).dtype == half.dtype
    assert float(tf.global_norm({})) == 0
    assert backend.to_numpy(ag.grad(tf.global_norm)(backend.asarray([0.0]))).tolist() == [0.0]


def test_the_norm_before_clipping_can_be_read(backend):
    clip, g = tf.clip_by_global_norm(1.0), backend.asarray([3.0, 4.0])
    state = clip.init(g)
    assert float(state.norm) == 0
    _, state = clip.update(g, state)
    assert float(state.norm) == pytest.approx(5.0)


@every_transformation
def test_a_transformation_agrees_on_every_library(backend, name):
    assert_libraries_agree(backend, tf.chain(TRANSFORMATIONS[name], sgd()), steps=2)


def test_transformations_work_under_jit():
    moving = [TRANSFORMATIONS[name] for name in TRANSFORMATIONS if name != "set_to_zero"]
    assert_jits(tf.chain(*moving, sgd()), steps=3)


@pytest.mark.parametrize(
    "name", [name for name in TRANSFORMATIONS if "masked" not in name and "zero" not in name]
)
def test_a_transformation_is_differentiable(name):
    assert_differentiable(load("numpy"), tf.chain(TRANSFORMATIONS[name], sgd()))


def test_transformations_are_differentiable_everywhere(backend):
    clips = tf.chain(tf.clip_by_global_norm(1.0), tf.clip_by_norm(0.5), tf.add_decayed_weights(0.1))
    assert_differentiable(backend, tf.chain(clips, sgd()), steps=2)


@every_transformation
def test_a_transformation_at_the_end_moves_as_its_updates_say(backend, name):
    transformation = TRANSFORMATIONS[name]
    w, g = (from_numpy(backend, random_tree(seed)) for seed in (0, 1))
    state = transformation.init(w)
    updates, after = transformation.update(g, state, w)
    moved, after_step = transformation.step(w, g, state)
    sums = map_sum(to_numpy(backend, w), to_numpy(backend, updates))
    assert_close(to_numpy(backend, moved), sums, 1e-14)
    assert flatten(after)[1] == flatten(after_step)[1]


def map_sum(one, other):
    """Add two trees of NumPy arrays."""
    leaves, treedef = flatten(one)
    both = zip(leaves, flatten(other)[0], strict=True)
    return unflatten(treedef, [np.asarray(x + y) for x, y in both])


@every_transformation
def test_single_precision_stays_single(backend, name):
    transformation = TRANSFORMATIONS[name]
    g = from_numpy(backend, random_tree(), single=True)
    updates, _ = transformation.update(g, transformation.init(g), g)
    assert all(x.dtype == backend.dtype("float32") for x in flatten(updates)[0])


@every_transformation
def test_a_transformation_can_be_printed_and_pickled(name):
    optimizer = tf.chain(TRANSFORMATIONS[name], adam(RATE))
    again = pickle.loads(pickle.dumps(optimizer))
    assert "adam" in repr(again)
    params, grads = random_tree(), gradients_like(random_tree(), 2)
    assert_close(run(again, params, grads), run(optimizer, params, grads), 0.0)


# --- what has no peer -----------------------------------------------------------------------------


def test_nans_become_zero_and_infinities_stay(backend):
    zero, g = tf.zero_nans(), backend.asarray([1.0, np.nan, -np.inf])
    got, _ = zero.update(g, zero.init(g))
    assert backend.to_numpy(got).tolist() == [1.0, 0.0, -np.inf]


def test_decoupled_decay_after_adam_is_adamw():
    optax, torch = pytest.importorskip("optax"), pytest.importorskip("torch")
    adamw = tf.chain(adam(RATE), tf.decouple_weight_decay(0.1, learning_rate=RATE))
    assert_like_optax(adamw, optax.adamw(RATE, weight_decay=0.1), steps=20)
    assert_like_torch(adamw, lambda ps: torch.optim.AdamW(ps, lr=RATE, weight_decay=0.1))
    coupled = tf.chain(tf.add_decayed_weights(0.1), adam(RATE))
    assert_like_torch(coupled, lambda ps: torch.optim.Adam(ps, lr=RATE, weight_decay=0.1))


def test_decay_spares_what_is_masked():
    optax = pytest.importorskip("optax")
    mask = {"bias": False, "nested": True, "weights": [False, True]}
    theirs = optax.adamw(RATE, weight_decay=0.1, mask=mask)
    params, grads = random_tree(), gradients_like(random_tree(), 5)
    want = run_optax(theirs, params, grads)
    chosen = [mask, ["nested/*", "weights/1"], lambda path, w: path == "weights/1" or "n" in path]
    for given in chosen:
        decay = tf.decouple_weight_decay(0.1, learning_rate=RATE, mask=given)
        assert_close(run(tf.chain(adam(RATE), decay), params, grads), want, 1e-10)


def test_noise_has_the_variance_of_its_formula(backend):
    w = backend.asarray(np.zeros(1000))
    noise = tf.add_noise(0.5, 0.55, np.random.default_rng(0))
    state = noise.init(w)
    for step in range(1, 4):
        got, state = noise.update(w, state)
        assert float(np.var(backend.to_numpy(got))) == pytest.approx(0.5 / step**0.55, rel=0.1)
    z = backend.asarray(np.zeros(1000), "complex128")
    moved, _ = noise.step(z, z, noise.init(z))
    parts = backend.to_numpy(moved)
    assert np.var(parts.real) == pytest.approx(0.25, rel=0.15)
    assert np.var(parts.imag) == pytest.approx(0.25, rel=0.15)


def test_noise_may_be_given_and_must_come_from_somewhere():
    params = random_tree()
    trees = [small_tree(n + 5) for n in range(4)]
    noise = tf.chain(tf.add_noise(0.5, 0.55), sgd())
    assert_jits(noise, lambda n: {"noise": trees[n]}, steps=4)
    with pytest.raises(HyperparameterError, match="add_noise needs `noise`"):
        noise.step(params, params, noise.init(params))


# --- chains ---------------------------------------------------------------------------------------


def test_members_may_be_optaxs():
    optax = pytest.importorskip("optax")
    ours = tf.chain(tf.clip_by_global_norm(1.0), optax.scale_by_adam(), tf.scale(-RATE))
    theirs = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(RATE))
    params, grads = random_tree(), gradients_like(random_tree(), 20)
    got = run(ours, params, grads, backend=load("jax"))
    assert_close(got, run_optax(theirs, params, grads), 1e-10)
    last = tf.chain(tf.clip_by_global_norm(1.0), optax.adam(RATE))
    assert_close(run(last, params, grads, backend=load("jax")), got, 1e-12)


def test_our_chain_may_be_a_member_of_optaxs():
    optax = pytest.importorskip("optax")
    ours = tf.chain(tf.clip_by_global_norm(1.0), adam(RATE))
    mixed = optax.chain(optax.add_decayed_weights(0.1), ours)
    plain = tf.chain(tf.add_decayed_weights(0.1), tf.clip_by_global_norm(1.0), adam(RATE))
    params, grads = random_tree(), gradients_like(random_tree(), 20)
    assert_close(run_optax(mixed, params, grads), run(plain, params, grads), 1e-10)


def test_extra_arguments_reach_members_that_take_them():
    optax, jnp = pytest.importorskip("optax"), pytest.importorskip("jax.numpy")
    load("jax")
    w = jnp.asarray([1.0, 2.0])
    chained = tf.chain(optax.scale(2.0), optax.polyak_sgd())
    got, _ = chained.update(w, chained.init(w), w, value=3.0)
    theirs = optax.chain(optax.scale(2.0), optax.polyak_sgd())
    want, _ = theirs.update(w, theirs.init(w), w, value=3.0)
    np.testing.assert_allclose(got, want)


class Recorder(Optimizer):
    """An optimizer that tells how it was called."""

    def __init__(self):
        self.calls = []

    def init(self, params, /):
        """Return no state."""
        return ()

    def step(self, params, grads, state, *, donate=False, **extra):
        """Take the gradients for parameters."""
        self.calls.append((donate, extra))
        return grads, state


def test_the_last_member_takes_its_own_step(backend):
    last, w = Recorder(), backend.asarray([1.0, 2.0])
    optimizer = tf.chain(tf.scale(3.0), tf.chain(tf.scale(2.0), last))
    moved, _ = optimizer.step(w, w, optimizer.init(w), donate=True, value=4)
    assert backend.to_numpy(moved).tolist() == [6.0, 12.0]
    assert last.calls == [(True, {"value": 4})]


def test_a_chain_donates_to_its_optimizer():
    optimizer = tf.chain(tf.clip_by_norm(1.0), adam(RATE))
    params = {"w": np.arange(6.0).reshape(2, 3)}
    grads = {"w": np.ones((2, 3))}
    want = run(optimizer, params, [grads] * 3)
    kept = {"w": params["w"].copy()}
    w, state = params, optimizer.init(params)
    for _ in range(3):
        w, state = optimizer.step(w, grads, state, donate=True)
    assert_close(w, want, 1e-15)
    assert grads["w"].tolist() == np.ones((2, 3)).tolist()
    w, state = kept, optimizer.init(kept)
    optimizer.step(w, grads, state)
    assert kept["w"].tolist() == np.arange(6.0).reshape(2, 3).tolist()


def test_an_empty_chain_changes_nothing_but_adds(backend):
    g = backend.asarray([1.0])
    empty = tf.chain()
    assert empty.update(g, empty.init(g)) == (g, ())
    assert backend.to_numpy(empty.step(g, g, ())[0]).tolist() == [2.0]


# --- refused --------------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused():
    w = {"w": np.ones(2)}
    with pytest.raises(HyperparameterError, match=r"`members\[1\]` must have `init`"):
        tf.chain(tf.scale(1.0), 3)
    with pytest.raises(HyperparameterError, match="`max_norm` must be at least 0, got -1"):
        tf.clip_by_global_norm(-1)
    with pytest.raises(HyperparameterError, match="`convention`"):
        tf.clip_by_norm(1.0, convention="keras")
    chained = tf.chain(tf.scale(1.0), tf.scale(1.0))
    with pytest.raises(StructureError, match="`state` has 1 states for a chain of 2"):
        chained.update(w, chained.init(w)[:1])
    decay = tf.add_decayed_weights(0.1)
    with pytest.raises(StructureError, match="add_decayed_weights looks at the parameters"):
        decay.update(w, decay.init(w))
    clip = tf.clip_by_value(1.0)
    for update in (clip, tf.clip_by_global_norm(1.0)):
        with pytest.raises(DtypeError, match=r"\['w'\] must be a floating array, got dtype int64"):
            update.update(map_leaves(lambda x: x.astype("int64"), w), update.init(w))
