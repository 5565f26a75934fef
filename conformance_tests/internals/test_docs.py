"""The documentation says what is so: every block of Python in it runs, every name has its place."""

import doctest
import re
from collections import Counter
from pathlib import Path

import pytest

import arraygrad
from arraygrad import autodiff, libraries
from arraygrad.rules import registered

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted(DOCS.rglob("*.md")) if not {"generated", "_build"} & {*page.parts}),
]
BLOCK = re.compile(r"^ *```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^\.\. (?:auto\w+|py:data):: arraygrad\.([\w.]+)(?:\(.*\))?$", re.MULTILINE)
ROOMS = ["optimizers", "schedules", "state", "transformations"]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(example, names, title):
    """Run a doctest in the names of its page, and fail with its report."""
    test = doctest.DocTestParser().get_doctest(example, {}, title, None, 0)
    test.globs = names
    report = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    failed, _ = runner.run(test, out=report.append, clear_globs=False)
    assert not failed, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_blocks_run_and_print_what_they_say(page, monkeypatch):
    for library in ("array_api_strict", "torch", "jax"):
        pytest.importorskip(library)
    monkeypatch.setattr(autodiff, "_MODULES", dict(autodiff._MODULES))  # pages may register
    monkeypatch.setattr(libraries, "_loaded", dict(libraries._loaded))
    monkeypatch.setattr(registered, "_entries", {})
    names = {"__name__": "__main__"}
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1):
        if ">>>" in block:
            run(block, names, f"{page.name}, block {number}")
        else:
            exec(block, names)


def test_every_public_name_is_in_the_reference_once():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    found = Counter(DIRECTIVE.findall(pages))
    rooms = [f"{room}.{name}" for room in ROOMS for name in getattr(arraygrad, room).__all__]
    public = [*arraygrad.__all__, *rooms]
    assert {name: found[name] for name in public} == dict.fromkeys(public, 1)
