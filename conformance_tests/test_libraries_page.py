"""What the pages on other libraries show is what happens, where those are installed."""

import doctest
import re
from pathlib import Path

import pytest

for library in ("mlx.core", "sparse", "blosc2", "marray"):
    pytest.importorskip(library)

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```pycon\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["reference/libraries.md", "how-to/add-a-library.md"])
def test_sessions_print_what_they_say(page):
    text = "".join(BLOCK.findall((DOCS / page).read_text(encoding="utf-8")))
    session = doctest.DocTestParser().get_doctest(text, {}, page, None, 0)
    report = []
    failed, tried = doctest.DocTestRunner().run(session, out=report.append)
    assert tried
    assert not failed, "".join(report)
