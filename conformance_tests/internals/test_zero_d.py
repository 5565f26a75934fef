"""0-d arrays are computed with as scalars, and come back as the arrays that they were."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import GraphBreakError


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_a_gradient_is_an_array_of_the_arguments_dtype(dtype):
    x = np.asarray(2.0, dtype)
    gradient = ag.grad(lambda x: np.real(x * np.conj(x)) * 1.5)(x)
    assert type(gradient) is np.ndarray
    assert gradient.dtype == x.dtype
    assert gradient == 6.0


def test_an_argument_that_is_returned_is_an_array():
    x = np.asarray(2.0)
    (value, aux), _ = ag.value_and_grad(lambda x: (x, {"x": x}), has_aux=True)(x)
    assert type(value) is np.ndarray
    assert type(aux["x"]) is np.ndarray


def test_an_argument_changed_in_place_keeps_its_value_outside():
    x = np.asarray(2.0)

    def f(x):
        x[...] = x * x
        x += 1.0
        return x * 3.0

    value, gradient = ag.value_and_grad(f)(x)
    assert (value, gradient, x) == (15.0, 12.0, 2.0)


def test_an_error_that_code_in_c_passed_over_is_seen():
    optimize = pytest.importorskip("scipy.optimize")
    with pytest.raises(GraphBreakError, match="float"):
        ag.grad(lambda a: optimize.brentq(lambda x: x - a, 0.0, 9.0))(np.asarray(1.0))


@pytest.mark.parametrize("shape", [(), (2,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_not_chosen_gives_no_nan(dtype, shape):
    special = pytest.importorskip("scipy.special")
    x = np.zeros(shape, dtype)

    def f(x):
        with np.errstate(divide="ignore"):
            return np.sum(np.where(x > 0, special.entr(x), 2 * x))

    np.testing.assert_array_equal(ag.grad(f)(x), np.full(shape, 2.0, dtype))
