"""The page's examples give the values of the page's formulas, in both precisions."""

import json
from pathlib import Path

import numpy as np
import pytest
from array_api_compat import array_namespace

import arraygrad as ag
from conformance_tests.products import is_floating
from conformance_tests.trees import assert_same_tree, leaves, to_numpy

EXAMPLES = json.loads(Path(__file__).with_name("page_examples.json").read_text(encoding="utf-8"))
ABSOLUTE = {"float32": 1e-7, "float64": 1e-15}
CALLS = [pytest.param(example, example["call"], id=example["id"]) for example in EXAMPLES]
MEANT = [
    pytest.param(example, example["intended"], id=f"{example['id']}-as-meant")
    for example in EXAMPLES
    if example["intended"]
]


def mean_of_square(x):
    """Return the mean square of an array, or of each of a Container's arrays."""
    if isinstance(x, ag.Container):
        return ag.Container({key: mean_of_square(value) for key, value in x.items()})
    xp = array_namespace(x)
    return xp.mean(xp.square(x))


def build(backend, value, dtype):
    """Make what a recorded value stands for; the page's floats are float32."""
    if not isinstance(value, dict):
        return value
    if "container" in value:
        parts = value["container"].items()
        return ag.Container({key: build(backend, part, dtype) for key, part in parts})
    kind = dtype if value["dtype"] == "float32" else value["dtype"]
    return backend.asarray(value["array"], kind)


def expected_tree(value):
    """Return an expected value with NumPy's arrays."""
    if "array" in value:
        return np.asarray(value["array"])
    if "tuple" in value:
        return tuple(map(expected_tree, value["tuple"]))
    return ag.Container({key: expected_tree(part) for key, part in value["container"].items()})


def arguments_of(backend, call, dtype):
    """Return the arguments by name, and the keywords with `out`."""
    arguments = {each["param"]: build(backend, each["value"], dtype) for each in call["args"]}
    keywords = dict(call["kwargs"])
    out = call["out"]
    if out:
        alias = out["aliases"]
        keywords["out"] = arguments[alias] if alias else build(backend, out["init"], dtype)
    return arguments, keywords


def run(example, arguments, keywords):
    """Make a recorded call."""
    function = getattr(ag, example["name"])
    if example["name"] == "execute_with_gradients":
        return function(mean_of_square, *arguments.values(), **keywords)
    if example["func"]:
        return function(mean_of_square)(*arguments.values())
    return function(*arguments.values(), **keywords)


def promoted(backend, arguments, precision):
    """Return the precision of the results: integers become the library's default float."""
    if any(is_floating(x) for x in leaves(list(arguments.values()))):
        return precision
    single = backend.xp.asarray(0.0).dtype == backend.dtype("float32")
    return "float32" if single else "float64"


def assert_values(backend, found, expected, dtype, tolerances):
    """Compare structure, shapes, precision and values."""
    assert_same_tree(found, expected)
    for x in leaves(found):
        assert x.dtype == dtype
    relative, absolute = tolerances
    for one, other in zip(leaves(to_numpy(backend, found)), leaves(expected), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=relative, atol=absolute)


@pytest.mark.parametrize("precision", ABSOLUTE)
@pytest.mark.parametrize(("example", "call"), CALLS + MEANT)
def test_example_gives_the_expected_value(backend, example, call, precision):
    arguments, keywords = arguments_of(backend, call, precision)
    precision = promoted(backend, arguments, precision)
    out = keywords.get("out")
    if out is not None and not backend.mutable:
        with pytest.raises(ag.errors.OutError, match="read-only"):
            run(example, arguments, keywords)
        return
    result = run(example, arguments, keywords)
    if out is not None:
        element = call["out"]["written_element"]
        assert out is (result if element is None else result[element])
    found = out if example["prints"] == "out" else result
    expected = expected_tree(call.get("expected", example["expected"]))
    tolerances = example[f"rtol_{precision}"], ABSOLUTE[precision]
    assert_values(backend, found, expected, backend.dtype(precision), tolerances)


def test_there_are_as_many_examples_as_on_the_page():
    assert len(EXAMPLES) == 37
    assert sum(bool(example["call"]["out"]) for example in EXAMPLES) == 10
