"""What is no number where a number is due: refused at once, by the argument's name."""

import re

import numpy as np
import pytest

from arraygrad import optimizers, schedules
from arraygrad import transformations as tf
from arraygrad._namespace import array_namespace
from arraygrad.errors import HyperparameterError
from arraygrad.libraries import library_of
from arraygrad.optimizers import adam, sgd
from arraygrad.schedules import linear

# --- optimizers and transformations -----------------------------------------------------------

WRONG = ["0.1", None, 1 + 2j, [0.1], np.float32(-0.1), np.asarray(-1), np.asarray(0.1j)]
WRONG += [np.complex64(1), np.str_("0.1"), float("nan"), np.asarray(np.nan), -1]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (adam, "learning_rate"),
        (sgd, "learning_rate"),
        (lambda x: adam(0.1, beta1=x), "beta1"),
        (tf.clip_by_value, "max_value"),
        (lambda x: tf.ema_params(adam(0.1), x), "decay"),
        (lambda x: tf.ema_params(adam(0.1), start=x), "start"),
        (lambda x: tf.average_params(adam(0.1), every=x), "every"),
        (lambda x: tf.accumulate_gradients(adam(0.1), x), "every"),
        (lambda x: tf.apply_if_finite(adam(0.1), x), "max_consecutive"),
        (lambda x: tf.scale_loss(adam(0.1), init_scale=x), "init_scale"),
        (lambda x: tf.scale_loss(adam(0.1), interval=x), "interval"),
        (lambda x: tf.scale_loss(adam(0.1), backoff=x), "backoff"),
        (lambda x: tf.reduce_on_plateau(factor=x), "factor"),
        (lambda x: tf.reduce_on_plateau(rtol=x), "rtol"),
        (lambda x: tf.reduce_on_plateau(patience=x), "patience"),
        (lambda x: tf.reduce_on_plateau(min_scale=x), "min_scale"),
    ],
)
def test_what_is_no_number_in_range_is_refused(make, argument, wrong):
    with pytest.raises(HyperparameterError, match=f"^`{argument}` must be ") as refused:
        make(wrong)
    assert str(refused.value).endswith((f"got {wrong}", f"got {wrong!r}"))


def test_messages_say_that_a_number_is_due():
    with pytest.raises(HyperparameterError, match=r"must be a number at least 0, got '0\.1'"):
        adam("0.1")
    with pytest.raises(HyperparameterError, match=r"must be in \[0, 1\), got 2"):
        adam(0.1, beta1=2)


@pytest.mark.parametrize(
    "right", [0, 0.5, False, np.float32(0.5), np.int64(0), np.asarray(0.5), np.asarray(0)], ids=repr
)
def test_numbers_of_numpy_are_numbers(right):
    adam(right, beta1=right, epsilon=right)


def test_what_cannot_be_read_is_not_read(backend):
    arrays = [backend.asarray(0.5), backend.asarray(0.5, "float32")]
    readable = library_of(array_namespace(arrays[0])).readable
    arrays += [] if readable else [backend.asarray(-1.0)]
    for x in arrays:
        adam(x, beta1=x)
        tf.clip_by_value(x)
    adam(schedules.constant(0.1), beta1=lambda count: -count)


def test_complex_hyperparameters_are_refused(backend):
    with pytest.raises(HyperparameterError, match="`learning_rate` must be a number"):
        adam(backend.asarray(0.5, "complex64"))


@pytest.mark.parametrize("wrong", ["0.1", None, 1j, [0.1], np.complex64(1), "complex64"], ids=repr)
def test_a_state_with_what_is_no_real_number_is_refused(backend, wrong):
    """Found where the step fails, not looked for in each."""
    given = backend.asarray(1.0, wrong) if wrong == "complex64" else wrong
    w, optimizer = backend.asarray([1.0, 2.0], "float32"), sgd(0.1)
    state = optimizer.init(w)
    with pytest.raises(HyperparameterError, match=r"learning_rate.* must be (a )?real"):
        optimizer.step(w, w, state._replace(hyperparameters={"learning_rate": given}))


def test_arrays_that_are_traced_are_not_read():
    jax = pytest.importorskip("jax")

    def moved(rate):
        optimizer, w = sgd(rate), jax.numpy.ones(2)
        return optimizer.step(w, w, optimizer.init(w))[0]

    np.testing.assert_allclose(np.asarray(jax.jit(moved)(0.5)), 0.5)


def test_gradients_of_a_rate_go_through(backend, autodiff):
    import arraygrad as ag

    w = backend.asarray([1.0, 2.0])

    def cost(rate):
        optimizer = optimizers.sgd(rate)
        moved, _ = optimizer.step(w, w, optimizer.init(w))
        return (moved * w).sum() if hasattr(moved, "sum") else backend.xp.sum(moved * w)

    found = ag.grad(cost, autodiff=autodiff)(backend.asarray(0.5))
    assert float(backend.to_numpy(found)) == -5.0


# --- schedules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: linear("a", 0.0, 3), "`init_value` must be a real number or an array, got 'a'"),
        (lambda: linear(0.0, None, 3), "`end_value` must be a real number or an array, got None"),
        (lambda: linear(0.0, 1.0, "3"), "`transition_steps` must be a real number"),
        (lambda: schedules.constant(1j), "`value` must be a real number or an array, got 1j"),
        (lambda: schedules.constant(np.str_("a")), "`value` must be a real number"),
        (lambda: schedules.polynomial(1.0, 0.0, "2", 3), "`power` must be a real number"),
        (lambda: schedules.exponential("1", 2, 0.5), "`init_value` must be a real number"),
        (lambda: schedules.exponential(1.0, 2, None), "`decay_rate` must be a real number"),
        (lambda: schedules.exponential(1.0, 2, 0), "`decay_rate` must be greater than 0, got 0"),
        (lambda: schedules.exponential(1.0, 2, 0.5, end_value="a"), "`end_value` must be"),
        (lambda: schedules.inverse_time(None, 2, 0.5), "`init_value` must be a real number"),
        (lambda: schedules.cosine(1.0, 2, exponent="1"), "`exponent` must be a real number"),
        (lambda: schedules.cosine_restarts("1", 2), "`init_value` must be a real number"),
        (lambda: schedules.cyclic(0.0, "1"), "`max_value` must be a real number"),
        (lambda: schedules.one_cycle("1", 3), "`peak_value` must be a real number"),
        (lambda: schedules.one_cycle(1.0, 3, div_factor=0), "`div_factor` must be greater than 0"),
        (lambda: schedules.one_cycle(1.0, 3, final_div_factor=0.0), "`final_div_factor` must be"),
        (lambda: schedules.one_cycle(1.0, 3, pct_start="1"), "`pct_start` must be a real number"),
        (lambda: schedules.one_cycle(1.0, 3, pct_final=0.1), "`pct_final` must be at least 0.3"),
        (lambda: schedules.piecewise_constant(1.0, None), "`boundaries_and_scales` must be a map"),
        (lambda: schedules.piecewise_constant("1", {1: 0.5}), "`init_value` must be a real"),
        (lambda: schedules.piecewise_constant(1.0, {1: "a"}), "`boundaries_and_scales[1]` must be"),
        (lambda: schedules.piecewise_interpolate(1.0, {"a": 1.0, 1: 1.0}), "must be a real number"),
        (lambda: schedules.piecewise_interpolate(None, {1: 1.0}), "`init_value` must be a real"),
        (lambda: schedules.multistep(1.0, None), "`milestones` must be a sequence of numbers"),
        (lambda: schedules.multistep(1.0, ["a"]), "`milestones` must be a sequence of numbers"),
        (lambda: schedules.join([linear(0.0, 1.0, 2)], 3), "`boundaries` must be a sequence"),
        (lambda: schedules.join(None, [3]), "`schedules` must be a sequence of schedules, got"),
        (lambda: schedules.join([0.1, 0.2], [3]), "`schedules` must be a sequence of schedules"),
        (lambda: schedules.linear_warmup(0.1, 3), "`schedule` must be a schedule, got 0.1"),
        (lambda: schedules.warmup_constant("a", 1.0, 3), "`init_value` must be a real number"),
    ],
)
def test_schedules_refuse_what_is_no_number(make, message):
    with pytest.raises(HyperparameterError, match=re.escape(message)):
        make()


@pytest.mark.parametrize("multiplier", [1, 2])
def test_restarts_have_their_first_value_before_the_beginning(backend, multiplier):
    schedule = schedules.cosine_restarts(1.0, 5, multiplier=multiplier)
    assert schedule(-10) == schedule(0) == 1.0
    found = backend.to_numpy(schedule(backend.asarray([-10.0, -1.0, 0.0])))
    np.testing.assert_allclose(found, 1.0)


# --- extra arguments of parts -----------------------------------------------------------------


@pytest.mark.parametrize("chosen", [False, True])
def test_a_value_reaches_a_part_of_a_single_array(backend, chosen):
    plateau = tf.reduce_on_plateau(factor=0.5, patience=1)
    optimizer, w = tf.masked(plateau, lambda path, x: chosen), backend.asarray([1.0, 2.0])
    for value in (2.0, 2, np.float64(2.0), backend.asarray(2.0)):
        if isinstance(value, np.generic) and backend.library != "numpy":
            continue
        state = optimizer.init(w)
        for _ in range(2):
            updates, state = optimizer.update(w, state, w, value=value)
        expected = [0.5, 1.0] if chosen else [1.0, 2.0]
        np.testing.assert_allclose(backend.to_numpy(updates), expected)
        assert float(state["inner"].scale) == 0.5


def test_noise_for_a_single_array_is_a_part_of_it(backend):
    w, noise = backend.asarray([1.0, 2.0]), backend.asarray([1.0, -1.0])
    for chosen, expected in [(True, [1.5, 1.5]), (False, [1.0, 2.0])]:
        optimizer = tf.masked(tf.add_noise(0.25, 0.55), chosen)
        found, _ = optimizer.update(w, optimizer.init(w), w, noise=noise)
        np.testing.assert_allclose(backend.to_numpy(found), expected)


# --- what would fail in a step ----------------------------------------------------------------

NAMES = [[1], None, "none"]


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: adam(0.1, epsilon=None), "epsilon"),
        (lambda: optimizers.rmsprop(0.1, epsilon=None), "epsilon"),
        (lambda: optimizers.adafactor(0.1, epsilon="abc"), "epsilon"),
        (lambda: optimizers.adafactor(0.1, clipping_threshold="abc"), "clipping_threshold"),
        (lambda: optimizers.nadam(0.1, momentum_decay="abc"), "momentum_decay"),
        (lambda: optimizers.rprop(0.1, eta_plus="abc"), "eta_plus"),
        (lambda: optimizers.rprop(0.1, eta_minus=0), "eta_minus"),
        (lambda: optimizers.schedule_free_sgd(0.1, beta1="abc"), "beta1"),
        (lambda: optimizers.schedule_free_adamw(0.1, beta1=None), "beta1"),
        (lambda: tf.scale("abc"), "factor"),
        (lambda: tf.scale(None), "factor"),
        (lambda: optimizers.radam(0.1, threshold="abc"), "threshold"),
        (lambda: optimizers.polyak_sgd(f_min="abc"), "f_min"),
        (lambda: optimizers.polyak_sgd(variant=[1]), "variant"),
        (lambda: optimizers.shampoo(0.1, max_size=None), "max_size"),
        (lambda: optimizers.soap(0.1, max_size=None), "max_size"),
        (lambda: tf.add_noise(0.1, 0.5, "abc"), "rng"),
        (lambda: optimizers.muon(0.1, coefficients=1.5), "coefficients"),
        (lambda: optimizers.muon(0.1, coefficients=("a", "b", "c")), "coefficients"),
        (lambda: optimizers.muon(0.1, scaling=[1]), "scaling"),
        (lambda: optimizers.ademamix(0.1, warmup="abc"), "warmup"),
        (lambda: schedules.one_cycle(0.1, float("inf")), "transition_steps"),
        (lambda: schedules.step(0.1, 0), "step_size"),
        (lambda: schedules.step(0.1, 2, gamma=0), "gamma"),
        (lambda: tf.centralize(1.5), "axis"),
        (lambda: tf.adaptive_clip(0.1, axis=(1.5,)), "axis"),
        (lambda: tf.groups(0.1), "optimizers"),
        (lambda: tf.groups([adam(0.1)]), "optimizers"),
        *[(lambda x=x: adam(0.1, convention=x), "convention") for x in NAMES],
    ],
)
def test_what_would_fail_in_a_step_is_refused_at_once(make, argument):
    with pytest.raises(HyperparameterError, match=f"^`{argument}` must be "):
        make()


def test_a_flag_is_true_or_false():
    w, centred = np.ones(2), optimizers.rmsprop(0.1, centered=1)
    assert set(centred.init(w).slots) == {"nu", "mu"}


def test_conventions_have_values_of_their_own():
    for optimizer in (optimizers.adafactor(0.1, epsilon=None), optimizers.nadam(0.1)):
        optimizer.step(np.ones(2), np.ones(2), optimizer.init(np.ones(2)))
    tf.centralize((np.int64(1),))
