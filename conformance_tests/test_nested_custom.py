"""Functions with their own gradient, and checkpoints, deep in nests of both modes."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._namespace import array_namespace


def plain(x):
    """Return x³."""
    return x * x * x


cube = ag.custom_gradient(lambda x: (plain(x), lambda g: (3 * x * x * g,)))
pushed = ag.custom_gradient(
    lambda x: (plain(x), lambda g: (3 * x * x * g,)),
    forward=lambda primals, tangents: 3 * primals[0] ** 2 * tangents[0],
)


def along(f, direction):
    """Return the derivative of `f` in a direction that depends on where."""
    return lambda x: ag.jvp(f, (x,), (direction(x),))[1]


def sine(x):
    """Return sin(x)."""
    return array_namespace(x).sin(x)


def closing(f):
    """Return a gradient whose function closes over an outer variable."""
    return lambda x: ag.grad(lambda y: f(y) * f(x) * y)(x)


NESTS = {
    "jvp of jvp": lambda f: along(along(f, sine), sine),
    "jvp of jvp of jvp": lambda f: along(along(along(f, sine), sine), sine),
    "jvp of grad of jvp": lambda f: along(ag.grad(along(f, sine)), sine),
    "grad of jvp of jvp": lambda f: ag.grad(along(along(f, sine), sine)),
    "grad of grad of jvp": lambda f: ag.grad(ag.grad(along(f, sine))),
    "jvp of grad of grad": lambda f: along(ag.grad(ag.grad(f)), sine),
    "grad of jvp of a closure": lambda f: ag.grad(along(closing(f), sine)),
    "grad of a closure of jvp": lambda f: ag.grad(closing(along(f, sine))),
    "grad of jvp of a checkpointed closure": lambda f: ag.grad(
        along(ag.checkpoint(closing(f)), sine)
    ),
    "grad of a checkpointed jvp of a closure": lambda f: ag.grad(
        ag.checkpoint(ag.grad(along(closing(f), sine)))
    ),
}


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize(
    "f", [cube, pushed, ag.checkpoint(plain)], ids=["custom", "with forward rule", "checkpoint"]
)
def test_every_level_has_the_right_derivative(backend, nest, f):
    x = backend.asarray(0.4)
    found, expected = (backend.to_numpy(NESTS[nest](g)(x)) for g in (f, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert abs(float(expected)) > 1e-3
