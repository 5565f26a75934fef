"""SM3: steps of optax and of the paper, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import sm3
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    complex_tree,
    random_tree,
)
from conformance_tests.trees import map_tree


def test_sm3_is_that_of_optax():
    optax = pytest.importorskip("optax")
    params = random_tree()
    params["nested"] = {"one": params["nested"]["one"]}  # optax refuses scalars and empty arrays
    assert_like_optax(sm3(0.1), optax.sm3(0.1), params=params)
    assert_like_optax(sm3(0.1, momentum=0.5), optax.sm3(0.1, momentum=0.5), params=params)


def papers_sm3(rate, momentum):
    """Return SM3-II with a dictionary of slices for each run of a leaf."""
    slices = {}

    def formula(t, w, g, m):
        covers = slices.setdefault((w.shape, m.shape), {}) if t > 1 else {}
        slices[w.shape, m.shape] = covers
        v = np.zeros_like(w)
        for place in np.ndindex(*w.shape):
            seen = list(enumerate(place)) or [(0, 0)]
            v[place] = min(covers.get(r, 0.0) for r in seen) + g[place] ** 2
        covers.clear()
        for place in np.ndindex(*w.shape):
            for r in list(enumerate(place)) or [(0, 0)]:
                covers[r] = max(covers.get(r, 0.0), v[place])
        known = v > 0
        scaled = np.where(known, g / np.sqrt(np.where(known, v, 1)), 0)
        m = momentum * m + (1 - momentum) * scaled
        return w - rate * m, m

    return formula


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sm3_is_the_papers(momentum):
    params = random_tree()
    del params["nested"]["scale"]  # so that no two leaves have one shape
    ours = sm3(0.1, momentum=momentum, epsilon=0.0)
    assert_like_plain(ours, papers_sm3(0.1, momentum), [0.0], params=params)
    alone = np.asarray(0.7)
    assert_like_plain(ours, papers_sm3(0.1, momentum), [0.0], params=alone)


def test_sm3_remembers_a_number_for_each_slice():
    state = sm3(0.1).init(random_tree())
    sizes = map_tree(lambda x: x.shape, state.slots["covers"])
    nested = {"none": (3,), "one": (1,), "scale": (1,)}
    assert sizes == {"bias": (5,), "nested": nested, "weights": [(7,), (9,)]}


def test_libraries_agree(backend):
    assert_libraries_agree(backend, sm3(0.1))
    assert_libraries_agree(backend, sm3(0.1), params=complex_tree(), steps=3)


def test_steps_jit():
    assert_jits(sm3(0.1))


def test_steps_are_differentiable(backend):
    assert_differentiable(backend, sm3(0.1))


@pytest.mark.parametrize("cost", COSTS)
def test_costs_descend(cost):
    assert_descends(sm3(0.3), cost)


def test_single_precision_is_kept(backend):
    w, optimizer = backend.asarray([[1.0, -2.0], [0.5, 3.0]], "float32"), sm3(0.1)
    moved, state = optimizer.step(w, w, optimizer.init(w))
    single = backend.dtype("float32")
    assert [x.dtype for x in (moved, *state.slots.values())] == [single] * 3


def test_numbers_out_of_range_are_refused():
    with pytest.raises(HyperparameterError):
        sm3(0.1, momentum=1.5)
    with pytest.raises(HyperparameterError):
        sm3(0.1, epsilon=-1.0)
