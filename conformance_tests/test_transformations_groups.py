"""Masks, frozen parameters and groups: which leaves are meant, and what the others do."""

import pickle
from typing import NamedTuple

import numpy as np
import pytest

from arraygrad import Container
from arraygrad import transformations as tf
from arraygrad._tree import flatten, map_leaves
from arraygrad.errors import DtypeError, HyperparameterError, StructureError
from arraygrad.optimizers import adam
from arraygrad.transformations._paths import paths_of
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

QUICK = "[mw]*"  # the weights of the one tree of `optimizer_checks`, the matrix of the other
TWO = {QUICK: adam(0.1), "*": adam(0.01)}


class Layer(NamedTuple):
    """A node with named fields."""

    kernel: object
    bias: object


def ones(*names):
    """Return a tree of ones with these names."""
    return {name: np.ones(2) for name in names}


def test_a_path_is_keys_indices_and_fields_with_slashes_between():
    tree = {"layers": [Layer(0, 1), (2,)], "head": Container(scale=3), "none": None}
    assert paths_of(flatten(tree)[1]) == (
        "head/scale", "layers/0/kernel", "layers/0/bias", "layers/1/0",
    )  # fmt: skip
    assert paths_of(flatten(0)[1]) == ("",)


@pytest.mark.parametrize(
    "mask",
    [
        "weights*",
        ["weights/0", "weights/1"],
        ("bias", "nested/*"),
        lambda path, w: path.startswith("weights"),
        {"bias": False, "nested": False, "weights": [True, True]},
        {"bias": False, "nested": {"none": False, "one": False, "scale": False}, "weights": True},
    ],
)
def test_every_kind_of_mask_says_the_same(mask):
    grads = random_tree()
    inverted = isinstance(mask, tuple)
    clip = tf.freeze(tf.clip_by_value(0.1), mask) if inverted else None
    clip = clip or tf.masked(tf.clip_by_value(0.1), mask)
    got, _ = clip.update(grads, clip.init(grads))
    for x, g in zip(got["weights"], grads["weights"], strict=True):
        np.testing.assert_array_equal(x, np.clip(g, -0.1, 0.1))
    assert np.array_equal(got["bias"], grads["bias"] * (not inverted))


def test_a_mask_is_that_of_optax():
    optax = pytest.importorskip("optax")
    mask = {"bias": True, "nested": False, "weights": [True, False]}
    ours = tf.chain(tf.masked(tf.clip_by_global_norm(0.1), mask), tf.scale(-1.0))
    theirs = optax.chain(optax.masked(optax.clip_by_global_norm(0.1), mask), optax.scale(-1.0))
    params, grads = random_tree(), gradients_like(random_tree(), 5)
    want = run_optax(theirs, params, grads)
    assert_close(run(ours, params, grads), want, 1e-10)
    around = tf.chain(tf.masked(optax.clip_by_global_norm(0.1), mask), tf.scale(-1.0))
    assert_close(run(around, params, grads, backend=load("jax")), want, 1e-10)


def test_groups_are_the_partition_of_optax():
    optax = pytest.importorskip("optax")
    labels = {"bias": "slow", "nested": "slow", "weights": "quick"}
    theirs = optax.partition({"slow": optax.adam(0.01), "quick": optax.adam(0.1)}, labels)
    params, grads = random_tree(), gradients_like(random_tree(), 5)
    want = run_optax(theirs, params, grads)
    assert_close(run(tf.groups(TWO), params, grads), want, 1e-10)
    named = {"quick": adam(0.1), "slow": adam(0.01)}
    assert_close(run(tf.groups(named, labels), params, grads), want, 1e-10)
    by_rank = tf.groups(named, lambda path, w: "quick" if w.ndim > 1 and w.size else "slow")
    assert_close(run(by_rank, params, grads), want, 1e-10)
    mixed = tf.groups({"quick": optax.adam(0.1), "slow": adam(0.01)}, labels)
    assert_close(run(mixed, params, grads, backend=load("jax")), want, 1e-10)


def test_groups_are_the_parameter_groups_of_torch():
    torch = pytest.importorskip("torch")
    params, grads = random_tree(), gradients_like(random_tree(), 5)
    leaves, _ = flatten(params)
    theirs = [torch.nn.Parameter(torch.asarray(w.copy())) for w in leaves]
    split = [{"params": theirs[:4], "lr": 0.01}, {"params": theirs[4:], "lr": 0.1}]
    optimizer = torch.optim.Adam(split)
    for tree in grads:
        for w, g in zip(theirs, flatten(tree)[0], strict=True):
            w.grad = torch.asarray(g)
        optimizer.step()
    got = flatten(run(tf.groups(TWO), params, grads))[0]
    assert_close(got, [w.detach().numpy() for w in theirs], 1e-12)


def test_groups_agree_on_every_library(backend):
    assert_libraries_agree(backend, tf.groups(TWO), steps=2)
    assert_libraries_agree(backend, tf.freeze(adam(0.1), QUICK), steps=2)


def test_groups_work_under_jit_and_have_gradients():
    both = tf.groups({QUICK: adam(0.1), "scale": adam(0.2), "*": tf.scale(-0.1)})
    assert_jits(both, steps=2)
    for optimizer in (tf.groups({"a": tf.scale(-0.1), "*": adam(0.1)}), tf.freeze(adam(0.1), "b")):
        assert_differentiable(load("numpy"), optimizer)


def test_updates_and_steps_of_groups_are_the_same(backend):
    for optimizer in (tf.groups(TWO), tf.freeze(adam(0.1), "bias"), tf.masked(adam(0.1), "bias")):
        w, g = (from_numpy(backend, random_tree(seed)) for seed in (0, 1))
        state = optimizer.init(w)
        updates, one = optimizer.update(g, state, w)
        moved, other = optimizer.step(w, g, state)
        assert flatten(one)[1] == flatten(other)[1]
        sums = [x + u for x, u in zip(flatten(w)[0], flatten(updates)[0], strict=True)]
        assert_close(flatten(to_numpy(backend, moved))[0], to_numpy(backend, sums), 1e-14)


def test_frozen_parameters_stay_the_same_objects_and_are_not_remembered():
    w = ones("head", "trunk")
    optimizer = tf.freeze(adam(0.1), "trunk")
    state = optimizer.init(w)
    moved, state = optimizer.step(w, w, state)
    assert moved["trunk"] is w["trunk"]
    assert state["inner"].slots["mu"]["trunk"] is None
    assert not np.array_equal(moved["head"], w["head"])


def test_integers_may_be_frozen(backend):
    w = {"head": backend.asarray([1.0]), "seen": backend.asarray([3], "int32")}
    optimizer = tf.freeze(adam(0.1), "seen")
    moved, _ = optimizer.step(w, w, optimizer.init(w))
    assert moved["seen"] is w["seen"]
    assert float(moved["head"][0]) == pytest.approx(0.9)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_tree_that_is_one_array_may_be_frozen(backend, frozen):
    w = backend.asarray([1.0, 2.0])
    optimizer = tf.freeze(adam(0.1), lambda path, leaf: frozen)
    moved, _ = optimizer.step(w, w, optimizer.init(w))
    assert (backend.to_numpy(moved) == backend.to_numpy(w)).all() == frozen


def test_the_order_of_patterns_decides():
    w = ones("bias", "weight")
    optimizer = tf.groups({"bias": tf.scale(-1.0), "*": tf.scale(-0.5), "b*": tf.set_to_zero()})
    moved, _ = optimizer.step(w, w, optimizer.init(w))
    assert moved["bias"].tolist() == [0, 0]
    assert moved["weight"].tolist() == [0.5, 0.5]


def test_extra_trees_are_split_and_values_are_not():
    w = ones("bias", "weight")
    noisy = tf.chain(tf.add_noise(1.0, 0.0), tf.scale(-1.0))
    optimizer = tf.groups({"bias": noisy, "weight": tf.set_to_zero()})
    noise = {"bias": np.asarray([1.0, 2.0]), "weight": np.zeros(2)}
    moved, _ = optimizer.step(w, w, optimizer.init(w), noise=noise)
    assert moved["bias"].tolist() == [-1, -2]
    assert moved["weight"].tolist() == [1, 1]


def test_groups_donate_and_can_be_pickled():
    optimizer = pickle.loads(pickle.dumps(tf.groups(TWO)))
    params, grads = random_tree(), gradients_like(random_tree(), 3)
    want = run(tf.groups(TWO), params, grads)
    state = optimizer.init(params)
    for g in grads:
        params, state = optimizer.step(params, g, state, donate=True)
    assert_close(params, want, 1e-15)


@pytest.mark.parametrize(
    ("use", "kind", "words"),
    [
        (lambda w: tf.freeze(adam(0.1), "*").init(None), StructureError, "got None"),
        (lambda w: tf.groups({}), HyperparameterError, "one optimizer at least"),
        (lambda w: tf.groups({"*": 3}), HyperparameterError, r"`optimizers\['\*'\]` must have"),
        (
            lambda w: tf.groups({"bia": adam(0.1), "*": adam(0.1)}).init(w),
            StructureError,
            r"`optimizers`: 'bia' matches none of the paths \['bias', 'weight'\]",
        ),
        (
            lambda w: tf.groups({"bias": adam(0.1)}).init(w),
            StructureError,
            r"the parameter 'weight' matches no pattern of \['bias'\]",
        ),
        (
            lambda w: tf.groups({"a": adam(0.1)}, lambda path, leaf: "b").init(w),
            StructureError,
            r"the parameter 'bias' has the label 'b', not in \['a'\]",
        ),
        (lambda w: tf.freeze(adam(0.1), "x*").init(w), StructureError, "`mask`: 'x\\*' matches"),
        (lambda w: tf.masked(adam(0.1), {"bias": True}).init(w), StructureError, "`mask` and"),
        (
            lambda w: tf.freeze(adam(0.1), "bias").step(w, {"bias": w["bias"]}, {}),
            StructureError,
            "`params` and `grads` have different structures",
        ),
        (
            lambda w: tf.freeze(adam(0.1), "bias").init(map_leaves(lambda x: x.astype(int), w)),
            DtypeError,
            r"\['weight'\] must be a floating array",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(use, kind, words):
    with pytest.raises(kind, match=words):
        use(ones("bias", "weight"))
