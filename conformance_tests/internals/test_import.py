"""`import arraygrad`: what it brings in, and what it offers."""

import inspect
import subprocess
import sys

import pytest

import arraygrad

LIBRARIES = {"array_api_strict", "cupy", "dask", "jax", "numba", "numpy", "scipy", "torch"}
FUNCTIONS = [name for name in arraygrad.__all__ if inspect.isfunction(getattr(arraygrad, name))]


def test_import_brings_in_no_array_library() -> None:
    """A fresh interpreter knows no array library after the import."""
    program = "import sys, arraygrad; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    modules = run.stdout.split()
    assert "arraygrad" in modules
    assert LIBRARIES.isdisjoint(modules)


def test_everything_public_is_listed() -> None:
    """Beside the names in `__all__` there are only modules."""
    others = {
        name
        for name, value in vars(arraygrad).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert others <= set(arraygrad.__all__)


def test_public_names_are_sorted_and_unique() -> None:
    """`__all__` reads like an index."""
    assert sorted(set(arraygrad.__all__)) == arraygrad.__all__


@pytest.mark.parametrize("name", sorted(set(arraygrad.__all__) - {"__version__"}))
def test_public_name_is_documented(name: str) -> None:
    """Each name has a docstring of its own that begins with one line."""
    doc = vars(arraygrad)[name].__doc__
    assert doc
    summary, _, rest = doc.partition("\n")
    assert summary.rstrip().endswith((".", ":"))
    assert not rest or rest.startswith("\n")


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("section", ["Parameters", "Returns", "Examples"])
def test_function_documents(name: str, section: str) -> None:
    """Each function says what it takes and returns, and shows it."""
    function = getattr(arraygrad, name)
    if section == "Returns" and inspect.signature(function).return_annotation is None:
        return
    assert f"{section}\n{'-' * len(section)}\n" in inspect.cleandoc(function.__doc__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_documented(name: str) -> None:
    """The names of a function's parameters stand in its docstring."""
    function = getattr(arraygrad, name)
    parameters = inspect.cleandoc(function.__doc__).partition("Parameters\n")[2]
    for parameter in inspect.signature(function).parameters:
        assert parameter in parameters
