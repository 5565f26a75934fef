"""The suite's own options: backends by name, and expected failures that must be true."""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance_tests import backends, xfails

ROOT = Path(__file__).parents[2]
TEST = "conformance_tests/test_page_examples.py::test_there_are_as_many_examples_as_on_the_page"


def run_suite(*options: str) -> subprocess.CompletedProcess[str]:
    """Run one test of the suite in another process."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_names_carry_library_and_device():
    backend = backends.load("array_api_strict[device1]")
    assert backend.library == "array_api_strict"
    assert backend.asarray([1.0]).device == backend.xp.Device("device1")


def test_a_dotted_module_is_a_backend():
    backend = backends.load("array_api_compat.numpy")
    assert backend.autodiff == "tape"
    assert backend.mutable


@pytest.mark.parametrize("name", backends.installed())
@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "complex128"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 1, 3)])
def test_arrays_go_to_a_backend_and_come_back(name, dtype, shape):
    backend = backends.load(name)
    values = backends.np.arange(float(backends.np.prod(shape))).reshape(shape).astype(dtype)
    found = backend.to_numpy(backend.asarray(values, None))
    assert found.dtype == values.dtype
    backends.np.testing.assert_array_equal(found, values)


def test_patterns_match_from_the_start_with_stars():
    expectation = xfails.Expectation("tests/test_a.py::test_*[numpy-", "why")
    assert expectation.matches("tests/test_a.py::test_b[numpy-c]")
    assert not expectation.matches("tests/test_a.py::test_b[torch-c]")
    assert not expectation.matches("other/tests/test_a.py::test_b[numpy-c]")


def test_a_line_needs_a_reason(tmp_path):
    file = tmp_path / "xfails.txt"
    file.write_text("# a comment\n\nsome::test\n")
    with pytest.raises(pytest.UsageError, match="reason"):
        xfails.read(str(file))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{TEST}  # it passes, so this is stale", "XPASS(strict)"),
        ("no/such/test.py  # matches nothing", "no test matches"),
    ],
)
def test_stale_expectations_are_errors(tmp_path, line, message):
    file = tmp_path / "xfails.txt"
    file.write_text(line)
    result = run_suite(TEST, f"--xfails-file={file}", "--array-backend=numpy")
    assert result.returncode != 0
    assert message in result.stdout + result.stderr


def test_an_exception_passes(tmp_path):
    file = tmp_path / "xfails.txt"
    file.write_text(f"!{TEST}  # as it should\n{TEST[:30]}  # all else of the file\n")
    result = run_suite(TEST, f"--xfails-file={file}", "--array-backend=numpy")
    assert "1 passed" in result.stdout
