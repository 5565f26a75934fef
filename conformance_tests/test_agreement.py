"""All libraries, by whoever differentiates them, give what the tape gives on NumPy."""

import pytest

from conformance_tests import backends
from conformance_tests.products import all_products, direction
from conformance_tests.scenarios import SCENARIOS
from conformance_tests.trees import assert_close, from_numpy, to_numpy

NUMPY = backends.load("numpy")


def evaluate(scenario, backend, autodiff):
    """Return value, gradients, tangent and second derivative, in NumPy."""
    args = from_numpy(backend, scenario.args)
    t = from_numpy(backend, direction(scenario.args))
    return to_numpy(backend, all_products(scenario.f, args, autodiff, t))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_values_and_derivatives_agree_with_numpy(backend, autodiff, scenario):
    ours = evaluate(scenario, backend, autodiff)
    assert_close(ours, evaluate(scenario, NUMPY, "tape"), 1e-12)
