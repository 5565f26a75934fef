"""The committed names are the standard's, and the rules' tables divide them among themselves."""

from operator import attrgetter

import array_api_strict
import pytest

from arraygrad.rules import table
from conformance_tests.rule_cases import CASES
from conformance_tests.standard_names import CHAPTERS, names_of

EXTENSIONS = {"linalg_functions": "linalg", "fourier_transform_functions": "fft"}
RULED = [chapter for chapter in CHAPTERS if chapter != "inspection"]
# What the rules add to the standard's functions.
BESIDE = {"getitem", "power_of", "scatter_add", "set_at", "to_device"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_name_is_a_function_of_array_api_strict(chapter):
    assert all(callable(attrgetter(name)(array_api_strict)) for name in names_of(chapter))


def test_no_function_of_array_api_strict_is_missing():
    own = {
        "get_array_api_strict_flags",
        "reset_array_api_strict_flags",
        "set_array_api_strict_flags",
    }
    functions = {
        name
        for name in array_api_strict.__all__
        if callable(getattr(array_api_strict, name))
        and not isinstance(getattr(array_api_strict, name), type)
    }
    chapters = set(CHAPTERS) - set(EXTENSIONS)
    assert functions - own == {name for chapter in chapters for name in names_of(chapter)}


@pytest.mark.parametrize(("chapter", "extension"), EXTENSIONS.items())
def test_no_function_of_its_extensions_is_missing(chapter, extension):
    module = getattr(array_api_strict, extension)
    unlisted = {"eig", "eigvals"} if extension == "linalg" else set()  # there, but not in `__all__`
    names = {f"{extension}.{name}" for name in {*module.__all__} | unlisted}
    assert names == set(names_of(chapter))


@pytest.mark.parametrize("chapter", RULED)
def test_every_name_is_in_exactly_one_table_of_its_chapter(chapter):
    module = next(m for m in table.CHAPTERS if m.__name__.endswith(f".{chapter}"))
    found = [name for kind in table.KINDS for name in getattr(module, kind, ())]
    assert sorted(set(found) - BESIDE) == sorted(names_of(chapter))
    assert len(found) == len(set(found))


def test_the_tables_divide_the_whole_standard():
    standard = [name for chapter in RULED for name in names_of(chapter)]
    kinds = [table.entry_of(name).kind for name in standard]
    assert len(standard) == len(set(standard)) == 174
    assert kinds.count("CONSTANT") == 50
    of_tables = {name for kind in table.KINDS for name in table.names_of(kind)}
    beyond = {name for name in of_tables if name.startswith("special.")} | BESIDE
    assert of_tables - beyond == set(standard)


def test_every_name_with_a_derivative_has_a_case():
    ruled = {n for kind in table.KINDS if kind != "CONSTANT" for n in table.names_of(kind)}
    ruled = {name for name in ruled if not name.startswith("special.")}  # have their own cases
    methods = {"power_of", "to_device"}  # tested as such
    assert ruled - methods <= set(CASES)
