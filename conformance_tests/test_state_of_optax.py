"""Taking over states of optax: training goes on as if nothing had happened."""

import functools
from typing import NamedTuple

import numpy as np
import pytest

from arraygrad import optimizers as ours
from arraygrad._tree import map_leaves
from arraygrad.errors import StateError
from arraygrad.state import from_optax, to_optax
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import gradients_like
from conformance_tests.state_exchanges import HALF, STEPS, nothing, walk
from conformance_tests.trees import assert_close, from_numpy, to_numpy


def optaxs(name, *, ours_=None, theirs=None, module="", called="", rate=0.1, **options):
    """Return an optimizer of ours and a function that makes optax's of the same name."""

    def make_theirs(optax):
        found = getattr(optax, module) if module else optax
        return getattr(found, called or name)(rate, **options, **(theirs or {}))

    return lambda: getattr(ours, name)(rate, **options, **(ours_ or {})), make_theirs


AS_OPTAX = {"convention": "optax"}
NESTEROV = {"momentum": 0.8, "nesterov": True}
FACTORED = {"convention": "optax", "smallest_factored": 3}


def squares():
    """Return a transformation of optax that takes squared gradients for the Hessian's diagonal."""
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    return optax.stateless(lambda grads, params: jax.tree.map(lambda g: g * g, grads))


def sophia(optax):
    """Make optax's, which looks at the Hessian every other step."""
    return optax.contrib.sophia(
        0.1, weight_decay=0.1, gamma=10.0, update_interval=2, hessian_diagonal_fn=squares()
    )


def hessian_at_even_steps(state, grads):
    """Return what `sophia` takes, as optax's does above."""
    return {} if state.count % 2 else {"hessian_diagonal": map_leaves(np.square, grads)}


# name: (ours, optax's)
OPTAX = {
    "adabelief": optaxs("adabelief"),
    "adadelta": optaxs("adadelta"),
    "adafactor": optaxs(
        "adafactor", ours_={**FACTORED, "weight_decay": 0.1},
        theirs={"min_dim_size_to_factor": 3, "weight_decay_rate": 0.1},
    ),
    "adafactor-momentum": optaxs(
        "adafactor", ours_=FACTORED,
        theirs={"min_dim_size_to_factor": 3, "dtype_momentum": np.float64}, momentum=0.8,
    ),
    "adagrad": optaxs(
        "adagrad", ours_={**AS_OPTAX, "initial_accumulator": 0.1, "epsilon": 1e-7}
    ),
    "adam": optaxs("adam", ours_={"beta1": 0.8}, theirs={"b1": 0.8}),
    "adamax": optaxs("adamax", ours_=AS_OPTAX),
    "adamaxw": optaxs("adamaxw", ours_=AS_OPTAX, weight_decay=0.2),
    "adamw": optaxs("adamw", ours_=AS_OPTAX, weight_decay=0.2),
    "adan": optaxs("adan", ours_=AS_OPTAX, theirs={"eps_root": 0}),
    "ademamix": optaxs("ademamix", module="contrib"),
    "adopt": optaxs("adopt", module="contrib"),
    "amsgrad": optaxs("amsgrad", ours_=AS_OPTAX),
    "dadapt_adamw": optaxs(
        "dadapt_adamw", module="contrib", ours_={**AS_OPTAX, "initial_distance": 0.1},
        theirs={"estim_lr0": 0.1}, rate=1.0, weight_decay=0.1,
    ),
    "lamb": optaxs("lamb", weight_decay=0.1),
    "lars": optaxs("lars", ours_=AS_OPTAX, weight_decay=0.1),
    "lion": optaxs("lion", weight_decay=0.1),
    "muon": optaxs("muon", module="contrib", ours_={**AS_OPTAX, "epsilon": 1e-8}, weight_decay=0.1),
    "muon-plain": optaxs(
        "muon", module="contrib", ours_={**AS_OPTAX, "epsilon": 1e-8}, nesterov=False
    ),
    "nadam": optaxs("nadam", ours_=AS_OPTAX),
    "nadamw": optaxs("nadamw", ours_=AS_OPTAX, weight_decay=0.1),
    "novograd": optaxs("novograd", ours_={"beta1": 0.9, "beta2": 0.25, "epsilon": 1e-6}),
    "optimistic": optaxs("optimistic_gradient_descent"),
    "optimistic_adam": optaxs(
        "optimistic_adam", called="optimistic_adam_v2", nesterov=True, alpha=0.9, beta=0.8
    ),
    "prodigy": optaxs(
        "prodigy", module="contrib", ours_={**AS_OPTAX, "initial_distance": 0.01, "growth": 50.0},
        theirs={"estim_lr0": 0.01, "estim_lr_coef": 50.0}, weight_decay=0.1,
    ),
    "radam": optaxs("radam", ours_=AS_OPTAX),
    "rmsprop": optaxs("rmsprop", ours_=AS_OPTAX, momentum=0.7, centered=True),
    "rmsprop-plain": optaxs("rmsprop", ours_=AS_OPTAX),
    "schedule_free-adam": (
        lambda: ours.schedule_free(ours.adam(0.1, beta1=0.0)),
        lambda optax: optax.contrib.schedule_free(optax.adam(0.1, b1=0.0), 0.1),
    ),
    "schedule_free_adamw": optaxs("schedule_free_adamw", module="contrib", weight_decay=0.1),
    "schedule_free_sgd": optaxs("schedule_free_sgd", module="contrib", weight_decay=0.1),
    "sgd": optaxs("sgd", ours_=AS_OPTAX),
    "sgd-momentum": optaxs("sgd", ours_=AS_OPTAX, momentum=0.8),
    "sgd-nesterov": optaxs("sgd", ours_=AS_OPTAX, **NESTEROV),
    "sm3": optaxs("sm3", momentum=0.8),
    "sophia": (lambda: ours.sophia(0.1, weight_decay=0.1, gamma=10.0, **AS_OPTAX), sophia),
    "yogi": optaxs("yogi", ours_=AS_OPTAX),
}  # fmt: skip

BESIDE = {"sophia": hessian_at_even_steps}
WHOLE = {"adafactor", "adafactor-momentum", "muon", "muon-plain", "sm3"}  # no empty arrays, numbers
TOLERANCE = {
    "adafactor": 1e-6,
    "adafactor-momentum": 1e-6,
}  # optax has its rates in single precision


@pytest.fixture(scope="module")
def case():
    """Parameters, and gradients for all steps."""
    draw = np.random.default_rng(0).normal
    params = {"bias": np.asarray(draw()), "nets": [draw(size=(2, 3)), np.zeros((0, 2))]}
    return params, gradients_like(params, STEPS)


@pytest.fixture(scope="module")
def whole_case():
    """The same without empty arrays and numbers, which not all optimizers of optax take."""
    draw = np.random.default_rng(0).normal
    params = {"bias": draw(size=3), "nets": [draw(size=(4, 3)), draw(size=(2, 3, 4))]}
    return params, gradients_like(params, STEPS)


@functools.cache
def compiled(transformation):
    """Return a step of a transformation, compiled once."""
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")

    @jax.jit
    def step(params, grads, opt_state):
        updates, opt_state = transformation.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    return step


def optax_steps(transformation, params, gradients, opt_state=None):
    """Take optax's steps in double precision; return NumPy's parameters and the state."""
    jax = pytest.importorskip("jax")
    backend, step = load("jax"), compiled(transformation)
    params = from_numpy(backend, params)
    with jax.numpy_dtype_promotion("standard"):
        opt_state = transformation.init(params) if opt_state is None else opt_state
        for grads in gradients:
            params, opt_state = step(params, from_numpy(backend, grads), opt_state)
    return to_numpy(backend, params), opt_state


@pytest.mark.parametrize("name", OPTAX)
def test_ours_goes_on_where_optax_stopped_and_optax_where_ours_did(case, whole_case, name):
    optax = pytest.importorskip("optax")
    params, gradients = whole_case if name in WHOLE else case
    beside, tolerance = BESIDE.get(name, nothing), TOLERANCE.get(name, 1e-10)
    optimizer, theirs = OPTAX[name][0](), OPTAX[name][1](optax)
    half, opt_state = optax_steps(theirs, params, gradients[:HALF])
    whole, _ = optax_steps(theirs, half, gradients[HALF:], opt_state)
    state = from_optax(opt_state, half, optimizer, count=HALF)
    assert state.count == HALF
    assert_close(walk(optimizer, half, state, gradients[HALF:], beside)[0], whole, tolerance)

    half, state = walk(optimizer, params, optimizer.init(params), gradients[:HALF], beside)
    opt_state = to_optax(state, theirs.init(from_numpy(load("jax"), half)), optimizer)
    assert_close(optax_steps(theirs, half, gradients[HALF:], opt_state)[0], whole, tolerance)


def test_injected_hyperparameters_of_optax_are_taken_over(case):
    optax = pytest.importorskip("optax")
    params, gradients = case
    theirs = optax.inject_hyperparams(optax.adam)(learning_rate=0.03, b1=0.7)
    whole, _ = optax_steps(theirs, params, gradients)
    half, opt_state = optax_steps(theirs, params, gradients[:HALF])
    optimizer = ours.adam(0.5)
    state = from_optax(opt_state, half, optimizer)
    assert state.hyperparameters["learning_rate"] == pytest.approx(0.03)
    assert state.hyperparameters["beta1"] == pytest.approx(0.7)
    assert_close(walk(optimizer, half, state, gradients[HALF:])[0], whole, 1e-7)
    fresh = optax.inject_hyperparams(optax.adam)(0.5).init(from_numpy(load("jax"), params))
    given = to_optax(state, fresh, optimizer)
    assert float(given.hyperparams["learning_rate"]) == pytest.approx(0.03)
    assert given.count == given.inner_state[0].count == HALF


def test_optax_states_in_chains_with_schedules_are_found(case):
    optax = pytest.importorskip("optax")
    params, gradients = case
    rate = optax.linear_schedule(0.1, 0.0, 20)
    theirs = optax.chain(optax.clip_by_global_norm(1e9), optax.adam(rate))
    whole, _ = optax_steps(theirs, params, gradients)
    half, opt_state = optax_steps(theirs, params, gradients[:HALF])
    optimizer = ours.adam(lambda count: 0.1 - 0.005 * count)
    state = from_optax(opt_state, half, optimizer)
    assert_close(walk(optimizer, half, state, gradients[HALF:])[0], whole, 1e-7)
    back = to_optax(state, theirs.init(from_numpy(load("jax"), half)), optimizer)
    assert_close(optax_steps(theirs, half, gradients[HALF:], back)[0], whole, 1e-10)


# --- what cannot be taken over ------------------------------------------------------------------


def test_states_of_optax_that_do_not_fit_are_refused(case):
    optax = pytest.importorskip("optax")
    params, _ = case
    theirs = from_numpy(load("jax"), params)
    adam, sgd = optax.adam(0.1).init(theirs), optax.sgd(0.1).init(theirs)
    with pytest.raises(StateError, match=r"must have one ScaleByAdamState, got 0 among \['Empty"):
        from_optax(sgd, params, ours.adam(0.1))
    with pytest.raises(StateError, match="must have one ScaleByAdamState, got 2"):
        from_optax((adam, adam), params, ours.adam(0.1))
    with pytest.raises(StateError, match="must have one ScaleByAdamState, got 0"):
        to_optax(ours.adam(0.1).init(params), sgd, ours.adam(0.1))
    with pytest.raises(StateError, match='make it with convention="optax"'):
        from_optax(sgd, params, ours.sgd(0.1, momentum=0.9))
    with pytest.raises(StateError, match="differ in their leaves: nets/0"):
        from_optax(adam, {**params, "nets": []}, ours.adam(0.1))
    with pytest.raises(StateError, match="count must be the same everywhere, got 0, 3"):
        from_optax((adam, adam[0]._replace(count=3)), params, ours.sgd(0.1, convention="optax"))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ours.adafactor(0.1), 'make it with convention="optax"'),
        (lambda: ours.adafactor(0.1, momentum=0.9), 'make it with convention="optax"'),
        (lambda: ours.adafactor(0.1, convention="torch"), 'make it with convention="optax"'),
        (lambda: ours.dadapt_adamw(), 'make it with convention="optax"'),
        (lambda: ours.muon(0.1), 'make it with convention="optax"'),
        (lambda: ours.muon(0.1, others=ours.nadam(0.1), **AS_OPTAX), "nadam.* is not optax's"),
        (lambda: ours.muon(0.1, others=ours.rprop(0.1), **AS_OPTAX), "can be exchanged with optax"),
        (lambda: ours.prodigy(), 'make it with convention="optax"'),
        (lambda: ours.rprop(0.1, convention="torch"), "one whose states can be exchanged"),
        (lambda: ours.schedule_free(ours.rprop(0.1), 0.1), "got <optimizer rprop"),
        (lambda: ours.shampoo(0.1), "one whose states can be exchanged"),
        (lambda: ours.sophia(0.1), 'make it with convention="optax"'),
    ],
)
def test_equations_that_are_not_those_of_optax_are_refused(whole_case, make, told):
    params, _ = whole_case
    optimizer = make()
    with pytest.raises(StateError, match=told):
        to_optax(optimizer.init(params), (), optimizer)
    with pytest.raises(StateError, match=told):
        from_optax((), params, optimizer)


@pytest.mark.parametrize("ours_first", [True, False])
def test_what_is_factored_otherwise_is_refused(whole_case, ours_first):
    optax = pytest.importorskip("optax")
    params, _ = whole_case
    mine = ours.adafactor(0.1, convention="optax", smallest_factored=3 if ours_first else 128)
    theirs = optax.adafactor(0.1, min_dim_size_to_factor=128 if ours_first else 3)
    opt_state = theirs.init(from_numpy(load("jax"), params))
    with pytest.raises(StateError, match=r"v_row\|v` at nets/0 has shape"):
        from_optax(opt_state, params, mine)
    with pytest.raises(StateError, match=r"state\.slots: v_row` at nets/0 has shape"):
        to_optax(mine.init(params), opt_state, mine)


def test_lists_of_other_vectors_are_refused(whole_case):
    optax = pytest.importorskip("optax")
    params, _ = whole_case
    optimizer, theirs = ours.sm3(0.1), optax.sm3(0.1)
    other = {"bias": params["bias"], "nets": [params["nets"][0], params["nets"][1][0]]}
    with pytest.raises(StateError, match="has shape"):
        from_optax(theirs.init(from_numpy(load("jax"), params)), other, optimizer)
    with pytest.raises(StateError, match="has shape"):
        to_optax(optimizer.init(other), theirs.init(from_numpy(load("jax"), params)), optimizer)
    fewer = theirs.init(from_numpy(load("jax"), {**params, "nets": [params["nets"][0]]}))
    with pytest.raises(StateError, match="nets/1"):
        from_optax(fewer, params, optimizer)
    with pytest.raises(StateError, match="mu has other leaves than ours: nets/1"):
        from_optax((fewer[0]._replace(nu=params),), params, optimizer)


@pytest.mark.parametrize("make", [ours.sgd, ours.muon, ours.schedule_free_sgd])
def test_states_of_other_optimizers_of_ours_are_refused(case, make):
    optimizer = make(0.1, **(AS_OPTAX if make is ours.muon else {}))
    for state in ({}, None, ours.adam(0.1).init(case[0])):
        with pytest.raises(StateError, match="`state` must be the state of <optimizer"):
            to_optax(state, (), optimizer)


def test_a_field_that_is_not_there_is_refused(case):
    params, _ = case

    class ScaleByAdamState(NamedTuple):
        mu: dict

    with pytest.raises(StateError, match="no 'nu' in its ScaleByAdamState"):
        from_optax((ScaleByAdamState(params),), params, ours.adam(0.1))


def test_injected_hyperparameters_of_schedule_free_go_to_it_or_inside(case):
    optax = pytest.importorskip("optax")
    params, gradients = case
    theirs = optax.inject_hyperparams(optax.contrib.schedule_free_adamw)(0.03, b1=0.7, b2=0.8)
    optimizer = ours.schedule_free_adamw(0.1)
    whole, _ = optax_steps(theirs, params, gradients)
    half, opt_state = optax_steps(theirs, params, gradients[:HALF])
    state = from_optax(opt_state, half, optimizer)
    assert state.hyperparameters["beta1"] == pytest.approx(0.7)
    assert state.inner.hyperparameters["beta2"] == pytest.approx(0.8)
    assert_close(walk(optimizer, half, state, gradients[HALF:])[0], whole, 1e-6)


def test_injected_hyperparameters_reach_the_optimizers_inside(whole_case):
    optax = pytest.importorskip("optax")
    params, gradients = whole_case
    theirs = optax.inject_hyperparams(optax.contrib.muon)(
        learning_rate=0.03, beta=0.7, adam_b1=0.6, adam_learning_rate=0.2
    )
    optimizer = ours.muon(0.1, convention="optax")
    whole, _ = optax_steps(theirs, params, gradients)
    half, opt_state = optax_steps(theirs, params, gradients[:HALF])
    state = from_optax(opt_state, half, optimizer)
    assert state.hyperparameters["learning_rate"] == pytest.approx(0.03)
    assert state.hyperparameters["momentum"] == pytest.approx(0.7)
    assert state.others.hyperparameters["learning_rate"] == pytest.approx(0.2)
    assert state.others.hyperparameters["beta1"] == pytest.approx(0.6)
    assert_close(walk(optimizer, half, state, gradients[HALF:])[0], whole, 1e-6)
    again = optax.inject_hyperparams(optax.contrib.muon)(1.0, adam_learning_rate=1.0)
    given = to_optax(state, again.init(from_numpy(load("jax"), params)), optimizer)
    assert float(given.hyperparams["learning_rate"]) == pytest.approx(0.03)
    assert float(given.hyperparams["adam_learning_rate"]) == pytest.approx(0.2)
    assert float(given.hyperparams["adam_b1"]) == pytest.approx(0.6)
