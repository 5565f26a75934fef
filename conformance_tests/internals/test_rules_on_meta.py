"""The rules look at shapes, never at values: PyTorch's `meta` device has none."""

from typing import Any

import numpy as np
import pytest

from conformance_tests.case_values import Case, function_named, in_library
from conformance_tests.internals.rule_calls import calls, cotangents, library_named, operands_of
from conformance_tests.rule_cases import CASES

torch = pytest.importorskip("torch")
xp = library_named("torch").xp


def shape_depends_on_values(name: str, case: Case) -> bool:
    """Say whether a result's shape is unknown without values: masks, repeats."""
    if name not in ("getitem", "repeat", "scatter_add", "set_at"):
        return False
    key, values = case.args[1], case.args[2:]
    if name == "repeat":
        return isinstance(key, np.ndarray)
    mask = isinstance(key, np.ndarray) and key.dtype.kind == "b"
    return mask and not (values and np.ndim(values[0]) <= case.args[0].ndim - key.ndim)


ON_META = [call for call in calls(CASES) if "torch" not in call.values[1].refused_by]
KNOWN = [call for call in ON_META if not shape_depends_on_values(*call.values)]
UNKNOWN = [call for call in ON_META if shape_depends_on_values(*call.values)]


def run(name: str, case: Case) -> list[Any]:
    """Call a function and its rules without values."""
    args, kwargs = (in_library(xp, a, "meta") for a in (case.args, case.kwargs))
    y = function_named(xp, name)(*args, **kwargs)
    return cotangents(xp, name, torch.empty_like(y), y, args, kwargs, operands_of(name, case))


@pytest.mark.parametrize(("name", "case"), KNOWN)
def test_rule_needs_no_values(name, case):
    found = run(name, case)
    flat = [c for each in found for c in (each if isinstance(each, list | tuple) else [each])]
    assert {c.device.type for c in flat} == {"meta"}


@pytest.mark.parametrize(("name", "case"), UNKNOWN)
def test_what_is_left_out_needs_values_by_its_nature(name, case):
    with pytest.raises((NotImplementedError, RuntimeError)):
        run(name, case)
