"""All libraries, by whoever differentiates them, give what the tape gives on NumPy.

On jax under its jit; `test_scenarios` has the same functions on eager jax.
"""

import pytest

from conformance_tests import backends
from conformance_tests.products import all_products, compiled, direction
from conformance_tests.scenarios import SCENARIOS
from conformance_tests.trees import assert_close, from_numpy, leaves, map_tree, to_numpy

NUMPY = backends.load("numpy")


def evaluate(scenario, backend, autodiff):
    """Return value, gradients, tangent and second derivative as NumPy's leaves."""
    given = from_numpy(backend, (scenario.args, direction(scenario.args)))

    def products(*arrays):  # a tree would come out of jax.jit with its keys in another order
        found = iter(arrays)
        args, t = map_tree(lambda _: next(found), given)
        return leaves(all_products(scenario.f, args, autodiff, t))

    return to_numpy(backend, list(compiled(backend.library, products)(*leaves(given))))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_values_and_derivatives_agree_with_numpy(backend, autodiff, scenario):
    ours = evaluate(scenario, backend, autodiff)
    assert_close(ours, evaluate(scenario, NUMPY, "tape"), 1e-12)
