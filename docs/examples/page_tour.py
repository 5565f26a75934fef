"""Run the 37 examples of the page that arraygrad answers to, beside what the page prints.

Each result is held against two things: the value worked out in float64 from the page's formulas,
which must be met, and the digits printed on the page, some of which are float32 rounding.

    python docs/examples/page_tour.py
    python docs/examples/page_tour.py --library torch --dtype float32
"""

import argparse
import json
import math
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from array_api_compat import array_namespace
from libraries import LIBRARIES, Library, load, to_numpy

import arraygrad as ag
from arraygrad.errors import OutError

EXAMPLES = Path(__file__).parents[2] / "conformance_tests" / "page_examples.json"
ABSOLUTE = {"float32": 1e-7, "float64": 1e-15}


# --- running an example -----------------------------------------------------------------------


def mean_of_square(x: Any) -> Any:
    """Return the mean square of an array, or of every leaf of a Container."""
    if isinstance(x, ag.Container):
        return ag.Container({key: mean_of_square(value) for key, value in x.items()})
    xp = array_namespace(x)
    return xp.mean(xp.square(x))


def build(value: Any, xp: Any, dtype: str) -> Any:
    """Make the array, Container or number that a recorded value stands for."""
    if not isinstance(value, dict):
        return value
    if "container" in value:
        leaves = value["container"].items()
        return ag.Container({key: build(leaf, xp, dtype) for key, leaf in leaves})
    kind = dtype if value["dtype"] == "float32" else value["dtype"]
    return xp.asarray(value["array"], dtype=getattr(xp, kind))


def call(name: str, function: str | None, recorded: Mapping[str, Any], xp: Any, dtype: str) -> Any:
    """Make the recorded call; return its result and its `out`."""
    arguments = {each["param"]: build(each["value"], xp, dtype) for each in recorded["args"]}
    keywords = dict(recorded["kwargs"])
    if recorded["out"]:
        alias = recorded["out"]["aliases"]
        initial = recorded["out"]["init"]
        keywords["out"] = arguments[alias] if alias else build(initial, xp, dtype)
    operator = getattr(ag, name)
    if name == "execute_with_gradients":
        result = operator(mean_of_square, *arguments.values(), **keywords)
    elif function:
        result = operator(mean_of_square)(*arguments.values())
    else:
        result = operator(*arguments.values(), **keywords)
    return result, keywords.get("out")


# --- comparing --------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Turn a result, or a recorded value, into nested dicts, tuples, lists and numbers."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, ag.Container):
        return {key: plain(each) for key, each in value.items()}
    if not isinstance(value, dict):
        return to_numpy(value).tolist()
    if "array" in value:
        return value["array"]
    if "tuple" in value:
        return tuple(map(plain, value["tuple"]))
    return {key: plain(each) for key, each in value["container"].items()}


def pairs(ours: Any, theirs: Any) -> Iterator[tuple[float, float]]:
    """Yield the numbers at the same places; structures that differ yield NaN."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(ours, float | int) and isinstance(theirs, float | int):
        yield ours, theirs
    elif type(ours) is type(theirs) and isinstance(ours, list | tuple) and len(ours) == len(theirs):
        for each in zip(ours, theirs, strict=True):
            yield from pairs(*each)
    else:
        yield math.nan, math.nan


def matches(ours: Any, expected: Any, relative: float, absolute: float) -> bool:
    """Say whether every number is the expected one, up to rounding."""
    return all(abs(x - y) <= absolute + relative * abs(y) for x, y in pairs(ours, expected))


def agrees(ours: Any, documented: Any, precision: Mapping[str, Any]) -> bool:
    """Say whether every number rounds to the digits that the page prints."""
    return all(abs(x - y) <= half_a_digit(y, precision) for x, y in pairs(ours, documented))


def half_a_digit(y: float, precision: Mapping[str, Any]) -> float:
    """Return half a unit of the last printed place of a number, and a hair for ties."""
    exponent = math.floor(math.log10(abs(y))) if y else 0
    if precision["kind"] == "exact":
        return 0.0
    if precision["kind"] == "significant":
        place = exponent - precision["digits"] + 1
    else:  # so many decimals; those of the mantissa where NumPy turns to 1e-05
        place = -precision["digits"] + (exponent if exponent < -3 else 0)
    return 0.5 * 10.0**place * (1 + 1e-6)


# --- telling ----------------------------------------------------------------------------------


def text(value: Any, precision: Mapping[str, Any]) -> str:
    """Print nested numbers much as the page does."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {text(x, precision)}" for key, x in value.items()) + "}"
    if isinstance(value, list | tuple):
        opening, closing = "()" if isinstance(value, tuple) else "[]"
        return opening + ", ".join(text(x, precision) for x in value) + closing
    digits = 3 if precision["kind"] == "significant" else 9
    return f"{value:.{digits}g}"


def tell(label: str, line: str) -> None:
    """Print a labelled line, folded with its continuation below it."""
    indent = " " * 14
    print(textwrap.fill(line, 100, initial_indent=f"  {label:<12}", subsequent_indent=indent))


def visit(example: Mapping[str, Any], xp: Any, library: Library, dtype: str) -> str:
    """Run one example, tell what came of it, and return the verdict."""
    precision = example["printed_precision"]
    print(f"\n{example['id']}: {' '.join(example['code'][-2].split())}")
    expected, documented = plain(example["expected"]), plain(example["documented"])
    try:
        result, out = call(example["name"], example["func"], example["call"], xp, dtype)
    except OutError as error:
        tell("arraygrad", f"OutError: {error}")
        tell("page", text(documented, precision))
        return "MISSED" if library.writeable else "read-only"
    ours = plain(out if example["prints"] == "out" else result)
    tolerances = example[f"rtol_{dtype}"], ABSOLUTE[dtype]
    met = matches(ours, expected, *tolerances) and (out is None or library.writeable)
    same = agrees(ours, documented, precision)
    tell("arraygrad", text(ours, precision))
    tell("page", text(documented, precision))
    if example["note"]:
        tell("note", example["note"])
    if example["intended"]:
        met = visit_intended(example, tolerances, xp, dtype) and met
    if not met:
        tell("MISSED", f"expected {text(expected, precision)}")
        return "MISSED"
    tell("", "as expected, and as printed" if same else "as expected; printed otherwise")
    return "as printed" if same else "rounding"


def visit_intended(
    example: Mapping[str, Any], tolerances: tuple[float, float], xp: Any, dtype: str
) -> bool:
    """Make the call that the page meant to make, and say whether it gives what it should."""
    meant = example["intended"]
    result, _ = call(example["name"], example["func"], meant, xp, dtype)
    tell("intended", text(plain(result), example["printed_precision"]))
    return matches(plain(result), plain(meant["expected"]), *tolerances)


def conclude(library: str, verdicts: Counter[str]) -> None:
    """Print the summary."""
    total = verdicts.total()
    met = total - verdicts["MISSED"] - verdicts["read-only"]
    print(f"\n{met} of {total} give the expected value on {library}.")
    if verdicts["read-only"]:
        print(f"{verdicts['read-only']} write to `out`, and {library} arrays are read-only.")
    print(f"{verdicts['as printed']} agree with every digit that the page prints.")
    if verdicts["rounding"]:
        print(
            f"{verdicts['rounding']} differ from it in the last of eight decimals: the page was "
            "computed in float32."
        )
    if verdicts["MISSED"]:
        print(f"{verdicts['MISSED']} MISSED the expected value.")


def main() -> int:
    """Run the examples; return 1 where one misses its expected value."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", choices=LIBRARIES, default="numpy")
    parser.add_argument("--dtype", choices=ABSOLUTE, default="float64")
    options = parser.parse_args()
    xp, library = load(options.library)
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    verdicts = Counter(visit(example, xp, library, options.dtype) for example in examples)
    conclude(options.library, verdicts)
    return min(verdicts["MISSED"], 1)


if __name__ == "__main__":
    sys.exit(main())
