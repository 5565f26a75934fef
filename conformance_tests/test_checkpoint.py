"""Functions that are run again for their derivative: the same results, and nothing remembered."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from arraygrad.testing import check_gradients
from conformance_tests.trees import assert_close, from_numpy, to_numpy

X = np.asarray([0.5, -2.0, 3.0])


def block(x):
    """Compute something with intermediate results."""
    xp = array_namespace(x)
    return xp.sin(x) * xp.exp(-x * x / 9)


def total(x):
    """Sum an array in its own namespace."""
    return array_namespace(x).sum(x)


def chain(step):
    """Return a scalar function of three steps."""
    return lambda x: total(step(step(step(x))))


again = ag.checkpoint(block)


def same(backend, found, expected):
    """Compare two trees of a library's arrays."""
    assert_close(to_numpy(backend, found), to_numpy(backend, expected), 1e-13)


def test_value_and_gradient_are_those_of_the_function(backend, autodiff):
    x = backend.asarray(X)
    found = ag.value_and_grad(chain(again), autodiff=autodiff)(x)
    same(backend, found, ag.value_and_grad(chain(block), autodiff=autodiff)(x))


def test_outside_of_differentiation_it_is_the_function(backend):
    x = backend.asarray(X)
    same(backend, again(x), block(x))


def test_higher_orders(backend, autodiff):
    def third(step):
        f = lambda x: step(step(x))
        for _ in range(3):
            f = ag.grad(f, autodiff=autodiff)
        return f(backend.asarray(0.7))

    same(backend, third(again), third(block))


def test_forward_mode_and_both_together(backend):
    x, t = backend.asarray(X), backend.asarray([1.0, 2.0, 3.0])
    same(backend, ag.jvp(again, (x,), (t,)), ag.jvp(block, (x,), (t,)))
    same(backend, ag.hvp(chain(again), (x,), (t,)), ag.hvp(chain(block), (x,), (t,)))


def test_jacobian_and_hessian(backend, autodiff):
    x = backend.asarray(X)
    for mode in ("forward", "reverse"):
        found = ag.jac(again, mode=mode, autodiff=autodiff)(x)
        same(backend, found, ag.jac(block, mode=mode, autodiff=autodiff)(x))
    found = ag.hessian(chain(again), autodiff=autodiff)(x)
    same(backend, found, ag.hessian(chain(block), autodiff=autodiff)(x))


def test_both_modes_agree_with_differences(backend, autodiff):
    order = 1 if backend.library == "jax" else 2
    check_gradients(chain(again), backend.asarray(X), order=order, autodiff=autodiff)


def test_checkpoints_nest_in_each_other_and_in_gradients(backend, autodiff):
    inner = ag.checkpoint(lambda x: ag.grad(lambda z: total(again(z)), autodiff=autodiff)(x))
    plain = lambda x: ag.grad(lambda z: total(block(z)), autodiff=autodiff)(x)
    f, g = ag.checkpoint(lambda x: total(inner(x) ** 2)), lambda x: total(plain(x) ** 2)
    x = backend.asarray(X)
    same(backend, ag.grad(f, autodiff=autodiff)(x), ag.grad(g, autodiff=autodiff)(x))
    same(
        backend,
        ag.grad(chain(inner), autodiff=autodiff)(x),
        ag.grad(chain(plain), autodiff=autodiff)(x),
    )


def test_functions_with_their_own_gradient_inside(backend, autodiff):
    tripled = ag.custom_gradient(lambda x: (x * 1.0, lambda g: (3 * g,)))
    f = ag.checkpoint(lambda x: tripled(x) ** 2)
    x = backend.asarray(2.0)
    found = [ag.grad(f, autodiff=autodiff)(x)]
    found.append(ag.grad(ag.grad(f, autodiff=autodiff), autodiff=autodiff)(x))
    np.testing.assert_allclose([float(backend.to_numpy(v)) for v in found], [12.0, 18.0])


def test_constants_stay_constant(backend, autodiff):
    f = ag.checkpoint(lambda x: x * ag.stop_gradient(x))
    found = ag.grad(f, autodiff=autodiff)(backend.asarray(3.0))
    assert float(backend.to_numpy(found)) == 3.0


@pytest.mark.parametrize("step", [again, lambda x: ag.checkpoint(lambda y: block(y) * x)(x)])
def test_what_the_function_closes_over_has_its_gradient(backend, autodiff, step):
    def f(scale, x, step):
        return total(step(lambda y: block(y) * scale + x)(x * scale))

    args = backend.asarray(1.5), backend.asarray(X)
    found = ag.grad(f, (0, 1), autodiff=autodiff)(*args, ag.checkpoint)
    same(backend, found, ag.grad(f, (0, 1), autodiff=autodiff)(*args, lambda f: f))


def test_an_outer_variable_closed_over(backend, autodiff):
    def outer(a, wrap):
        inner = lambda x: total(wrap(lambda y: block(y) * a)(x * a))
        return total(ag.grad(inner, autodiff=autodiff)(a * a))

    a = backend.asarray(0.8)
    found = ag.grad(outer, autodiff=autodiff)(a, ag.checkpoint)
    same(backend, found, ag.grad(outer, autodiff=autodiff)(a, lambda f: f))


def test_trees_keywords_and_other_arguments(backend, autodiff):
    def layer(weights, x, *, bias, index, how):
        assert how == "plain"
        xp = array_namespace(x)
        return {"out": [xp.take(weights["w"] * x + bias, index)]}

    args = from_numpy(backend, ({"w": np.asarray([2.0, 3.0])}, np.asarray([5.0, 7.0])))
    index = backend.asarray([1, 1, 0], dtype="int64")

    def loss(weights, x, bias, layer):
        return total(layer(weights, x, bias=bias, index=index, how="plain")["out"][0] ** 2)

    bias = backend.asarray([0.5, 0.25])
    gradient = ag.grad(loss, (0, 1, 2), autodiff=autodiff)
    same(backend, gradient(*args, bias, ag.checkpoint(layer)), gradient(*args, bias, layer))


def test_aux_beside_it(backend, autodiff):
    f = lambda x: (total(again(x)), again(x))
    gradient, aux = ag.grad(f, has_aux=True, autodiff=autodiff)(backend.asarray(X))
    same(backend, gradient, ag.grad(chain_of_one, autodiff=autodiff)(backend.asarray(X)))
    same(backend, aux, block(backend.asarray(X)))


def chain_of_one(x):
    """Sum one block."""
    return total(block(x))


def test_precision_is_kept(backend, autodiff):
    x = backend.asarray(X, dtype="float32")
    value, gradient = ag.value_and_grad(chain(again), autodiff=autodiff)(x)
    assert value.dtype == gradient.dtype == backend.dtype("float32")


def test_the_function_runs_once_more_for_the_sweep(backend):
    runs = []

    @ag.checkpoint
    def counted(x):
        runs.append(x)
        return block(x)

    y, pullback = ag.vjp(counted, backend.asarray(X))
    before = len(runs)
    pullback(y)
    # jax traces a function once, and runs the trace again.
    assert (before, len(runs)) == ((1, 1) if backend.autodiff == "jax" else (1, 2))


def test_an_exception_in_the_second_run_comes_through(backend):
    if backend.autodiff == "jax":
        return  # which never calls the function again
    runs = []

    @ag.checkpoint
    def fails_later(x):
        runs.append(x)
        if len(runs) > 1:
            raise ZeroDivisionError
        return block(x)

    with pytest.raises(ZeroDivisionError):
        ag.grad(lambda x: total(fails_later(x)))(backend.asarray(X))
    same(
        backend,
        ag.grad(chain(again))(backend.asarray(X)),
        ag.grad(chain(block))(backend.asarray(X)),
    )


def test_a_value_that_is_no_floating_array_is_refused(backend):
    with pytest.raises(errors.DtypeError, match=r"f\(...\)\[1\] must be a floating array, got int"):
        ag.checkpoint(lambda x: (x, 3))(backend.asarray(X))
