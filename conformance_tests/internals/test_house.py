"""The house rules that no linter states: files and functions stay short enough to be read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import arraygrad

LINES_OF_A_MODULE = 400
LINES_OF_A_FUNCTION = 60  # without its docstring; most have fewer than 12

PACKAGE = Path(arraygrad.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def _functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield the name of each function with its number of lines, the docstring left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node, clean=False) or ""
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1 - len(doc.splitlines())


@pytest.mark.parametrize("module", MODULES)
def test_module_is_short_and_says_what_it_is(module: str) -> None:
    """Each module begins with a docstring and fits a reader's patience."""
    source = (PACKAGE / module).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert len(source.splitlines()) <= LINES_OF_A_MODULE


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short(module: str) -> None:
    """No function is longer than a page."""
    source = (PACKAGE / module).read_text(encoding="utf-8")
    too_long = {name: n for name, n in _functions(source) if n > LINES_OF_A_FUNCTION}
    assert not too_long
