"""Every scenario on every library: right gradients, and nothing changed that should be kept.

Where values alone are asked for, functions of jax are compiled as a whole; elsewhere it is eager.
"""

import numpy as np
import pytest

from arraygrad._namespace import device_of
from arraygrad.testing import check_gradients
from conformance_tests.products import compiled, is_floating, pull, push
from conformance_tests.scenarios import SCENARIOS
from conformance_tests.trees import (
    SINGLE,
    assert_close,
    assert_same_tree,
    from_numpy,
    leaves,
    to_numpy,
)

ANSWERED = [scenario for scenario in SCENARIOS if scenario.answer]
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=str)


@pytest.mark.parametrize("scenario", ANSWERED, ids=str)
def test_gradient_is_the_analytic_one(backend, autodiff, scenario):
    _, gradients = pull(scenario.f, from_numpy(backend, scenario.args), autodiff)
    assert_close(to_numpy(backend, gradients), scenario.answer(*scenario.args), 1e-13)


@pytest.mark.no_jax_tape
@every_scenario
def test_both_modes_agree_with_differences(backend, autodiff, scenario):
    order = 1 if backend.library == "jax" else 2  # jax compiles too long: see test_agreement
    f = compiled(backend.library, scenario.f)
    check_gradients(f, *from_numpy(backend, scenario.args), order=order, autodiff=autodiff)


@pytest.mark.no_jax_tape
@every_scenario
def test_single_precision_stays_single_and_near_double(backend, autodiff, scenario):
    args = from_numpy(backend, scenario.args, single=True)
    f = compiled(backend.library, scenario.f)
    y, gradients = pull(f, args, autodiff)
    _, rates = push(f, args, autodiff, args)
    single = [backend.dtype(x) for x in ("float32", "complex64") if hasattr(backend.xp, x)]
    assert all(x.dtype in single for x in leaves((y, gradients, rates)))
    double = pull(scenario.f, scenario.args, "tape")  # in NumPy, whatever the backend
    assert_close(to_numpy(backend, (y, gradients)), double, 1e-4)


@every_scenario
def test_gradients_look_like_their_arrays(backend, autodiff, scenario):
    args = from_numpy(backend, scenario.args)
    _, gradients = pull(scenario.f, args, autodiff)
    assert_same_tree(gradients, args)
    floating = [x for x in leaves(args) if is_floating(x)]
    for x, gradient in zip(floating, leaves(gradients), strict=True):
        assert type(gradient) is type(x)
        assert gradient.shape == x.shape
        assert gradient.dtype == x.dtype
        assert device_of(gradient) == device_of(x)


@every_scenario
def test_arguments_are_untouched(backend, autodiff, scenario):
    args = from_numpy(backend, scenario.args)
    pull(scenario.f, args, autodiff)
    push(scenario.f, args, autodiff, args)
    for x, original in zip(leaves(args), leaves(scenario.args), strict=True):
        np.testing.assert_array_equal(backend.to_numpy(x), original)


def test_single_and_double_precision_are_distinct():
    assert not set(SINGLE) & set(SINGLE.values())
