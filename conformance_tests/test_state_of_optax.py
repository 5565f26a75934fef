"""Taking over states of optax: training goes on as if nothing had happened."""

import functools

import numpy as np
import pytest

from arraygrad import optimizers as ours
from arraygrad.errors import StateError
from arraygrad.state import from_optax, to_optax
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import gradients_like
from conformance_tests.state_exchanges import HALF, STEPS, walk
from conformance_tests.trees import assert_close, from_numpy, to_numpy


def optaxs(name, *, ours_=None, theirs=None, module="", **options):
    """Return an optimizer of ours and a function that makes optax's of the same name."""

    def make_theirs(optax):
        found = getattr(optax, module) if module else optax
        return getattr(found, name)(0.1, **options, **(theirs or {}))

    return lambda: getattr(ours, name)(0.1, **options, **(ours_ or {})), make_theirs


AS_OPTAX = {"convention": "optax"}
NESTEROV = {"momentum": 0.8, "nesterov": True}

# name: (ours, optax's)
OPTAX = {
    "adabelief": optaxs("adabelief"),
    "adadelta": optaxs("adadelta"),
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
    "lamb": optaxs("lamb", weight_decay=0.1),
    "lars": optaxs("lars", ours_=AS_OPTAX, weight_decay=0.1),
    "lion": optaxs("lion", weight_decay=0.1),
    "nadam": optaxs("nadam", ours_=AS_OPTAX),
    "nadamw": optaxs("nadamw", ours_=AS_OPTAX, weight_decay=0.1),
    "novograd": optaxs("novograd", ours_={"beta1": 0.9, "beta2": 0.25, "epsilon": 1e-6}),
    "optimistic": optaxs("optimistic_gradient_descent"),
    "radam": optaxs("radam", ours_=AS_OPTAX),
    "rmsprop": optaxs("rmsprop", ours_=AS_OPTAX, momentum=0.7, centered=True),
    "rmsprop-plain": optaxs("rmsprop", ours_=AS_OPTAX),
    "sgd": optaxs("sgd", ours_=AS_OPTAX),
    "sgd-momentum": optaxs("sgd", ours_=AS_OPTAX, momentum=0.8),
    "sgd-nesterov": optaxs("sgd", ours_=AS_OPTAX, **NESTEROV),
    "yogi": optaxs("yogi", ours_=AS_OPTAX),
}  # fmt: skip


@pytest.fixture(scope="module")
def case():
    """Parameters, and gradients for all steps."""
    draw = np.random.default_rng(0).normal
    params = {"bias": np.asarray(draw()), "nets": [draw(size=(2, 3)), np.zeros((0, 2))]}
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
def test_ours_goes_on_where_optax_stopped_and_optax_where_ours_did(case, name):
    optax = pytest.importorskip("optax")
    (params, gradients), (make, make_theirs) = case, OPTAX[name]
    optimizer, theirs = make(), make_theirs(optax)
    half, opt_state = optax_steps(theirs, params, gradients[:HALF])
    whole, _ = optax_steps(theirs, half, gradients[HALF:], opt_state)
    state = from_optax(opt_state, half, optimizer, count=HALF)
    assert state.count == HALF
    assert_close(walk(optimizer, half, state, gradients[HALF:])[0], whole, 1e-10)

    half, state = walk(optimizer, params, optimizer.init(params), gradients[:HALF])
    opt_state = to_optax(state, theirs.init(from_numpy(load("jax"), half)), optimizer)
    assert_close(optax_steps(theirs, half, gradients[HALF:], opt_state)[0], whole, 1e-10)


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
