"""What a step is given beside its trees: unknown keywords and wrong states are refused."""

import numpy as np
import pytest

from arraygrad import optimizers as opt
from arraygrad import transformations as tf
from arraygrad.errors import (
    DeviceError,
    HyperparameterError,
    MixedLibraryError,
    StructureError,
)
from arraygrad.optimizers import adam, sgd
from arraygrad.optimizers._protocol import COMMON

W = np.eye(2)

ALONE = [
    adam(0.1), sgd(0.1), opt.muon(0.1), opt.prodigy(), opt.shampoo(0.1), opt.soap(0.1),
    opt.schedule_free_sgd(0.1), opt.lookahead(sgd(0.1)), opt.sophia(0.1), opt.adafactor(0.1),
]  # fmt: skip
WRAPPED = [
    tf.chain(tf.clip_by_norm(1.0), adam(0.1)), tf.chain(), tf.masked(adam(0.1), "*"),
    tf.freeze(adam(0.1), lambda path, x: False), tf.groups({"*": adam(0.1)}),
    tf.ema_params(adam(0.1)), tf.average_params(sgd(0.1)), tf.accumulate_gradients(adam(0.1), 2),
    tf.apply_if_finite(adam(0.1)), tf.scale_loss(adam(0.1)), tf.keep_master_weights(adam(0.1)),
    tf.clip_by_global_norm(1.0), tf.zero_nans(), tf.centralize(),
    tf.add_noise(0.1, 0.5, np.random.default_rng(0)),
]  # fmt: skip


def name_of(optimizer):
    """Return a name for a test: the same in every process."""
    return getattr(optimizer, "name", type(optimizer).__name__)


# --- keywords ---------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ALONE + WRAPPED, ids=name_of)
def test_keywords_that_nobody_knows_are_refused(optimizer):
    state = optimizer.init(W)
    for name in ("donat", "length", "squared_norm"):
        with pytest.raises(HyperparameterError, match=f"^`{name}` is no argument of this optim"):
            optimizer.step(W, W, state, **{name: True})
        with pytest.raises(HyperparameterError, match=f"^`{name}` is no argument of this optim"):
            optimizer.update(W, state, W, **{name: True})


def test_a_keyword_with_a_slip_does_not_train():
    sophia = opt.sophia(0.1)
    with pytest.raises(HyperparameterError, match=r"it takes beside: `hessian_diagonal`$"):
        sophia.step(W, W, sophia.init(W), hesian_diagonal=W)
    polyak, noisy = opt.polyak_sgd(), opt.noisy_sgd(0.1)
    with pytest.raises(HyperparameterError, match="`squared_norm` is no argument"):
        polyak.step(W, W, polyak.init(W), value=1.0, squared_norm=1.0)
    with pytest.raises(HyperparameterError, match=r"it takes beside: `noise`, `rng`$"):
        noisy.step(W, W, noisy.init(W), rng=np.random.default_rng(0), seed=0)
    sam = opt.sam(sgd(0.1))
    with pytest.raises(HyperparameterError, match="it takes beside: `gradient`, `perturbed_grads`"):
        sam.step(W, W, sam.init(W), gradient=lambda w: w, loss=1.0)


@pytest.mark.parametrize("optimizer", ALONE + WRAPPED, ids=name_of)
def test_what_other_optimizers_take_is_passed_over(optimizer):
    given = {"gradient": np.cos, "noise": W, "value": 1.0}
    given = {name: x for name, x in given.items() if name in (optimizer.takes or ())}
    many = {**given, "value_fn": np.sum, "grad": W, "value": 1.0}
    found, _ = optimizer.step(W, W, optimizer.init(W), **many)
    expected, _ = optimizer.step(W, W, optimizer.init(W), **given)
    np.testing.assert_array_equal(found, expected)


def test_no_diagonal_may_be_given_by_name():
    sophia = opt.sophia(0.1)
    sophia.step(W, W, sophia.init(W), hessian_diagonal=None)


@pytest.mark.parametrize("wrap", [opt.lookahead, opt.schedule_free, opt.sam, tf.ema_params])
def test_a_wrapper_takes_what_its_optimizer_takes(wrap):
    wrapper = wrap(opt.sophia(0.1))
    extra = {"gradient": lambda w: w} if wrap is opt.sam else {}
    state = wrapper.init(W)
    wrapper.step(W, W, state, hessian_diagonal=W, **extra)
    with pytest.raises(HyperparameterError, match="`loss` is no argument"):
        wrapper.step(W, W, state, loss=1.0, **extra)


def test_each_member_is_given_what_it_takes():
    members = [tf.add_noise(0.1, 0.5), opt.sophia(0.1), tf.reduce_on_plateau()]
    optimizer, w = tf.chain(*members), {"a": W, "b": W}
    noise = {"a": W, "b": 0 * W}
    extra = {"noise": noise, "hessian_diagonal": w, "value": 1.0}
    assert optimizer.takes == {"noise", "hessian_diagonal", "value"}
    found, _ = optimizer.step(w, w, optimizer.init(w), **extra)
    grads, _ = members[0].update(w, members[0].init(w), noise=noise)
    expected, _ = members[1].step(w, grads, members[1].init(w), hessian_diagonal=w)
    np.testing.assert_array_equal(found["a"], expected["a"])
    parts = tf.groups({"a": opt.sophia(0.1), "b": adam(0.1)})
    found, _ = parts.step(w, w, parts.init(w), hessian_diagonal=w)
    alone, _ = adam(0.1).step(W, W, adam(0.1).init(W))
    np.testing.assert_array_equal(found["b"], alone)


def test_members_of_optax_take_what_they_say():
    optax, jnp = pytest.importorskip("optax"), pytest.importorskip("jax.numpy")
    w = jnp.ones(2)
    plain = tf.chain(optax.scale(2.0), adam(0.1))
    with pytest.raises(HyperparameterError, match="`loss` is no argument"):
        plain.step(w, w, plain.init(w), loss=1.0)
    takes_any = tf.chain(optax.polyak_sgd(), tf.scale(1.0))
    assert takes_any.takes is None
    takes_any.step(w, w, takes_any.init(w), value=1.0, anything=0)


# --- states -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, {}, W, 3], ids=["None", "dict", "array", "int"])
@pytest.mark.parametrize("optimizer", ALONE + WRAPPED, ids=name_of)
def test_what_is_no_state_is_refused(optimizer, state):
    for run in (
        lambda: optimizer.step(W, W, state),
        lambda: optimizer.update(W, state, W),
    ):
        with pytest.raises(
            StructureError, match=r"^`state` (must be what `init`|has no 'inner'|has no '\*')"
        ):
            run()


def test_the_state_of_another_optimizer_is_refused():
    w, alone = W, adam(0.1).init(W)
    for optimizer in WRAPPED:
        if not optimizer.takes and optimizer.init(w) != () and not hasattr(optimizer, "kernel"):
            with pytest.raises(StructureError, match=r"^`state`"):
                optimizer.step(w, w, alone)


# --- schedules --------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["0.1", None, 1j, [0.1]], ids=repr)
@pytest.mark.parametrize("make", [adam, opt.muon, opt.prodigy, tf.scale])
def test_schedules_return_numbers(make, wrong):
    optimizer = make(lambda count: wrong if count else 0.1)
    state = optimizer.init(W)
    _, state = optimizer.step(W, W, state)
    with pytest.raises(HyperparameterError, match=r"must be a schedule of real .* returned"):
        optimizer.step(W, W, state)
    with pytest.raises(HyperparameterError, match=r"must be a schedule of real .* returned"):
        make(lambda count: wrong).init(W)


# --- new hyperparameters ----------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-1.0, "0.1", None, 1j, float("nan"), np.asarray(-1.0)], ids=repr)
@pytest.mark.parametrize("name", ["learning_rate", "beta1", "epsilon"])
def test_new_hyperparameters_are_checked(name, wrong):
    state = tf.chain(tf.clip_by_norm(1.0), adam(0.1)).init(W)
    with pytest.raises(HyperparameterError, match=f"^`{name}` must be "):
        tf.with_hyperparameters(state, **{name: wrong})


def test_new_hyperparameters_have_the_ranges_of_the_old():
    with pytest.raises(HyperparameterError, match=r"`beta1` must be in \[0, 1\), got 1"):
        tf.with_hyperparameters(adam(0.1).init(W), beta1=1)
    with pytest.raises(HyperparameterError, match="`learning_rate` must be a number or a 0-d"):
        tf.with_hyperparameters(adam(0.1).init(W), learning_rate=lambda count: 0.1)
    assert tf.with_hyperparameters(tf.scale(1).init(W), factor=-1).hyperparameters["factor"] == -1


# --- arrays that lie elsewhere ----------------------------------------------------------------


def test_gradients_on_another_device_are_refused():
    xp = pytest.importorskip("array_api_strict")
    params = {"a": xp.ones(2), "b": xp.ones(2)}
    grads = {"a": xp.ones(2), "b": xp.ones(2, device=xp.Device("device1"))}
    optimizer = adam(0.1)
    state = optimizer.init(params)
    for run in (optimizer.step, lambda w, g, s: optimizer.update(g, s, w)):
        with pytest.raises(DeviceError, match=r"^`grads` at \['b'\] is on the device .*device1"):
            run(params, grads, state)


@pytest.mark.parametrize("count", [1, 5])
def test_a_rate_of_another_library_is_refused(count):
    xp = pytest.importorskip("array_api_strict")
    params = [np.ones(2) for _ in range(count)]
    optimizer = adam(xp.asarray(0.1))
    state = optimizer.init(params)
    with pytest.raises(MixedLibraryError, match=r"^`learning_rate` is an array of array_api"):
        optimizer.step(params, params, state)


@pytest.mark.parametrize("make", [adam, sgd])
def test_gradients_of_another_library_are_refused(make):
    xp = pytest.importorskip("array_api_strict")
    params, optimizer = {"a": np.ones(2), "b": np.ones(2)}, make(0.1)
    grads, state = {"a": np.ones(2), "b": xp.ones(2)}, optimizer.init(params)
    with pytest.raises(
        MixedLibraryError, match=r"^`grads` at \['b'\] is an array of array_api_strict"
    ):
        optimizer.step(params, grads, state)


@pytest.mark.parametrize("name", sorted(COMMON - {"gradient"}))
def test_a_loop_may_pass_everything_to_all(name):
    for optimizer in (adam(0.1), opt.polyak_sgd(), opt.lookahead(sgd(0.1))):
        extra = {"value": 0.25, name: 0.25}
        state = optimizer.init(W)
        found, _ = optimizer.step(W, W, state, **extra)
        expected, _ = optimizer.step(W, W, state, value=0.25)
        np.testing.assert_array_equal(found, expected)
        optimizer.update(W, state, W, **extra)
