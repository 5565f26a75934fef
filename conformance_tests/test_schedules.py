"""Schedules: equal to optax's and torch's, for numbers, arrays and traces."""

import math
import pickle
import warnings

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import schedules
from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adam
from conformance_tests.backends import load

COUNTS = range(45)

OURS = {
    "constant": schedules.constant(0.3),
    "linear": schedules.linear(0.5, 0.1, 13, transition_begin=4),
    "polynomial": schedules.polynomial(0.5, 0.1, 2.5, 13, transition_begin=4),
    "exponential": schedules.exponential(0.5, 7, 0.3, transition_begin=3),
    "exponential, staircase": schedules.exponential(0.5, 7, 0.3, staircase=True, end_value=0.01),
    "exponential, growing": schedules.exponential(0.5, 7, 1.7, end_value=2.0),
    "inverse_time": schedules.inverse_time(0.5, 7, 0.3),
    "inverse_time, staircase": schedules.inverse_time(0.5, 7, 0.3, staircase=True),
    "cosine": schedules.cosine(0.5, 17, end_value=0.05, exponent=1.5),
    "piecewise_constant": schedules.piecewise_constant(0.5, {20: 0.3, 10: 0.5, 21: 3.0}),
    "piecewise_interpolate": schedules.piecewise_interpolate(0.5, {5: 0.3, 12: 2.0}),
    "piecewise_interpolate, cosine": schedules.piecewise_interpolate(
        0.5, {5: 0.3, 12: 2.0}, interpolation="cosine"
    ),
    "step": schedules.step(0.5, 9, gamma=0.3),
    "multistep": schedules.multistep(0.5, [3, 8, 30], gamma=0.3),
    "cosine_restarts": schedules.cosine_restarts(0.5, 6, end_value=0.02),
    "cosine_restarts, longer": schedules.cosine_restarts(0.5, 3, multiplier=2, end_value=0.02),
    "cosine_restarts, lower": schedules.cosine_restarts(0.5, 3, multiplier=1.5, decay=0.7),
    "one_cycle": schedules.one_cycle(0.5, 41),
    "one_cycle, Smith's": schedules.one_cycle(0.5, 40, interpolation="linear", three_phases=True),
    "one_cycle, torch": schedules.one_cycle(0.5, 45, convention="torch"),
    "one_cycle, torch's three": schedules.one_cycle(
        0.5, 45, interpolation="linear", convention="torch", three_phases=True
    ),
    "cyclic": schedules.cyclic(0.1, 0.6, steps_up=4, steps_down=7),
    "cyclic, halved": schedules.cyclic(0.1, 0.6, steps_up=5, mode="triangular2"),
    "cyclic, shrinking": schedules.cyclic(0.1, 0.6, steps_up=5, mode="exp_range", gamma=0.98),
    "join": schedules.join(
        [schedules.cosine(0.5, 9), schedules.inverse_time(1.0, 1, 1.0), lambda count: 0.1], [9, 30]
    ),
    "linear_warmup": schedules.linear_warmup(schedules.step(0.5, 9), 6, init_value=0.1),
    "warmup_constant": schedules.warmup_constant(0.01, 0.5, 8),
    "warmup_cosine": schedules.warmup_cosine(0.01, 0.5, 8, 30, end_value=0.02, exponent=1.2),
    "warmup_exponential": schedules.warmup_exponential(
        0.01, 0.5, 8, 5, 0.6, transition_begin=2, staircase=True, end_value=0.03
    ),
}
every_schedule = pytest.mark.parametrize("name", OURS)


def close(got, want, rtol=1e-12):
    """Require equality up to a few last places; schedules that end at 0 miss it by some."""
    np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-15)


# --- peers ----------------------------------------------------------------------------------------


def optax_schedules(optax):
    """Return optax's schedules, by the names of ours."""
    return {
        "constant": optax.constant_schedule(0.3),
        "linear": optax.linear_schedule(0.5, 0.1, 13, 4),
        "polynomial": optax.polynomial_schedule(0.5, 0.1, 2.5, 13, 4),
        "exponential": optax.exponential_decay(0.5, 7, 0.3, 3),
        "exponential, staircase": optax.exponential_decay(
            0.5, 7, 0.3, staircase=True, end_value=0.01
        ),
        "exponential, growing": optax.exponential_decay(0.5, 7, 1.7, end_value=2.0),
        "cosine": optax.cosine_decay_schedule(0.5, 17, alpha=0.1, exponent=1.5),
        "piecewise_constant": optax.piecewise_constant_schedule(0.5, {10: 0.5, 20: 0.3, 21: 3.0}),
        "piecewise_interpolate": optax.piecewise_interpolate_schedule(
            "linear", 0.5, {5: 0.3, 12: 2.0}
        ),
        "piecewise_interpolate, cosine": optax.piecewise_interpolate_schedule(
            "cosine", 0.5, {5: 0.3, 12: 2.0}
        ),
        "one_cycle": optax.cosine_onecycle_schedule(41, 0.5),
        "one_cycle, Smith's": optax.linear_onecycle_schedule(40, 0.5),
        "warmup_constant": optax.warmup_constant_schedule(0.01, 0.5, 8),
        "warmup_cosine": optax.warmup_cosine_decay_schedule(0.01, 0.5, 8, 30, 0.02, 1.2),
        "warmup_exponential": optax.warmup_exponential_decay_schedule(
            0.01, 0.5, 8, 5, 0.6, 2, True, 0.03
        ),
    }


@pytest.mark.parametrize(
    "name", [name for name in OURS if name in optax_schedules(pytest.importorskip("optax"))]
)
def test_a_schedule_is_that_of_optax(name):
    optax = pytest.importorskip("optax")
    load("jax")
    theirs = optax_schedules(optax)[name]
    # optax's cosine of a number is taken in single precision, that of an array in its own
    want = [float(theirs(np.asarray(float(count)))) for count in COUNTS]
    close([OURS[name](count) for count in COUNTS], want)


def test_joined_cosines_are_the_sgdr_of_optax():
    optax = pytest.importorskip("optax")
    load("jax")
    cycles = [
        {"init_value": 0.0, "peak_value": 0.5, "warmup_steps": 3, "decay_steps": 10},
        {"init_value": 0.1, "peak_value": 0.3, "warmup_steps": 2, "decay_steps": 20},
    ]
    ours = schedules.join([schedules.warmup_cosine(**cycle) for cycle in cycles], [10])
    theirs = optax.sgdr_schedule(cycles)
    close([ours(n) for n in COUNTS], [float(theirs(np.asarray(float(n)))) for n in COUNTS])


def torch_schedules(scheduler):
    """Return torch's schedulers, by the names of ours, of an optimizer with the rate 0.5."""
    return {
        "step": lambda o: scheduler.StepLR(o, 9, 0.3),
        "multistep": lambda o: scheduler.MultiStepLR(o, [3, 8, 30], 0.3),
        "cosine_restarts": lambda o: scheduler.CosineAnnealingWarmRestarts(o, 6, eta_min=0.02),
        "cosine_restarts, longer": lambda o: scheduler.CosineAnnealingWarmRestarts(
            o, 3, T_mult=2, eta_min=0.02
        ),
        "one_cycle, torch": lambda o: scheduler.OneCycleLR(o, 0.5, 45, cycle_momentum=False),
        "one_cycle, torch's three": lambda o: scheduler.OneCycleLR(
            o, 0.5, 45, anneal_strategy="linear", three_phase=True, cycle_momentum=False
        ),
        "cyclic": lambda o: scheduler.CyclicLR(o, 0.1, 0.6, 4, 7, cycle_momentum=False),
        "cyclic, halved": lambda o: scheduler.CyclicLR(
            o, 0.1, 0.6, 5, mode="triangular2", cycle_momentum=False
        ),
        "cyclic, shrinking": lambda o: scheduler.CyclicLR(
            o, 0.1, 0.6, 5, mode="exp_range", gamma=0.98, cycle_momentum=False
        ),
    }


def torch_rates(make, steps):
    """Return the learning rates of a torch scheduler."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler, rates = make(optimizer), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps of the scheduler without the optimizer's
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
    return rates


@pytest.mark.parametrize("name", torch_schedules(None))
def test_a_schedule_is_that_of_torch(name):
    torch = pytest.importorskip("torch")
    make = torch_schedules(torch.optim.lr_scheduler)[name]
    close([OURS[name](count) for count in range(44)], torch_rates(make, 44))


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (schedules.linear(0.1, 0.5, 7), lambda s, o: s.LinearLR(o, 0.2, 1.0, 7)),
        (schedules.polynomial(0.5, 0, 3, 20), lambda s, o: s.PolynomialLR(o, 20, 3)),
        (schedules.exponential(0.5, 1, 0.9), lambda s, o: s.ExponentialLR(o, 0.9)),
        (schedules.cosine(0.5, 20, end_value=0.1), lambda s, o: s.CosineAnnealingLR(o, 20, 0.1)),
    ],
    ids=["LinearLR", "PolynomialLR", "ExponentialLR", "CosineAnnealingLR"],
)
def test_torchs_recursions_have_closed_forms(ours, make):
    torch = pytest.importorskip("torch")
    theirs = torch_rates(lambda o: make(torch.optim.lr_scheduler, o), 20)
    np.testing.assert_allclose([ours(count) for count in range(20)], theirs, rtol=1e-11)


def test_inverse_time_and_restarts_are_their_formulas():
    got = [OURS["inverse_time, staircase"](count) for count in COUNTS]
    close(got, [0.5 / (1 + 0.3 * (count // 7)) for count in COUNTS])
    want, cycle, begin, length = [], 0, 0.0, 3.0
    for count in COUNTS:
        while count >= begin + length:
            cycle, begin, length = cycle + 1, begin + length, length * 1.5
        height = 0.5 * 0.7**cycle
        want.append(height * 0.5 * (1 + math.cos(math.pi * (count - begin) / length)))
    close([OURS["cosine_restarts, lower"](count) for count in COUNTS], want)


def test_restarts_happen_where_they_should_after_many_steps():
    for multiplier in (2, 3, 10):
        schedule, begin, length = schedules.cosine_restarts(1.0, 7, multiplier=multiplier), 0, 7
        for _ in range(12):
            assert schedule(begin) == 1.0
            assert schedule(begin + length - 1) < 0.1
            begin, length = begin + length, length * multiplier


# --- numbers, arrays, traces ----------------------------------------------------------------------


@every_schedule
def test_a_number_gives_a_number_and_an_array_an_array(backend, name):
    schedule = OURS[name]
    want = [schedule(count) for count in COUNTS]
    assert {type(value) for value in want} == {float}
    got = schedule(backend.asarray(list(COUNTS), "float64"))
    assert got.dtype == backend.dtype("float64")
    close(backend.to_numpy(got), want)
    single = schedule(backend.asarray(11, "int32"))
    assert single.shape == ()
    assert type(single) is type(backend.asarray(0.0))
    close(backend.to_numpy(single), want[11])


@every_schedule
def test_a_schedule_traces_under_jit(name):
    jax = pytest.importorskip("jax")
    load("jax")
    traced = jax.jit(OURS[name])
    close(
        [float(traced(count)) for count in (0, 5, 11, 40)], [OURS[name](n) for n in (0, 5, 11, 40)]
    )


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"join"}))  # that one holds a lambda
def test_a_schedule_can_be_printed_and_pickled(name):
    again = pickle.loads(pickle.dumps(OURS[name]))
    assert repr(again) == repr(OURS[name])
    assert [again(count) for count in COUNTS] == [OURS[name](count) for count in COUNTS]


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda x: schedules.linear(x, 0.1, 10), 3),
        (lambda x: schedules.exponential(0.5, 7, x), 5),
        (lambda x: schedules.cosine(x, 10, end_value=0.1), 4),
        (lambda x: schedules.warmup_cosine(0.0, x, 3, 9), 7),
        (lambda x: schedules.cyclic(0.1, x, steps_up=4), 2),
        (lambda x: schedules.cosine_restarts(1.0, 3, decay=x), 7),
        (lambda x: schedules.piecewise_constant(0.3, {2: x, 4: x}), 5),
        (lambda x: schedules.one_cycle(x, 10), 4),
    ],
)
def test_a_schedule_has_gradients_by_its_values(backend, autodiff, make, count):
    got = ag.grad(lambda x: make(x)(count), autodiff=autodiff)(backend.asarray(0.7))
    want = (make(0.7 + 1e-6)(count) - make(0.7 - 1e-6)(count)) / 2e-6
    assert backend.to_numpy(got) == pytest.approx(want, rel=1e-7)


def test_an_optimizer_follows_a_schedule(backend):
    optimizer = adam(schedules.linear(0.4, 0.0, 2))
    w, g = backend.asarray([1.0]), backend.asarray([1.0])
    state = optimizer.init(w)
    for _ in range(4):
        w, state = optimizer.step(w, g, state)
    close(backend.to_numpy(w), [0.4], rtol=1e-6)


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: schedules.linear(1.0, 0.0, 0), "`transition_steps` must be at least 1, got 0"),
        (lambda: schedules.linear(1.0, 0.0, 5, transition_begin=-1), "`transition_begin`"),
        (lambda: schedules.exponential(1.0, 1, 0.0), "`decay_rate`"),
        (lambda: schedules.cosine(1.0, float("nan")), "`decay_steps`"),
        (lambda: schedules.multistep(1.0, [3, 3]), r"`milestones` must grow, got \(3, 3\)"),
        (lambda: schedules.piecewise_constant(1.0, {3: -1.0}), r"boundaries_and_scales\[3\]"),
        (lambda: schedules.piecewise_interpolate(1.0, {}, interpolation="cubic"), "'cubic'"),
        (lambda: schedules.one_cycle(1.0, 10, convention="keras"), "`convention`"),
        (lambda: schedules.cyclic(0.0, 1.0, mode="round"), "`mode`"),
        (lambda: schedules.cosine_restarts(1.0, 3, multiplier=0.5), "`multiplier`"),
        (lambda: schedules.join([schedules.constant(1.0)], [3]), "`boundaries` must be 0"),
        (lambda: schedules.warmup_cosine(0.0, 1.0, 5, 5), "`decay_steps` must be at least 6"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(HyperparameterError, match=words):
        make()


def test_a_warm_up_of_no_steps_is_none():
    assert schedules.linear_warmup(schedules.constant(0.1), 0)(0) == 0.1
    assert schedules.warmup_constant(0.0, 0.1, 0)(0) == 0.1
    ours, cosine = schedules.warmup_cosine(0.0, 0.1, 0, 10), schedules.cosine(0.1, 10)
    assert [ours(count) for count in range(12)] == [cosine(count) for count in range(12)]
