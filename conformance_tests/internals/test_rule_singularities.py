"""What the rules choose where a derivative does not exist, or where arithmetic would spoil it."""

import math

import array_api_compat.numpy as xp
import numpy as np
import pytest

from arraygrad import grad, hvp, jvp
from arraygrad.rules.table import entry_of


def gradient(name, x, g=1.0, **kwargs):
    """Pull a cotangent back to the only operand."""
    x = np.asarray(x)
    y = getattr(xp, name)(x, **kwargs)
    return entry_of(name).rules[0](
        xp, np.broadcast_to(np.asarray(g, y.dtype), y.shape), y, x, **kwargs
    )


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_the_cotangent_evenly(name):
    x = np.asarray([[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 2.0, 0.0]])
    expected = [[0.25] * 4, [0, 0.5, 0.5, 0] if name == "max" else [0.5, 0, 0, 0.5]]
    np.testing.assert_array_equal(gradient(name, x, axis=1), expected)


@pytest.mark.parametrize("name", ["max", "min"])
def test_the_gradient_of_not_a_number_goes_where_it_came_from(name):
    found = gradient(name, [1.0, math.nan, 2.0, math.nan], 3.0)
    np.testing.assert_array_equal(found, [0, 1.5, 0, 1.5])


@pytest.mark.parametrize("name", ["max", "min"])
def test_infinite_extremes_are_ordinary(name):
    np.testing.assert_array_equal(gradient(name, [math.inf, -math.inf]).sum(), 1)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300, 1e-300, 0.1 + 0.3j])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_std_of_equal_values_has_derivative_zero(value, dtype):
    dtype = np.result_type(dtype, np.complex64) if isinstance(value, complex) else dtype
    with np.errstate(all="ignore"):
        x = np.full((3, 7), value).astype(dtype)
        found = gradient("std", x, axis=1)
    finite = np.isfinite(x).all()
    assert not found.any() if finite else True


def test_std_of_one_element_has_derivative_zero():
    assert not gradient("std", [[2.0], [3.0]], axis=1).any()


def test_std_whose_square_underflows_has_derivative_zero():
    assert not gradient("std", [1e-200, 2e-200]).any()


@pytest.mark.parametrize("name", ["std", "var"])
def test_no_degrees_of_freedom_give_not_a_number(name):
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        y = getattr(xp, name)(np.asarray([1.0, 2.0]), correction=2)
    found = entry_of(name).rules[0](xp, np.asarray(1.0), y, np.asarray([1.0, 2.0]), correction=2)
    assert np.isnan(found).all()


def test_a_zero_cotangent_wins_against_an_infinite_product():
    np.testing.assert_array_equal(gradient("prod", [math.inf, 2.0, 3.0], 0.0), [0, 0, 0])
    np.testing.assert_array_equal(gradient("prod", [math.inf, 2.0], 1.0), [2, math.inf])


def test_products_with_zeros_are_exact():
    np.testing.assert_array_equal(gradient("prod", [0.0, 2.0, 3.0]), [6, 0, 0])
    np.testing.assert_array_equal(gradient("prod", [0.0, 2.0, 0.0]), [0, 0, 0])
    np.testing.assert_array_equal(gradient("cumulative_prod", [2.0, 0.0, 3.0]), [1, 8, 0])


def test_a_product_does_not_overflow_where_the_others_do_not():
    np.testing.assert_array_equal(gradient("prod", [1e200, 1e-200, 2.0]), [2e-200, 2e200, 1.0])


def test_where_keeps_infinities_of_the_other_branch_out():
    g, condition = np.asarray([1.0, math.inf]), np.asarray([True, False])
    pull = entry_of("where").rules[1]
    np.testing.assert_array_equal(pull(xp, g, g, condition, g, g), [1, 0])


def test_sort_returns_cotangents_of_ties_stably():
    x, g = np.asarray([2.0, 1.0, 2.0, 1.0]), np.asarray([1.0, 2.0, 3.0, 4.0])
    found = entry_of("sort").rules[0](xp, g, np.sort(x), x)
    np.testing.assert_array_equal(found, [3, 1, 4, 2])


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min", "prod"])
def test_float32_stays_float32(name):
    x = np.asarray([[1.0, 2.0], [3.0, 5.0]], dtype=np.float32)
    assert gradient(name, x, axis=0).dtype == np.float32


def test_the_cotangent_of_a_sum_is_a_view():
    x, g = np.ones((1000, 1000)), np.asarray(2.0)
    assert entry_of("sum").rules[0](xp, g, g, x).strides == (0, 0)


# --- determinants and polar factors ---------------------------------------------------------------

SINGULAR = {
    "of rank 1": [[1.0, 2.0], [2.0, 4.0]],
    "0": [[0.0]],
    "zeros": [[0.0] * 3] * 3,
    "diagonal": [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]],
    "one of a stack": [[[1.0, 2.0], [2.0, 4.0]], [[1.0, 3.0], [0.0, 2.0]]],
}


def cofactors(x):
    """Return the derivative of a determinant, from those of all minors."""
    if x.ndim > 2:
        return np.stack([cofactors(part) for part in x])
    rows = range(len(x))
    return np.asarray(
        [
            [
                (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, axis=0), j, axis=1))
                for j in rows
            ]
            for i in rows
        ]
    )


@pytest.mark.parametrize("name", SINGULAR)
def test_the_determinant_of_a_singular_matrix_has_a_gradient(name):
    def f(x):
        return np.sum(np.linalg.det(x))

    x = np.asarray(SINGULAR[name])
    np.testing.assert_allclose(grad(f)(x), cofactors(x), atol=1e-14)
    direction = np.cos(np.arange(x.size)).reshape(x.shape)
    (product,) = hvp(f, (x,), (direction,))
    ends = (cofactors(x + h * direction) for h in (1e-6, -1e-6))
    np.testing.assert_allclose(product, (next(ends) - next(ends)) / 2e-6, atol=1e-8)


def test_a_singular_matrix_that_was_not_chosen_has_no_influence():
    x = np.asarray(SINGULAR["one of a stack"])
    found = grad(lambda x: np.sum(np.where([False, True], np.linalg.det(x), 0.0)))(x)
    np.testing.assert_allclose(found, np.stack([np.zeros((2, 2)), cofactors(x[1])]), atol=1e-14)


@pytest.mark.parametrize("stretch", [[1.0, 1.0], [1.0, 1.0001], [2.0, 1.0]])
def test_the_polar_factor_turns_where_singular_values_are_equal(stretch):
    def polar(x):
        u, _, vh = np.linalg.svd(x)
        return u @ vh

    direction = np.asarray([[0.3, 0.2], [-0.5, 0.1]])
    found = jvp(polar, (np.diag(stretch),), (direction,))[1]
    turn = (direction[0, 1] - direction[1, 0]) / sum(stretch)
    np.testing.assert_allclose(found, [[0, turn], [-turn, 0]], atol=1e-12)
