"""The two examples run as the README says, and reach what they promise."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TRAIN, TOUR = EXAMPLES / "train_digits.py", EXAMPLES / "page_tour.py"
RECORD = EXAMPLES.parents[1] / "conformance_tests" / "page_examples.json"
LIBRARIES = ("numpy", "array_api_strict", "torch", "jax")
COUNT = len(json.loads(RECORD.read_text(encoding="utf-8")))
CURVES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def run(script, *arguments, expect=0, **environment):
    """Run an example as a user does, warnings being errors; return what it printed."""
    command = [sys.executable, "-W", "error", str(script), *map(str, arguments)]
    single = {"OMP_NUM_THREADS": "1"}  # test processes that run side by side must not fight
    every = os.environ | single | environment
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=every)
    assert found.returncode == expect, found.stdout[-2000:] + found.stderr[-2000:]
    return found


def train(folder, library, *arguments):
    """Train for a moment; return the history."""
    path = folder / f"{library}.json"
    common = ("--quiet", "--output", "", "--history", path)
    run(TRAIN, "--library", library, *common, *arguments)
    return json.loads(path.read_text())


def read_table(printed):
    """Return the summary table as a dict."""
    return dict(re.findall(r"^  (\w+) {2,}(.+)$", printed, re.MULTILINE))


@pytest.fixture(scope="module")
def numpy_history(tmp_path_factory):
    return train(tmp_path_factory.mktemp("numpy"), "numpy", "--epochs", 3, "--dtype", "float64")


def test_the_main_job_reaches_97_percent_and_draws_a_figure(tmp_path):
    picture = tmp_path / "digits.png"
    table = read_table(run(TRAIN, "--output", picture).stdout)
    assert table["library"] == "numpy (float32)"
    assert table["optimizer"] == "adam"
    assert table["parameters"] == "50,826"
    assert float(table["test"].split("%")[0]) >= 97
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    assert picture.stat().st_size > 20_000


def test_the_progress_bar_shows_loss_and_accuracy():
    shown = run(TRAIN, "--epochs", 1, "--output", "").stderr
    assert re.search(r"1/1 .*loss=\d\.\d+, test accuracy=\d+\.\d+%", shown)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lars", "lamb"])
def test_every_optimizer_learns_the_digits(tmp_path, optimizer):
    history = train(tmp_path, "numpy", "--optimizer", optimizer, "--epochs", 6)
    assert history["test_accuracy"][-1] >= 0.94
    assert history["train_loss"][-1] < 0.3 * history["train_loss"][0]


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_every_library_draws_the_same_loss_curve(tmp_path, numpy_history, library):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    history = train(tmp_path, library, "--epochs", 3, "--dtype", "float64")
    for curve in CURVES:
        assert history[curve] == pytest.approx(numpy_history[curve], rel=1e-10, abs=0)


def test_the_seed_decides_the_curve(tmp_path, numpy_history):
    arguments = ("--epochs", 3, "--dtype", "float64")
    assert train(tmp_path, "numpy", *arguments) == numpy_history
    other = train(tmp_path, "numpy", *arguments, "--seed", 1)
    assert other["train_loss"] != numpy_history["train_loss"]


def test_a_missing_library_is_named_with_the_extra_that_installs_it(tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('No module named cupy')\n")
    told = run(TRAIN, "--library", "cupy", expect=1, PYTHONPATH=str(tmp_path)).stderr
    assert "pip install 'arraygrad[cupy]'" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_tour_meets_every_expected_value(library, dtype):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    printed = run(TOUR, "--library", library, "--dtype", dtype).stdout
    writes = 10 if library == "jax" else 0
    assert f"{COUNT - writes} of {COUNT} give the expected value on {library}." in printed
    assert "MISSED" not in printed
    assert printed.count("OutError") == writes
    if library != "jax" and dtype == "float64":
        assert "25 agree with every digit that the page prints." in printed


def test_the_tour_fails_where_an_expected_value_is_missed(tmp_path):
    examples = json.loads(
        (EXAMPLES.parents[1] / "conformance_tests/page_examples.json").read_text()
    )
    wrong = next(each for each in examples if each["id"] == "grad-1")
    wrong["expected"]["array"][0][0] += 1e-6
    folder = tmp_path / "conformance_tests"
    folder.mkdir()
    (folder / "page_examples.json").write_text(json.dumps(examples))
    copies = tmp_path / "docs" / "examples"
    copies.mkdir(parents=True)
    for name in ("page_tour.py", "libraries.py"):
        (copies / name).write_text((EXAMPLES / name).read_text(encoding="utf-8"), encoding="utf-8")
    printed = run(copies / "page_tour.py", expect=1).stdout
    assert "1 MISSED the expected value." in printed
