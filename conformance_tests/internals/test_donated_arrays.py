"""Arrays of jax given away in a step: what is read beside them is copied, none is given twice."""

import numpy as np
import pytest

from arraygrad.errors import OutError
from arraygrad.optimizers import adam, sgd

jnp = pytest.importorskip("jax.numpy")


def test_a_gradient_may_be_the_parameter_itself():
    optimizer = adam(0.1)
    for make in (np.asarray, jnp.asarray):
        w = {"a": make([1.0, 2.0]), "b": make([3.0])}
        state = optimizer.init(w)
        for _ in range(3):
            w, state = optimizer.step(w, w, state, donate=True)
        if make is np.asarray:
            expected = w
    for name, x in expected.items():
        np.testing.assert_allclose(np.asarray(w[name]), x, rtol=1e-6)


def test_gradients_may_be_other_parameters_and_slots():
    optimizer = sgd(0.5, momentum=0.5, convention="torch")
    w = {"a": jnp.asarray([1.0]), "b": jnp.asarray([2.0])}
    w, state = optimizer.step(w, {"a": w["b"], "b": w["a"]}, optimizer.init(w), donate=True)
    assert [float(x[0]) for x in w.values()] == [0.0, 1.5]
    w, state = optimizer.step(w, dict(state.slots["velocity"]), state, donate=True)
    assert [float(x[0]) for x in w.values()] == [-1.5, 0.75]


def test_a_learning_rate_may_be_the_parameter():
    w = jnp.asarray(0.5)
    optimizer = sgd(w)
    state = optimizer.init(w)
    moved, state = optimizer.step(w, jnp.asarray(1.0), state, donate=True)
    assert float(moved) == 0.0


def test_an_array_given_away_twice_is_refused():
    x, y = jnp.ones(2), jnp.ones(2)
    optimizer = adam(0.1)
    w = {"a": x, "b": y, "c": x}
    state = optimizer.init(w)
    with pytest.raises(OutError, match="share memory: array 0 of leaf 0 and 0 of leaf 2"):
        optimizer.step(w, {"a": y, "b": y, "c": y}, state, donate=True)
    state = state._replace(slots={**state.slots, "nu": {**state.slots["nu"], "b": x}})
    with pytest.raises(OutError, match="share memory: array 0 of leaf 0 and 3 of leaf 1"):
        optimizer.step({"a": x, "b": y, "c": jnp.ones(2)}, w, state, donate=True)
    assert float(x[0]) == float(y[0]) == 1.0  # still there
    moved, _ = optimizer.step(w, w, optimizer.init(w))  # nothing is given away
    assert float(moved["a"][0]) == float(moved["c"][0])
