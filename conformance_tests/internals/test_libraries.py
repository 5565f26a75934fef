"""The registry of libraries: built in, declared by a package, registered by hand, or generic."""

from types import SimpleNamespace

import pytest

import arraygrad
from arraygrad.libraries import GENERIC, library_of


def namespace(name):
    """Return what the registry needs of a namespace: its name."""
    return SimpleNamespace(__name__=name)


def test_a_library_of_ours_is_known_by_the_first_component_of_its_name():
    assert library_of(namespace("torch")).autodiff == "torch"
    assert library_of(namespace("array_api_compat.torch")).autodiff == "torch"


def test_an_unknown_library_is_generic():
    assert library_of(namespace("nobody_knows.xp")) is GENERIC


def test_a_registered_library_is_found():
    mine = arraygrad.Library(mutable=True)
    arraygrad.register_library("registered_by_a_test", mine)
    assert library_of(namespace("registered_by_a_test.xp")) is mine


@pytest.fixture
def declaring_package(tmp_path, monkeypatch):
    """Install a package that declares an entry point."""
    (tmp_path / "declaring.py").write_text(
        "import arraygrad\nLIBRARY = arraygrad.Library(mutable=True, extra='declared')\n"
    )
    info = tmp_path / "declaring-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: declaring\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[arraygrad.libraries]\ndeclared_by_a_test = declaring:LIBRARY\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("declaring_package")
def test_a_library_declared_by_an_entry_point_is_found():
    assert library_of(namespace("declared_by_a_test")).extra == "declared"
