"""Write the table of derivative rules, from the tables that the tape itself reads.

An extension of Sphinx: it runs whenever the pages are built.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arraygrad.expression import FORMULA, number, variable
from arraygrad.rules.table import CHAPTERS, KINDS, entry_of

PAGE = Path(__file__).parent / "reference" / "generated" / "rules-table.md"
OURS = {"power_of", "scatter_add", "set_at", "getitem"}  # primitives: not functions of the standard

LONG = 200  # characters of a formula that nobody would read

MEANINGS = {
    "DERIVATIVES": "derivative",
    "LINEAR": "transpose",
    "MULTILINEAR": "transpose in each operand",
    "PULLBACKS": "pullback",
    "COMPOSITIONS": "composition",
    "CONSTANT": "constant",
}


def formulas(name: str) -> str:
    """Return what is written for each operand of an elementwise function, as a formula."""
    entry = entry_of(name)
    assert entry is not None
    operands = [f"x{n + 1}" for n in range(len(entry.rules))] if len(entry.rules) > 1 else ["x"]
    symbols = [variable("y"), *map(variable, operands)]
    return ", ".join(formula(rule, symbols) for rule in entry.rules)


def formula(rule: Any, symbols: list[Any]) -> str:
    """Return one derivative: as a formula, or in words, if that is shorter or there is none."""
    if rule is None:
        return "none"
    said = (rule.__doc__ or "").partition("\n")[0]
    if said.startswith("Raise"):
        return "no closed form"
    text = without_parentheses(repr(number(rule(FORMULA, *symbols))))
    return f"`{text}`" if len(text) <= LONG else said or "a longer formula"


def without_parentheses(text: str) -> str:
    """Drop the outermost pair, if it encloses everything."""
    inner = text[1:-1]
    depths = [inner[:n].count("(") - inner[:n].count(")") for n in range(len(inner) + 1)]
    return inner if text.startswith("(") and min(depths) >= 0 else text


def sentences(name: str) -> str:
    """Return what the rules of a function say of themselves."""
    entry = entry_of(name)
    assert entry is not None
    said = [rule.__doc__.split("\n")[0] for rule in entry.rules if rule and rule.__doc__]
    return " ".join(dict.fromkeys(said)).replace("|", r"\|")


def rows(chapter: Any) -> Iterator[tuple[str, str, str]]:
    """Yield name, kind and content of every rule of a chapter."""
    found = [(name, kind) for kind in KINDS for name in getattr(chapter, kind, ())]
    for name, kind in sorted(found):
        if name not in OURS:
            content = formulas(name) if kind == "DERIVATIVES" else sentences(name)
            yield name, MEANINGS[kind], content


def section(chapter: Any) -> str:
    """Return the heading and the table of a chapter."""
    title = chapter.__name__.rpartition(".")[2].replace("_", " ").capitalize()
    lines = [f"| `{name}` | {kind} | {content} |" for name, kind, content in rows(chapter)]
    head = ["| function | rule | what it does |", "| --- | --- | --- |"]
    return "\n".join([f"## {title}", "", *head, *lines, ""])


def write() -> None:
    """Write the page, if it changed."""
    text = "\n".join(map(section, CHAPTERS))
    text = re.sub(r"\n{3,}", "\n\n", text)
    PAGE.parent.mkdir(exist_ok=True)
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Write the page before Sphinx looks for pages."""
    app.connect("builder-inited", lambda _: write())
    return {"parallel_read_safe": True}
