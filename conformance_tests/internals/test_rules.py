"""Every rule is the transpose of its function's derivative: without a tape, on raw arrays."""

from typing import Any

import array_api_compat.numpy as xp
import numpy as np
import pytest

from arraygrad.rules import table
from conformance_tests.case_values import REFUSALS, Case, function_named, in_library
from conformance_tests.internals.rule_calls import (
    LIBRARIES,
    NUMPY,
    as_numpy,
    assert_close,
    calls,
    cotangents,
    library_named,
    like,
    operands_of,
    run,
)
from conformance_tests.rule_cases import BEYOND_STANDARD, CASES


def moved(args: Any, tangents: dict[int, Any], step: float) -> list[Any]:
    """Return the arguments a step further along the tangents."""

    def along(x: Any, t: Any) -> Any:
        if isinstance(x, list | tuple):
            return [along(*pair) for pair in zip(x, t, strict=True)]
        return x + np.float64(step) * t  # in double precision, whatever the operand's

    return [along(a, tangents[n]) if n in tangents else a for n, a in enumerate(args)]


def difference(name: str, case: Case, tangents: dict[int, Any]) -> Any:
    """Return the derivative along the tangents: exact where linear, else to fourth order."""
    function, kwargs = function_named(xp, name), in_library(xp, case.kwargs)

    def central(step: float) -> Any:
        ends = (function(*moved(case.args, tangents, s), **kwargs) for s in (step, -step))
        return np.subtract(*ends) / (2 * step)

    if table.entry_of(name).kind != "PULLBACKS":
        return central(0.5)
    return (4 * central(5e-4) - central(1e-3)) / 3


def inner(a: Any, b: Any) -> float:
    """Return Re⟨a, b⟩."""
    if isinstance(a, list | tuple):
        return sum(inner(*pair) for pair in zip(a, b, strict=True))
    return float(np.real(np.vdot(a, b)))


@pytest.mark.parametrize(("name", "case"), calls(CASES) + calls(BEYOND_STANDARD))
def test_rule_is_the_transpose_of_the_derivative(name, case):
    kwargs, at = in_library(xp, case.kwargs), operands_of(name, case)
    y = function_named(xp, name)(*case.args, **kwargs)
    g, tangents = like(y, 7), {n: like(case.args[n], 11 + n) for n in at}
    found = cotangents(xp, name, g, y, case.args, kwargs, at)
    forward = inner(g, difference(name, case, tangents))
    single = any(getattr(a, "dtype", None) == np.float32 for a in case.args)
    tolerance = 1e-6 if single else 1e-9 if table.entry_of(name).kind == "PULLBACKS" else 1e-13
    assert inner(found, list(tangents.values())) == pytest.approx(
        forward, rel=tolerance, abs=tolerance
    )


# JAX has a module of its own: it compiles.
ON_LIBRARIES = [
    (each, *call.values) for each in LIBRARIES if each != "jax" for call in calls(CASES)
]
SUPPORTED = [one for one in ON_LIBRARIES if one[0].split(":")[0] not in one[2].refused_by]
REFUSED = [one for one in ON_LIBRARIES if one[0].split(":")[0] in one[2].refused_by]


@pytest.mark.parametrize(("library", "name", "case"), SUPPORTED, ids=str)
def test_rule_gives_the_same_in_every_library(library, name, case):
    found = run(library_named(library), name, case)
    assert_close(as_numpy(found), as_numpy(run(NUMPY, name, case)))


@pytest.mark.parametrize(("library", "name", "case"), REFUSED, ids=str)
def test_a_call_left_out_is_refused_by_the_library_itself(library, name, case):
    space = library_named(library)
    args = in_library(space.xp, case.args, space.device)
    with pytest.raises(REFUSALS):
        function_named(space.xp, name)(*args, **case.kwargs)
