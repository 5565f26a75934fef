"""Products of vectors and of stacks of matrices, and extrema: quick, and as everybody has them."""

import array_api_strict as strict
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.testing import check_gradients
from conformance_tests import backends
from conformance_tests.case_values import complexes, in_library, reals
from conformance_tests.products import all_products, direction
from conformance_tests.ruled_calls import NUMPY
from conformance_tests.trees import assert_close, to_numpy

SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((3,), (2, 3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((0, 2, 3), (3, 4)),
]


@pytest.mark.parametrize("draw", [reals, complexes])
@pytest.mark.parametrize("shapes", SHAPES)
def test_torch_has_the_same_derivatives_of_products(shapes, draw):
    pytest.importorskip("torch")
    args = (np.asarray(draw(*shapes[0])), np.asarray(draw(*shapes[1], seed=1)))
    t, backend = direction(args), backends.load("torch")
    f = lambda a, b: (a @ b) * 2.0
    theirs = all_products(f, in_library(backend.xp, args), "torch", in_library(backend.xp, t))
    ours = all_products(f, in_library(NUMPY.xp, args), "tape", in_library(NUMPY.xp, t))
    assert_close(ours, to_numpy(backend, theirs), 1e-11)


@pytest.mark.parametrize("shapes", [s for s in SHAPES if 0 not in s[0]])
def test_finite_differences_agree_where_one_of_them_is_constant(shapes):
    a, b = reals(*shapes[0]), reals(*shapes[1], seed=1)
    check_gradients(lambda a: a @ b, a)
    check_gradients(lambda b: a @ b, b)
    check_gradients(lambda a: np.sum(a @ b), a)


@pytest.mark.parametrize(
    "shapes", [((3,), (4,)), ((2, 3), (2, 4, 3)), ((), (3,)), ((3, 2, 3), (2, 3, 4))]
)
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match=r"matmul|broadcast"):
        ag.vjp(lambda a, b: a @ b, np.ones(shapes[0]), np.ones(shapes[1]))


EXTREMA = {
    "no ties": [[1.0, 3.0, 2.0], [5.0, -1.0, 4.0]],
    "ties": [[1.0, 3.0, 3.0], [5.0, 5.0, 5.0]],
    "nan beside a tie": [[1.0, np.nan, 2.0], [5.0, 5.0, 4.0]],
    "nothing but nan": [[np.nan] * 3, [1.0, 2.0, 3.0]],
    "infinite": [[np.inf, 1.0, -np.inf], [2.0, np.inf, np.inf]],
    "zeros of both signs": [[-0.0, 0.0, -1.0], [0.0, 1.0, -0.0]],
}


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1, -2, None])
@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("values", EXTREMA.values(), ids=EXTREMA)
def test_extrema_share_as_the_general_rule_does(values, name, axis, keepdims):
    def pulled(xp):
        x = xp.asarray(values, dtype=xp.float64)
        f = lambda x: getattr(x.__array_namespace__(), name)(x, axis=axis, keepdims=keepdims)
        y, pullback = ag.vjp(f, x)
        g = xp.reshape(xp.astype(xp.arange(y.size), xp.float64) + 1.0, y.shape)
        return np.asarray(pullback(g)[0])

    np.testing.assert_array_equal(pulled(NUMPY.xp), pulled(strict))


def test_an_extremum_used_twice_adds_to_its_slot():
    x = np.asfortranarray(reals(4, 5))
    check_gradients(lambda x: np.max(x, axis=1) * np.max(x * x, axis=1) + x[:, 0], x)
