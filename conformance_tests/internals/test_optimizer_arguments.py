"""Arguments of optimizers that cannot be meant are refused by name, and nothing changes."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError, ShapeError, StructureError
from arraygrad.optimizers import (
    adafactor,
    adam,
    dadapt_adamw,
    lookahead,
    muon,
    polyak_sgd,
    prodigy,
    sam,
    schedule_free,
    schedule_free_sgd,
    sgd,
    shampoo,
)


@pytest.mark.parametrize("wrapper", [lookahead, sam, schedule_free])
@pytest.mark.parametrize("optimizer", [None, sgd, 0.1])
def test_what_is_no_optimizer_is_not_wrapped(wrapper, optimizer):
    with pytest.raises(HyperparameterError, match=r"`optimizer` must have `init`.* and `\w+`, got"):
        wrapper(optimizer)


def test_the_optimizer_of_other_leaves_must_be_one():
    with pytest.raises(HyperparameterError, match="`others` must have `init`, `update` and `step`"):
        muon(0.1, others=sgd)


@pytest.mark.parametrize("iterations", [2.5, 0, -1, "5", None])
def test_iterations_are_counted(iterations):
    with pytest.raises(HyperparameterError, match="`iterations` must be an integer of at least 1"):
        muon(0.1, iterations=iterations)


@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy", "array_api_strict"])
@pytest.mark.parametrize("rates", [(3,), (1, 2), (2, 1)])
@pytest.mark.parametrize("shape", [(2,), ()])
@pytest.mark.parametrize("make", [sgd, adam, lambda rate: lookahead(sgd(rate), sync_period=1)])
def test_a_rate_that_makes_parameters_grow_is_refused(make, shape, rates, library):
    xp = pytest.importorskip(library)
    optimizer = make(xp.ones(rates))
    params = {"a": xp.ones(rates), "b": xp.ones(shape)}
    state = optimizer.init(params)
    for step in (
        lambda: optimizer.step(params, params, state),
        lambda: optimizer.step(params, params, state, donate=True),
        lambda: optimizer.update(params, state, params),
    ):
        with pytest.raises(ShapeError, match=rf"`learning_rate` has shape \({rates[0]}.*{shape}"):
            step()
    assert all(bool(xp.all(x == 1)) for x in params.values())


@pytest.mark.parametrize("make", [muon, shampoo, adafactor])
def test_a_rate_that_makes_matrices_grow_is_refused(make):
    optimizer, w = make(np.ones((3, 2, 2))), np.eye(2)
    with pytest.raises(ShapeError, match="`learning_rate` has shape"):
        optimizer.step(w, w, optimizer.init(w))


def test_a_rate_may_differ_from_element_to_element():
    optimizer, w = sgd(np.asarray([[0.1], [0.2]])), np.ones((2, 3))
    moved, _ = optimizer.step(w, w, optimizer.init(w))
    np.testing.assert_allclose(moved, [[0.9] * 3, [0.8] * 3])


@pytest.mark.parametrize("make", [prodigy, dadapt_adamw, schedule_free_sgd])
def test_a_rate_of_all_leaves_together_is_one_number(make):
    optimizer, w = make(np.full(3, 0.1)), np.ones(3)
    with pytest.raises(ShapeError, match="`learning_rate` must be a number or a 0-d array here"):
        optimizer.step(w, w, optimizer.init(w))


@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy", "array_api_strict"])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("make", [adam, sgd, muon, schedule_free_sgd, prodigy])
def test_a_scalar_of_numpy_is_a_number_to_every_library(make, kind, library):
    xp, rate = pytest.importorskip(library), getattr(np, kind)(0.125)
    for given in (rate, lambda count: rate):
        for dtype in (xp.float32, xp.complex64):
            w, optimizer, expected = xp.ones((2, 2), dtype=dtype), make(given), make(0.125)
            found, _ = optimizer.step(w, w, optimizer.init(w))
            usual, _ = expected.step(w, w, expected.init(w))
            np.testing.assert_allclose(np.asarray(found), np.asarray(usual), rtol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (), (3, 1)])
def test_slow_weights_of_another_shape_are_refused(shape):
    w = np.ones(2)
    for optimizer, field in (
        (schedule_free_sgd(0.1), "z"),
        (lookahead(sgd(0.1), sync_period=1), "slow"),
    ):
        state = optimizer.init(w)._replace(**{field: np.ones(shape)})
        with pytest.raises(ShapeError, match=f"`state.{field}` at the root has shape"):
            optimizer.step(w, w, state)


@pytest.mark.parametrize("make", [prodigy, dadapt_adamw])
def test_a_state_without_its_distance_is_refused(make):
    optimizer, w = make(), np.ones(2)
    state = optimizer.init(w)
    slots = {name: x for name, x in state.slots.items() if name != "distance"}
    with pytest.raises(StructureError, match="`state` has no slot 'distance'"):
        optimizer.step(w, w, state._replace(slots=slots))


@pytest.mark.parametrize("value", [None, "0.5", np.ones(2), 1j])
def test_a_cost_must_be_a_real_number(value):
    optimizer, w = polyak_sgd(), np.ones(2)
    with pytest.raises(HyperparameterError, match="`value` must be a real number or a 0-d array"):
        optimizer.step(w, w, optimizer.init(w), value=value)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("make", [prodigy, dadapt_adamw, schedule_free_sgd])
def test_numbers_in_a_state_are_arrays_before_and_after_steps(make, dtype):
    optimizer, w = make(0.1), {"a": np.ones(3, dtype), "b": np.asarray(1, dtype)}
    state = optimizer.init(w)
    for run in (optimizer.step, lambda w, g, state: (w, optimizer.update(g, state, w)[1])) * 2:
        for x in numbers_of(state):
            assert type(x) is np.ndarray
            assert x.shape == ()
            assert x.dtype == ("float32" if dtype == "float32" else "float64")
        w, state = run(w, w, state)


def numbers_of(state):
    """Return what a state keeps of all leaves together."""
    if hasattr(state, "max_rate"):
        return state.max_rate, state.weight_sum
    return state.slots["distance"], state.slots["numerator"]
