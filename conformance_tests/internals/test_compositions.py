"""Compositions give what the functions they replace give, in every library."""

import math

import numpy as np
import pytest

from arraygrad.rules import table
from conformance_tests.case_values import Case, function_named, in_library, reals
from conformance_tests.internals.rule_calls import LIBRARIES, as_numpy, assert_close, library_named
from conformance_tests.rule_cases import CASES

CALLS = [
    (name, case)
    for name in table.names_of("COMPOSITIONS")
    if not name.startswith("special.")  # have their own cases
    for case in CASES[name]
]
NOT_IN_TORCH = {"unique_all"}  # array-api-compat has none


def composed(name):
    """Return a composition."""
    return table.entry_of(name).rules[0]


def flat(result):
    """Return one result as a list."""
    return list(result) if isinstance(result, list | tuple) else [result]


@pytest.mark.parametrize("library", ["numpy", *LIBRARIES])
@pytest.mark.parametrize(("name", "case"), CALLS, ids=str)
def test_composition_gives_the_function_s_values(library, name, case: Case):
    space = library_named(library)
    if library == "torch" and name in NOT_IN_TORCH:
        assert_missing(space, case)
        return
    args, kwargs = (in_library(space.xp, a, space.device) for a in (case.args, case.kwargs))
    if name in ("arange", "fft.fftfreq", "fft.rfftfreq", "full", "linspace"):
        kwargs["device"] = space.device
    found = composed(name)(space.xp, *args, **kwargs)
    expected = function_named(space.xp, name)(*args, **kwargs)
    assert_close(as_numpy(flat(found)), as_numpy(flat(expected)))


def assert_missing(space, case):
    """Hold that the library has no such function."""
    with pytest.raises(NotImplementedError):
        space.xp.unique_all(*in_library(space.xp, case.args))


@pytest.mark.parametrize("name", ["unique_counts", "unique_inverse", "unique_values"])
def test_not_a_numbers_are_each_unique(name):
    xp = library_named("numpy").xp
    x = np.asarray([1.0, math.nan, 1.0, math.nan])
    values = flat(composed(name)(xp, x))[0]
    np.testing.assert_array_equal(np.sort(values), [1, math.nan, math.nan])


@pytest.mark.parametrize("library", ["numpy", *LIBRARIES])
def test_fill_values_may_be_arrays(library):
    space = library_named(library)
    xp, x, like = space.xp, np.asarray(1.5, dtype=np.float32), reals(2, 2)
    x, like = in_library(xp, (x, like), space.device)
    assert_close(as_numpy([composed("full")(xp, (2, 3), x)]), [np.full((2, 3), np.float32(1.5))])
    assert_close(as_numpy([composed("full")(xp, 2, x)]), [np.full(2, np.float32(1.5))])
    assert_close(as_numpy([composed("full_like")(xp, like, x)]), [np.full((2, 2), 1.5)])


@pytest.mark.parametrize("library", ["numpy", *LIBRARIES])
@pytest.mark.parametrize("num", [0, 1, 2, 5])
@pytest.mark.parametrize("endpoint", [True, False])
def test_the_ends_of_a_line_may_be_arrays(library, num, endpoint):
    space = library_named(library)
    one, two = in_library(space.xp, (np.asarray(0.25), np.asarray(2.0)), space.device)
    expected = [np.linspace(0.25, 2.0, num, endpoint=endpoint)]
    for start, stop in [(one, 2.0), (0.25, two), (one, two)]:
        found = composed("linspace")(space.xp, start, stop, num, endpoint=endpoint)
        assert_close(as_numpy([found]), expected)


def test_the_ends_of_a_line_are_exact():
    xp = library_named("numpy").xp
    found = composed("linspace")(xp, np.asarray(0.1), np.asarray(0.7), 7)
    assert (found[0], found[-1]) == (0.1, 0.7)
    whole = composed("linspace")(xp, np.asarray(0), np.asarray(3), 4, dtype=xp.int64)
    np.testing.assert_array_equal(whole, [0, 1, 2, 3])


@pytest.mark.parametrize("edge", [0.0, np.asarray(0.0), np.zeros((3, 1))])
def test_the_edges_of_a_difference_may_be_scalars(edge):
    x = reals(3, 4)
    found = composed("diff")(library_named("numpy").xp, x, prepend=edge, append=edge)
    np.testing.assert_array_equal(found, np.diff(x, prepend=edge, append=edge))
