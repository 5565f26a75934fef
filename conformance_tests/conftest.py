"""The suite's options, and the `backend` that tests are repeated for.

python -m pytest conformance_tests --array-backend=numpy --array-backend=mylib.xp
python -m pytest conformance_tests --array-backend=mylib.xp --xfails-file=mylib-xfails.txt
"""

import pytest

from conformance_tests import backends, xfails

BACKENDS = pytest.StashKey[list[backends.Backend]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("arraygrad")
    group.addoption(
        "--array-backend",
        action="append",
        metavar="NAME",
        help="dotted path of an array namespace, a device in brackets; repeatable; "
        f"by default what is installed of {', '.join(backends.USUAL)}",
    )
    group.addoption(
        "--xfails-file",
        metavar="FILE",
        help="tests expected to fail, one per line: id, prefix or pattern with *, then # reason",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load the backends once."""
    names = config.getoption("--array-backend") or backends.installed()
    config.stash[BACKENDS] = [backends.load(name) for name in names]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat tests that ask for a `backend` for each of them."""
    if "backend" in metafunc.fixturenames:
        found = metafunc.config.stash[BACKENDS]
        metafunc.parametrize("backend", found, ids=[b.name for b in found], scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the expected failures."""
    path = config.getoption("--xfails-file")
    if path:
        xfails.mark(items, xfails.read(path))
