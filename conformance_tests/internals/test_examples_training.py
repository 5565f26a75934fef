"""The examples that train with optimizers run as the documentation says, on every library."""

import re
from importlib.util import find_spec

import pytest

from conformance_tests.internals.test_examples import EXAMPLES, run

# Every program is a process of its own, so each runs on two libraries, all of them on four.
LIBRARIES = ("numpy", "torch")
PAIRS = (("numpy", "torch"), ("jax", "array_api_strict"))  # which gives, and which takes
FORMATS = (("numpy", "npz"), ("jax", "safetensors"))
PROGRAMS = (
    "matrix_factorization",
    "parameter_groups",
    "resume_from_checkpoint",
    "switch_library",
    "tiny_transformer",
)


def printed(program, *arguments):
    """Run an example without its progress bar; return what it printed."""
    return run(EXAMPLES / f"{program}.py", "--quiet", *arguments).stdout


def number(text, before):
    """Return the number that comes after some words."""
    return float(re.search(re.escape(before) + r"\s*([\d.]+(?:e-?\d+)?)", text)[1])


def skip_without(library):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_documentation_shows_every_program(program):
    page = (EXAMPLES.parent / "examples.md").read_text(encoding="utf-8")
    assert f"python docs/examples/{program}.py\n" in page


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_covered_is_filled_in_better_than_by_means(library):
    skip_without(library)
    told = printed("matrix_factorization", "--library", library, "--steps", 150)
    product, mean = (number(told, w) for w in ("where covered:", "pixel's mean, there:"))
    assert product < 0.85 * mean
    assert len(re.findall(r"^  [ .:\-=+*#%@]{52}$", told, re.MULTILINE)) == 8


@pytest.mark.parametrize("library", LIBRARIES)
def test_groups_of_parameters_learn_less_by_heart(library):
    skip_without(library)
    told = printed("parameter_groups", "--library", library)
    groups, alone = (
        [float(x) for x in re.search(title + r" +(.*)", told)[1].split()]
        for title in ("three groups", "one for all")
    )
    assert groups[0] < alone[0]  # in training
    assert groups[1] > 0.3 > alone[1]  # in the test
    assert groups[3] < alone[3]  # the norm of the weights


@pytest.mark.parametrize(("library", "suffix"), FORMATS)
def test_a_resumed_training_ends_the_same_to_the_last_bit(tmp_path, library, suffix):
    skip_without(library)
    file = tmp_path / f"digits.{suffix}"
    arguments = ("--library", library, "--epochs", 2, "--file", file)
    told = printed("resume_from_checkpoint", *arguments)
    assert "largest difference of a weight: 0.0\n" in told
    assert "24 leaves, from epoch to state/slots/nu/output/" in told
    assert file.exists()


@pytest.mark.parametrize(("first", "then"), PAIRS)
def test_losses_go_on_as_they_would_have(first, then):
    skip_without(first)
    skip_without(then)
    told = printed("switch_library", "--first", first, "--then", then, "--steps", 40)
    assert number(told, "largest relative difference of a loss:") <= 1e-10


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_transformer_learns_letters(library):
    skip_without(library)
    few = ("--steps", 40, "--width", 16, "--letters", 30, "--dtype", "float64", "--rate", 0.02)
    told = printed("tiny_transformer", "--library", library, *few)
    first, last = number(told, "per letter:"), number(told, "at first,")
    assert last < first - 1
    assert re.search(r"^  \| The world", told, re.MULTILINE)


def test_progress_bars_are_drawn():
    shown = run(EXAMPLES / "switch_library.py", "--then", "numpy", "--steps", 20).stderr
    assert re.search(r"training: 100%\|.*40/40", shown)
