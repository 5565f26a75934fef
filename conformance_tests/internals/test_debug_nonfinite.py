"""`debug_nonfinite` raises where something turns infinite or NaN, and nowhere else."""

import threading

import array_api_strict
import numpy as np
import pytest
from array_api_compat import array_namespace

import arraygrad as ag
from arraygrad.errors import NonFiniteError

LIBRARIES = pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "strict"])


def of(function):
    """Return Σ f(x), in the namespace of its argument."""

    def f(x):
        xp = array_namespace(x)
        return xp.sum(getattr(xp, function)(x) * 2.0)

    return f


@LIBRARIES
def test_a_value_that_turns_infinite_raises_with_the_line(xp):
    def f(x):
        xp = array_namespace(x)
        y = xp.exp(x)
        return xp.sum(xp.log(y - y))  # this line

    with pytest.raises(NonFiniteError, match=r"value of log .*test_debug_nonfinite.*this line"):  # noqa: SIM117
        with ag.debug_nonfinite():
            ag.grad(f)(xp.asarray([1.0, 2.0]))


@LIBRARIES
def test_a_cotangent_that_turns_infinite_raises(xp):
    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="cotangent of sqrt"):
        ag.grad(of("sqrt"))(xp.asarray([1.0, 0.0]))


@LIBRARIES
def test_a_tangent_that_turns_infinite_raises(xp):
    x = xp.asarray([1.0, 0.0])
    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="tangent of sqrt"):
        ag.jvp(of("sqrt"), (x,), (x + 1.0,))


@LIBRARIES
def test_a_nan_that_is_made_of_infinities_raises(xp):
    def f(x):
        xp = array_namespace(x)
        y = x + xp.asarray([float("inf"), 0.0])
        return xp.sum(y - y)

    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="value of subtract"):
        ag.grad(f)(xp.asarray([1.0, 2.0]))


@LIBRARIES
def test_a_constant_that_turns_infinite_raises(xp):
    def f(x):
        xp = array_namespace(x)
        return xp.sum(x * xp.log(xp.zeros(2)))

    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="value of log"):
        ag.grad(f)(xp.asarray([1.0, 2.0]))


@LIBRARIES
def test_an_argument_that_is_nan_raises(xp):
    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="differentiated argument"):
        ag.grad(of("exp"))(xp.asarray([1.0, float("nan")]))


@LIBRARIES
def test_infinities_on_purpose_pass(xp):
    def f(x):
        xp = array_namespace(x)
        masked = xp.where(x > 0, x, xp.full(x.shape, -float("inf")))
        return xp.sum(xp.exp(masked))

    x = xp.asarray([1.0, -2.0])
    with ag.debug_nonfinite():
        watched = ag.grad(f)(x)
    assert np.array_equal(np.asarray(watched), np.asarray(ag.grad(f)(x)))


@LIBRARIES
def test_values_may_be_left_alone(xp):
    def f(x):
        xp = array_namespace(x)
        return xp.sum(xp.where(x > 0, xp.log(x), xp.zeros_like(x)))

    x = xp.asarray([2.0, 0.0])
    with ag.debug_nonfinite(values=False):
        assert np.asarray(ag.grad(f)(x)).tolist() == [0.5, 0.0]
    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="value of log"):
        ag.grad(f)(x)


@LIBRARIES
def test_derivatives_are_the_same_to_second_order(xp):
    def f(x):
        xp = array_namespace(x)
        return xp.sum(xp.exp(x) / x + x**3) * x[0] + xp.max(x) * 2.0

    x = xp.asarray([1.5, 0.5, 2.0])
    with ag.debug_nonfinite():
        watched = ag.grad(f)(x), ag.hessian(f)(x)
    for one, other in zip(watched, (ag.grad(f)(x), ag.hessian(f)(x)), strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-13)


def test_complex_cotangents_are_watched():
    def f(z):
        return np.sum(np.real(np.sqrt(z)))

    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="cotangent of sqrt"):
        ag.grad(f)(np.asarray([0j, 1j]))


def test_it_ends_with_its_context():
    with pytest.raises(NonFiniteError), ag.debug_nonfinite():
        ag.grad(of("sqrt"))(np.zeros(1))
    with np.errstate(all="ignore"):
        assert np.isinf(ag.grad(of("sqrt"))(np.zeros(1))).all()


def test_it_holds_in_its_own_thread_only():
    found = []

    def elsewhere():
        with np.errstate(all="ignore"):
            found.append(ag.grad(of("sqrt"))(np.zeros(1)))

    with ag.debug_nonfinite():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert np.isinf(found[0]).all()


def test_functions_in_a_pool_inside_are_watched():
    def f(x):
        parts = []
        thread = threading.Thread(target=lambda: parts.append(np.sqrt(x)))
        thread.start()
        thread.join()
        return np.sum(parts[0])

    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="cotangent of sqrt"):
        ag.grad(f)(np.zeros(2))


def test_a_function_with_a_derivative_of_its_own_is_watched():
    @ag.custom_gradient
    def bad(x):
        return x * 2.0, lambda g: (g * float("inf"),)

    with ag.debug_nonfinite(), pytest.raises(NonFiniteError, match="derivative of its own"):
        ag.grad(lambda x: np.sum(bad(x)))(np.ones(2))


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_other_autodiffs_are_left_alone_unless_the_tape_is_asked_for(library):
    xp = pytest.importorskip(library)
    x = xp.asarray([1.0, 0.0])
    with ag.debug_nonfinite():
        assert not np.isfinite(np.asarray(ag.grad(of("sqrt"))(x))).all()
        with pytest.raises(NonFiniteError, match="cotangent of sqrt"):
            ag.grad(of("sqrt"), autodiff="tape")(x)
