"""Half precision, plateaus and hyperparameters: scales of torch and optax, and changed rates."""

import numpy as np
import pytest

from arraygrad import transformations as tf
from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import (
    adam,
    lookahead,
    muon,
    sam,
    schedule_free_adamw,
    schedule_free_sgd,
    sgd,
)
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import assert_jits, assert_libraries_agree

RATE = 0.01

# --- half precision -------------------------------------------------------------------------------


def test_the_scale_is_that_of_torch():
    torch = pytest.importorskip("torch")
    theirs = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
    w = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([w], lr=0.5)
    ours = tf.scale_loss(tf.scale(-0.5), init_scale=2.0**10, interval=3)
    mine = np.ones(3, dtype="float32")
    state = ours.init(mine)
    for factor in (1, 2, np.inf, 1, 3, 2, 1, 1, 1, np.nan, 1):
        scale = theirs.get_scale()
        assert float(state.scale) == scale
        theirs.scale(torch.zeros(1))
        g = np.asarray([1.0, -2.0, 0.5], dtype="float32") * factor * scale
        w.grad = torch.asarray(g.copy())
        theirs.step(optimizer)
        theirs.update()
        mine, state = ours.step(mine, g, state)
        np.testing.assert_array_equal(mine, w.detach().numpy())


@pytest.mark.parametrize(
    ("library", "dtype"), [("numpy", "float16"), ("torch", "bfloat16"), ("jax", "bfloat16")]
)
def test_small_steps_add_up_on_master_weights(library, dtype):
    pytest.importorskip(library)
    backend = load(library)
    w = backend.asarray(np.ones(3), dtype)
    optimizer = tf.scale_loss(tf.keep_master_weights(tf.scale(-1e-4)), init_scale=2.0**10)
    state = optimizer.init(w)
    for _ in range(100):
        g = backend.asarray(np.full(3, 2.0**10), dtype)
        w, state = optimizer.step(w, g, state)
    assert w.dtype == backend.dtype(dtype)
    assert float(w[0]) == pytest.approx(0.99, abs=4e-3)
    assert float(state.inner.master[0]) == pytest.approx(0.99, rel=1e-5)


def test_gradients_too_small_for_half_precision_are_seen():
    w = np.ones(1, dtype="float16")
    optimizer = tf.scale_loss(tf.keep_master_weights(tf.scale(-1.0)), init_scale=2.0**14)
    g = np.asarray([2.0**-30 * 2.0**14], dtype="float16")
    state = optimizer.init(w)
    updates, _ = optimizer.update(g, state, w)
    assert updates.dtype == "float32"
    w, state = optimizer.step(w, g * np.float16(2**8), state)
    assert float(state.inner.master[0]) == 1 - 2.0**-22


# --- plateaus -------------------------------------------------------------------------------------

VALUES = [5.0, 4.0, 4.0, 3.9, 4.1, 4.2, 4.3, 3.95, 4.0, 3.0, 3.0, 3.1, 3.2, 3.3, 3.0, 3.1, 2.0, 2.5]


def scales(transformation, values, as_array=float):
    """Return the scale after each value."""
    state, found = transformation.init(np.ones(1)), []
    for value in values:
        updates, state = transformation.update(np.ones(1), state, value=as_array(value))
        assert updates[0] == pytest.approx(float(state.scale), rel=1e-15)
        found.append(float(state.scale))
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {"factor": 0.5, "patience": 2},
        {"factor": 0.5, "patience": 2, "cooldown": 3, "min_scale": 0.3},
        {"factor": 0.3, "patience": 1, "rtol": 0.1, "atol": 0.05},
    ],
)
def test_a_plateau_is_that_of_optax(settings):
    contrib = pytest.importorskip("optax.contrib")
    jax, jnp = pytest.importorskip("jax"), pytest.importorskip("jax.numpy")
    load("jax")
    for size in (1, 3):
        theirs = contrib.reduce_on_plateau(**settings, accumulation_size=size)
        state, want, update = theirs.init(jnp.ones(1)), [], jax.jit(theirs.update)
        for value in VALUES:
            _, state = update(jnp.ones(1), state, value=value)
            want.append(float(state.scale))
        ours = tf.reduce_on_plateau(**settings, accumulation=size)
        np.testing.assert_allclose(scales(ours, VALUES), want, rtol=1e-14)
        np.testing.assert_allclose(scales(ours, VALUES, np.asarray), want, rtol=1e-14)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_plateau_is_that_of_torch_with_one_more(mode):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    settings = {"factor": 0.5, "patience": 1, "cooldown": 1, "threshold": 1e-3}
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, **settings)
    values = [v if mode == "min" else 10 - v for v in VALUES]
    want = []
    for value in values:
        theirs.step(value)
        want.append(optimizer.param_groups[0]["lr"])
    ours = tf.reduce_on_plateau(factor=0.5, patience=2, cooldown=1, rtol=1e-3, mode=mode)
    np.testing.assert_allclose(scales(ours, values), want, rtol=1e-14)


def test_a_plateau_works_on_every_library_and_under_jit(backend):
    optimizer = tf.chain(tf.scale(-RATE), tf.reduce_on_plateau(factor=0.5, patience=1))
    extra = lambda n: {"value": np.asarray([3.0, 4.0, 2.0, 5.0][n])}
    assert_libraries_agree(backend, optimizer, extra, steps=4)
    if backend.name == "jax":
        assert_jits(optimizer, extra, steps=4)


# --- hyperparameters ------------------------------------------------------------------------------


def test_hyperparameters_are_changed_wherever_they_are():
    both = tf.groups({"a": tf.chain(tf.clip_by_norm(9.0), adam(0.1)), "b": adam(0.1)})
    optimizer = tf.ema_params(both)
    w = {"a": np.ones(1), "b": np.ones(1)}
    state = optimizer.init(w)
    changed = tf.with_hyperparameters(state, learning_rate=0.5, max_norm=0.1)
    moved, after = optimizer.step(w, w, changed)
    assert moved["a"] == pytest.approx(0.5)
    assert moved["b"] == pytest.approx(0.5)
    assert after.inner["a"][0].hyperparameters == {"max_norm": 0.1}
    moved, _ = optimizer.step(w, w, state)
    assert moved["b"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: lookahead(sgd(x)), "learning_rate"),
        (lambda x: lookahead(sgd(0.5), slow_step_size=x, sync_period=1), "slow_step_size"),
        (lambda x: sam(sgd(x)), "learning_rate"),
        (lambda x: sam(sgd(0.5), radius=x), "radius"),
        (muon, "learning_rate"),
        (schedule_free_sgd, "learning_rate"),
        (schedule_free_adamw, "learning_rate"),
    ],
)
def test_hyperparameters_of_wrappers_are_changed_too(make, name):
    w = {"matrix": np.ones((2, 2)), "vector": np.ones(2)}

    def stepped(optimizer, state):
        new, _ = optimizer.step(w, w, state, gradient=lambda params: params)
        return np.concatenate([new["matrix"].reshape(-1), new["vector"]])

    one, other = make(0.1), make(0.3)
    found = stepped(one, tf.with_hyperparameters(one.init(w), **{name: 0.3}))
    np.testing.assert_allclose(found, stepped(other, other.init(w)), rtol=1e-12)
    assert not np.allclose(found, stepped(one, one.init(w)))


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda w: tf.accumulate_gradients(adam(0.1), 0), "`every` must be at least 1, got 0"),
        (lambda w: tf.ema_params(adam(0.1), 1.0), r"`decay` must be in \[0, 1\)"),
        (lambda w: tf.average_params(adam(0.1), every=0), "`every` must be at least 1"),
        (lambda w: tf.apply_if_finite(adam(0.1), -1), "`max_consecutive`"),
        (lambda w: tf.apply_if_finite("adam"), "`inner` must have `init` and `update`"),
        (lambda w: tf.scale_loss(adam(0.1), backoff=2.0), "`backoff`"),
        (lambda w: tf.reduce_on_plateau(factor=2.0), "`factor`"),
        (lambda w: tf.reduce_on_plateau(mode="least"), "`mode`"),
        (lambda w: tf.reduce_on_plateau().update(w, (), w), "needs `value`"),
        (lambda w: tf.ema_params(adam(0.1)).update(w, None), "pass `params`"),
        (lambda w: tf.keep_master_weights(adam(0.1)).update(w, None), "pass `params`"),
        (
            lambda w: tf.with_hyperparameters(adam(0.1).init(w), momentum=0.9),
            "no optimizer of this state has the hyperparameter `momentum`",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(use, words):
    with pytest.raises(HyperparameterError, match=words):
        use(np.ones(2))
