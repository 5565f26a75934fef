"""The suite's options, and what tests are repeated for: a `backend`, and who differentiates it.

python -m pytest conformance_tests --array-backend=numpy --array-backend=mylib.xp
python -m pytest conformance_tests --array-backend=mylib.xp --xfails-file=mylib-xfails.txt
"""

import os

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it once, when first imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small arrays: more only wait for each other
os.environ.setdefault("JAX_ENABLE_X64", "1")  # optax is compared with, whatever is tested

import pytest

from conformance_tests import backends, compilation, xfails

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
    config.addinivalue_line(
        "markers", "no_jax_tape: jax compiles too long here; test_agreement has the combination"
    )
    compilation.prepare(config)
    names = config.getoption("--array-backend") or backends.installed()
    config.stash[BACKENDS] = [backends.load(name) for name in names]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat tests for each `backend`, and for each `autodiff` that serves it."""
    if "backend" not in metafunc.fixturenames:
        return
    found = metafunc.config.stash[BACKENDS]
    if "autodiff" in metafunc.fixturenames:
        pairs = [(b, a) for b in found for a in dict.fromkeys([b.autodiff, "tape"])]
        if metafunc.definition.get_closest_marker("no_jax_tape"):
            pairs = [pair for pair in pairs if (pair[0].library, pair[1]) != ("jax", "tape")]
        names = [b.name if a == b.autodiff else f"{b.name}-{a}" for b, a in pairs]
        metafunc.parametrize(("backend", "autodiff"), pairs, ids=names, scope="session")
    else:
        metafunc.parametrize("backend", found, ids=[b.name for b in found], scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the expected failures."""
    path = config.getoption("--xfails-file")
    if path:
        xfails.mark(items, xfails.read(path))
