"""All libraries, by whoever differentiates them, give what the tape gives on NumPy."""

import numpy as np
import pytest

from conformance_tests import backends
from conformance_tests.products import is_floating, pull, push
from conformance_tests.scenarios import SCENARIOS, normal
from conformance_tests.trees import assert_close, from_numpy, map_tree, to_numpy

NUMPY = backends.load("numpy")
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=str)


def direction(args):
    """Return a tangent for arguments in NumPy."""

    def leaf(x):
        if not is_floating(x):
            return x
        t = normal(*x.shape, seed=5)
        return np.asarray(t + 1j * normal(*x.shape, seed=6) if x.dtype.kind == "c" else t)

    return map_tree(leaf, args)


def first_order(scenario, backend, autodiff):
    """Return value, gradients and tangent."""
    args = from_numpy(backend, scenario.args)
    t = from_numpy(backend, direction(scenario.args))
    found = (
        *pull(scenario.f, args, autodiff),
        push(scenario.f, args, autodiff, t)[1],
    )
    return to_numpy(backend, found)


def second_order(scenario, backend, autodiff):
    """Return the derivative of the gradients along a direction: forward over reverse."""

    def gradients(*args):
        return [g for g in pull(scenario.f, args, autodiff)[1] if g is not None]

    args = from_numpy(backend, scenario.args)
    t = from_numpy(backend, direction(scenario.args))
    return to_numpy(backend, push(gradients, args, autodiff, t)[1])


@every_scenario
def test_first_order_agrees_with_numpy(backend, autodiff, scenario):
    ours = first_order(scenario, backend, autodiff)
    assert_close(ours, first_order(scenario, NUMPY, "tape"), 1e-12)


@every_scenario
def test_second_order_agrees_with_numpy(backend, autodiff, scenario):
    ours = second_order(scenario, backend, autodiff)
    assert_close(ours, second_order(scenario, NUMPY, "tape"), 1e-12)
