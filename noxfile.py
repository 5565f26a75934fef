"""The steps of `.ci/run` by name, for people: `nox --list`, `nox -s lint types`.

Each session has an environment of its own. `.ci/run` calls them in one that exists already, with
`--no-venv --no-install`.
"""

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "types", "layers", "tests", "docs", "examples"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def lint(session: nox.Session) -> None:
    """Look for slips, and at the layout."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly."""
    session.install("-e", ".[lint]", "jax", "torch")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports go one way."""
    session.install("-e", ".[lint]")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on all libraries; arguments go to pytest: `nox -s tests -- -k adam`."""
    session.install("-e", ".[test]", "jax", "optax", "torch")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "2"]))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the pages; a warning is an error."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def examples(session: nox.Session) -> None:
    """Run both examples, shortly."""
    session.install("-e", ".[examples]")
    figure = f"{session.create_tmp()}/digits.png"
    session.run("python", "docs/examples/page_tour.py")
    session.run("python", "docs/examples/train_digits.py", "--epochs", "2", "--output", figure)
