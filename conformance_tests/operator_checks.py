"""What the tests of the operators share: a few functions, and how results are compared."""

from collections import namedtuple

import numpy as np

from arraygrad._namespace import array_namespace

__all__ = ["Pair", "check", "squares", "total"]

Pair = namedtuple("Pair", "left right")


def check(backend, found, expected, rtol=1e-13):
    """Compare an array with its expected values, shape included."""
    expected = np.asarray(expected)
    assert array_namespace(found) is backend.xp
    assert tuple(found.shape) == expected.shape
    np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=rtol, atol=1e-14)


def total(x):
    """Sum an array in its own namespace."""
    return array_namespace(x).sum(x)


def squares(x):
    """Add up squares: gradient 2x."""
    return total(x * x)
