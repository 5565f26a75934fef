"""The table of what works where is what trying it gives, and it has every public function."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import arraygrad

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "_generate_support_table.py"
NO_ROW = {
    "Library",
    "__version__",
    "errors",
    "register_autodiff",
    "register_library",
    "register_rule",
    "to_jax",  # takes arrays of jax alone
    "to_torch",  # takes tensors alone
}


def test_the_table_is_what_trying_gives():
    for library in ("array_api_strict", "torch", "jax"):
        pytest.importorskip(library)
    command = [sys.executable, str(SCRIPT), "--check"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_public_function_has_a_row():
    spec = importlib.util.spec_from_file_location("support_table", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    names = {row.split("`")[1] for row in script.CASES if row.startswith("`")}
    assert set(arraygrad.__all__) - NO_ROW <= names
