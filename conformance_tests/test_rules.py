"""Every function with a rule, through the tape: both modes, differences, two orders.

Only the tape is asked, whoever else could differentiate the library's arrays: on jax and torch
this shows that the rules are written in the standard.
"""

import numpy as np
import pytest

from arraygrad.testing import check_gradients
from conformance_tests.case_values import REFUSALS
from conformance_tests.conftest import BACKENDS
from conformance_tests.products import all_products, direction, is_floating, pull
from conformance_tests.ruled_calls import NUMPY, RULED_CALLS
from conformance_tests.trees import assert_close, leaves, map_tree, to_numpy


def calls_on(backend):
    """Return the calls for a library: a sample for jax, which compiles every operation anew."""
    return [call for call in RULED_CALLS if call.first or backend.library != "jax"]


def pytest_generate_tests(metafunc):
    """Pair libraries with the calls that they accept."""
    if "on" in metafunc.fixturenames:
        pairs = [
            pytest.param(backend, call, id=f"{backend.name}-{call}")
            for backend in metafunc.config.stash[BACKENDS]
            for call in calls_on(backend)
            if backend.library not in call.case.refused_by
        ]
        metafunc.parametrize(("on", "call"), pairs)


def evaluate(backend, call):
    """Return value, gradients, tangent and second derivative by the tape, in NumPy."""
    t = call.args_in(backend, direction(call.args))
    found = all_products(call.f, call.args_in(backend), "tape", t)
    return to_numpy(backend, found)


SMOOTH = [c for c in RULED_CALLS if c.is_double and not c.name.startswith("unique_")]  # ties


@pytest.mark.parametrize("call", SMOOTH, ids=str)
def test_both_modes_and_both_orders_agree_with_differences(call):
    check_gradients(call.f, *call.args_in(NUMPY), autodiff="tape")


@pytest.mark.parametrize("call", [c for c in RULED_CALLS if not c.is_double], ids=str)
def test_gradient_of_single_precision_is_single(call):
    def double(x):
        return x.astype(np.float64) if is_floating(x) else x

    _, gradients = pull(call.f, call.args_in(NUMPY), "tape")
    _, expected = pull(call.f, map_tree(double, call.args_in(NUMPY)), "tape")
    assert {x.dtype for x in leaves(gradients)} == {np.dtype(np.float32)}
    assert_close(gradients, expected, 1e-6)


def test_tape_agrees_with_numpy_to_second_order(on, call):
    assert_close(evaluate(on, call), evaluate(NUMPY, call), 1e-12 if call.is_double else 1e-5)


def test_calls_left_out_are_refused_by_the_library(backend):
    for call in calls_on(backend):
        if backend.library in call.case.refused_by:
            with pytest.raises(REFUSALS):
                call.f(*call.args_in(backend))
