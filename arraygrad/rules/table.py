"""Look a rule up by the standard's name of its function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from arraygrad.rules import (
    creation_functions,
    data_type_functions,
    elementwise_functions,
    fourier_transform_functions,
    indexing_functions,
    linalg_functions,
    linear_algebra_functions,
    manipulation_functions,
    searching_functions,
    set_functions,
    sorting_functions,
    special,
    statistical_functions,
    utility_functions,
)

__all__ = ["CHAPTERS", "KINDS", "Entry", "entry_of", "names_of"]

CHAPTERS = (
    creation_functions,
    data_type_functions,
    elementwise_functions,
    fourier_transform_functions,
    indexing_functions,
    linalg_functions,
    linear_algebra_functions,
    manipulation_functions,
    searching_functions,
    set_functions,
    sorting_functions,
    special,
    statistical_functions,
    utility_functions,
)
KINDS = ("DERIVATIVES", "LINEAR", "MULTILINEAR", "PULLBACKS", "COMPOSITIONS", "CONSTANT")

Rule = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the tables say of one function."""

    name: str
    kind: str
    rules: tuple[Rule | None, ...] = ()
    not_holomorphic: tuple[Rule, ...] | None = None  # pullbacks that replace `rules` for complex
    joint: Rule | None = None  # one pullback to all operands, where they share work


@cache
def entry_of(name: str) -> Entry | None:
    """Return the tables' entry for a function, or `None` if they have none."""
    for chapter in CHAPTERS:
        for kind in KINDS:
            table = getattr(chapter, kind, {})
            if name in table:
                return _entry(chapter, name, kind, table)
    return None


def _entry(chapter: Any, name: str, kind: str, table: Any) -> Entry:
    not_holomorphic = getattr(chapter, "NOT_HOLOMORPHIC", {}).get(name)
    if not isinstance(table, Mapping):
        return Entry(name, kind, (), not_holomorphic)
    rules = table[name] if isinstance(table[name], tuple) else (table[name],)
    return Entry(name, kind, rules, not_holomorphic, getattr(chapter, "JOINT", {}).get(name))


def names_of(kind: str) -> list[str]:
    """Return the names of all functions of one kind, sorted."""
    return sorted(name for chapter in CHAPTERS for name in getattr(chapter, kind, ()))
