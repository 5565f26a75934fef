"""Functions that bring their own derivative, on every library and whoever differentiates it."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace, device_of
from conformance_tests.trees import assert_close, from_numpy, to_numpy


def total(x):
    """Sum an array in its own namespace."""
    return array_namespace(x).sum(x)


@ag.custom_gradient
def cube(x):
    """Return x³, with its pullback."""
    return x**3, lambda g: (3 * x**2 * g,)


@ag.custom_gradient
def tripled(x):
    """Return x, with the gradient of 3x: whose rule was used shows."""
    return x * 1.0, lambda g: (3 * g,)


@ag.custom_gradient
def product(a, b):
    """Return a b and a + b, with their pullback."""

    def pullback(g):
        return g["product"] * b + g["sum"], g["product"] * a + g["sum"]

    return {"product": a * b, "sum": a + b}, pullback


def check(backend, found, expected):
    """Compare a tree of arrays with its expected values."""
    for x in found if isinstance(found, tuple) else (found,):
        assert array_namespace(x) is backend.xp
    expected = (
        tuple(map(np.asarray, expected)) if isinstance(found, tuple) else np.asarray(expected)
    )
    assert_close(to_numpy(backend, found), expected, 1e-13)


X = np.asarray([0.5, -2.0, 3.0])


# --- what the operators make of it ----------------------------------------------------------------


def test_outside_of_differentiation_it_returns_the_value(backend):
    check(backend, cube(backend.asarray(X)), X**3)


def test_the_gradient_is_the_one_brought_along(backend, autodiff):
    value, gradient = ag.value_and_grad(lambda x: total(tripled(x) ** 2), autodiff=autodiff)(
        backend.asarray(X)
    )
    check(backend, value, np.sum(X**2))
    check(backend, gradient, 6 * X)


def test_pullback_may_be_called_many_times(backend):
    y, pullback = ag.vjp(cube, backend.asarray(X))
    check(backend, y, X**3)
    for scale in (1.0, 2.0):
        check(backend, pullback(backend.asarray(scale * np.ones(3)))[0], scale * 3 * X**2)


def test_tangent_is_the_transpose_of_the_pullback(backend):
    y, rate = ag.jvp(cube, (backend.asarray(X),), (backend.asarray([1.0, 2.0, 3.0]),))
    check(backend, y, X**3)
    check(backend, rate, 3 * X**2 * [1.0, 2.0, 3.0])


def test_tangent_of_several_arguments_and_outputs(backend):
    a, b, s, t = (backend.asarray(v) for v in (2.0, 5.0, 10.0, 100.0))
    y, rate = ag.jvp(product, (a, b), (s, t))
    assert {key: float(backend.to_numpy(v)) for key, v in y.items()} == {"product": 10, "sum": 7}
    assert {k: float(backend.to_numpy(v)) for k, v in rate.items()} == {"product": 250, "sum": 110}


@pytest.mark.parametrize("key", ["product", "sum"])
def test_an_output_that_is_not_used_has_cotangent_zero(backend, autodiff, key):
    gradient = ag.grad(lambda a, b: product(a, b)[key], (0, 1), autodiff=autodiff)
    found = gradient(backend.asarray(2.0), backend.asarray(5.0))
    check(backend, found, {"product": (5.0, 2.0), "sum": (1.0, 1.0)}[key])


def test_forward_rule_is_used_where_it_is_given(backend):
    def forward(primals, tangents):
        return 5 * tangents[0]

    f = ag.custom_gradient(lambda x: (x * 1.0, lambda g: (3 * g,)), forward=forward)
    x = backend.asarray(X)
    check(backend, ag.jvp(f, (x,), (x,))[1], 5 * X)
    check(backend, ag.grad(lambda x: total(f(x)))(x), 3 * np.ones(3))


def test_forward_rule_gets_arguments_tangents_and_keywords(backend):
    def forward(primals, tangents, *, power):
        (tree, n), (moved, none) = primals, tangents
        assert n == 7
        assert none is None
        return power * tree["x"] ** (power - 1) * moved["x"]

    def f(tree, n, *, power):
        x = tree["x"]
        return x**power, lambda g: ({"x": power * x ** (power - 1) * g}, None)

    function = ag.custom_gradient(f, forward=forward)
    x = backend.asarray(X)
    _, rate = ag.jvp(lambda x: function({"x": x}, 7, power=4), (x,), (x,))
    check(backend, rate, 4 * X**4)


def test_jacobian_and_hessian(backend, autodiff):
    x = backend.asarray(X)
    for mode in ("forward", "reverse"):
        check(backend, ag.jac(cube, mode=mode, autodiff=autodiff)(x), np.diag(3 * X**2))
    check(backend, ag.hessian(lambda x: total(cube(x)), autodiff=autodiff)(x), np.diag(6 * X))


# --- higher orders --------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "expected"), [(1, 12.0), (2, 12.0), (3, 6.0), (4, 0.0)])
def test_derivatives_of_higher_order(backend, autodiff, order, expected):
    f = cube
    for _ in range(order):
        f = ag.grad(f, autodiff=autodiff)
    check(backend, f(backend.asarray(2.0)), expected)


def test_every_order_uses_the_gradient_brought_along(backend, autodiff):
    second = ag.grad(ag.grad(lambda x: tripled(x) ** 2, autodiff=autodiff), autodiff=autodiff)
    check(backend, second(backend.asarray(2.0)), 18.0)


def test_forward_over_reverse(backend):
    x = backend.asarray(X)
    check(backend, ag.hvp(lambda x: total(cube(x)), (x,), (x,))[0], 6 * X * X)
    check(backend, ag.hvp(lambda x: total(tripled(x) ** 2), (x,), (x,))[0], 18 * X)


def test_reverse_over_forward(backend, autodiff):
    def slope(x):
        return ag.jvp(cube, (x,), (x * 0 + 1,))[1]

    check(backend, ag.grad(slope, autodiff=autodiff)(backend.asarray(2.0)), 12.0)


def test_an_inner_gradient_does_not_see_the_outer_one(backend, autodiff):
    def inner(x, y):
        return ag.grad(lambda z: cube(z) * x, autodiff=autodiff)(y)

    found = ag.grad(lambda x: inner(x, x), autodiff=autodiff)(backend.asarray(2.0))
    check(backend, found, 3 * 2.0**2 + 6 * 2.0 * 2.0)


def test_a_pullback_can_be_differentiated(backend, autodiff):
    def f(g, x):
        return total(ag.vjp(cube, x)[1](g)[0] ** 2)

    g = backend.asarray([1.0, 2.0, 3.0])
    gradient = ag.grad(f, autodiff=autodiff)(g, backend.asarray(X))
    check(backend, gradient, 2 * (3 * X**2) ** 2 * [1.0, 2.0, 3.0])


def test_functions_with_their_own_gradient_nest(backend, autodiff):
    @ag.custom_gradient
    def outer(x):
        y, pullback = ag.vjp(cube, x)
        return y * 1.0, lambda g: (2 * pullback(g)[0],)

    check(backend, ag.grad(outer, autodiff=autodiff)(backend.asarray(2.0)), 24.0)
    second = ag.grad(ag.grad(outer, autodiff=autodiff), autodiff=autodiff)
    check(backend, second(backend.asarray(2.0)), 24.0)


# --- arguments ------------------------------------------------------------------------------------


def test_trees_in_and_out(backend, autodiff):
    @ag.custom_gradient
    def layer(weights, x):
        def pullback(g):
            (g,) = g["out"]
            return {"w": g * x, "b": g}, None

        return {"out": [weights["w"] * x + weights["b"]]}, pullback

    weights = from_numpy(backend, {"w": np.asarray([2.0, 3.0]), "b": np.asarray([1.0, 1.0])})
    x = backend.asarray([5.0, 7.0])

    def loss(weights, x):
        return total(layer(weights, x)["out"][0])

    found = ag.grad(loss, (0, 1), autodiff=autodiff)(weights, x)
    expected = {"w": np.asarray([5.0, 7.0]), "b": np.ones(2)}, np.zeros(2)
    assert_close(to_numpy(backend, found), expected, 1e-14)


def test_keywords_with_a_position_are_differentiated(backend, autodiff):
    found = ag.grad(lambda a, b: product(b=b, a=a)["product"], (0, 1), autodiff=autodiff)
    check(backend, found(backend.asarray(2.0), backend.asarray(5.0)), (5.0, 2.0))


def test_keyword_only_arguments_are_constants(backend, autodiff):
    @ag.custom_gradient
    def scaled(x, *, by):
        return x * by, lambda g: (g * by,)

    gradient = ag.grad(lambda x, by: scaled(x, by=by), (0, 1), autodiff=autodiff)
    check(backend, gradient(backend.asarray(2.0), backend.asarray(5.0)), (5.0, 0.0))


def test_integer_arrays_numbers_and_strings_pass_through(backend, autodiff):
    @ag.custom_gradient
    def taken(x, index, scale, how):
        assert how == "scaled"
        xp = array_namespace(x)

        def pullback(g):
            places = xp.expand_dims(index, axis=1) == xp.arange(x.shape[0], device=device_of(x))
            rows = xp.expand_dims(g, axis=1) * scale * xp.astype(places, x.dtype)
            return xp.sum(rows, axis=0), None, None, None

        return xp.take(x, index) * scale, pullback

    index = backend.asarray([2, 0, 2], dtype="int64")
    gradient = ag.grad(lambda x, i: total(taken(x, i, 10.0, "scaled")), autodiff=autodiff)
    check(backend, gradient(backend.asarray(X), index), [10.0, 0.0, 20.0])


def test_complex_arrays_pull_back_with_the_adjoint(backend, autodiff):
    @ag.custom_gradient
    def times(z):
        xp = array_namespace(z)
        a = xp.asarray(2 + 3j, dtype=z.dtype, device=device_of(z))
        return a * z, lambda g: (xp.conj(a) * g,)

    def loss(z):
        xp = array_namespace(z)
        return xp.sum(xp.real(times(z)))

    z = backend.asarray([1 + 1j, 2 - 1j], dtype="complex128")
    check(backend, ag.grad(loss, autodiff=autodiff)(z), np.asarray([2 - 3j, 2 - 3j]))
    check(backend, ag.jvp(times, (z,), (z,))[1], (2 + 3j) * np.asarray([1 + 1j, 2 - 1j]))


def test_precision_is_kept(backend, autodiff):
    x = backend.asarray(X, dtype="float32")
    value, gradient = ag.value_and_grad(lambda x: total(cube(x)), autodiff=autodiff)(x)
    assert value.dtype == gradient.dtype == backend.dtype("float32")


def test_aux_beside_it(backend, autodiff):
    f = lambda x: (total(cube(x)), {"cubes": cube(x), "note": "text"})
    gradient, aux = ag.grad(f, has_aux=True, autodiff=autodiff)(backend.asarray(X))
    check(backend, gradient, 3 * X**2)
    check(backend, aux["cubes"], X**3)
    assert aux["note"] == "text"


def test_a_pullback_that_is_not_linear_is_used_as_it_is(backend, autodiff):
    @ag.custom_gradient
    def clipped(x):
        xp = array_namespace(x)
        return x * 1.0, lambda g: xp.clip(g, -1.0, 1.0)

    x = backend.asarray([0.1, -3.0])
    found = ag.grad(lambda x: total(clipped(x) ** 2), autodiff=autodiff)(x)
    check(backend, found, [0.2, -1.0])


def test_cotangents_may_be_returned_for_what_has_no_gradient(backend, autodiff):
    @ag.custom_gradient
    def shifted(x, n):
        return x + n, lambda g: (g, 0)

    check(backend, ag.grad(lambda x: shifted(x, 3), autodiff=autodiff)(backend.asarray(2.0)), 1.0)


def test_update_of_execute_with_gradients(backend):
    value, gradient = ag.execute_with_gradients(lambda x: total(cube(x)), backend.asarray(X))
    check(backend, value, np.sum(X**3))
    check(backend, gradient, 3 * X**2)


def test_methods_keep_their_name_and_docstring():
    assert cube.__name__ == "cube"
    assert cube.__doc__ == "Return x³, with its pullback."


# --- mistakes -------------------------------------------------------------------------------------


def returning(value, pullback):
    """Make a function that returns just this."""
    return ag.custom_gradient(lambda x: (x * 1.0 if value is None else value, pullback))


@pytest.mark.parametrize(
    ("pullback", "error", "text"),
    [
        (lambda g: (g, g), errors.StructureError, "tuple of 1 cotangents, got 2"),
        (lambda g: ({"x": g},), errors.StructureError, r"pullback\(...\)\[0\]"),
        (lambda g: (array_namespace(g).sum(g),), errors.ShapeError, r"must have shape \(3,\)"),
        (lambda g: "text", errors.DtypeError, "got str"),
    ],
)
def test_a_pullback_that_does_not_fit_is_refused(backend, autodiff, pullback, error, text):
    f = returning(None, pullback)
    with pytest.raises(error, match=text):
        ag.grad(lambda x: total(f(x)), autodiff=autodiff)(backend.asarray(X))


def test_a_function_without_a_pullback_is_refused(backend):
    with pytest.raises(errors.StructureError, match="must return"):
        ag.custom_gradient(lambda x: x)(backend.asarray(X))


@pytest.mark.parametrize("value", [3, "text", [None, 2.0]])
def test_a_value_that_is_no_floating_array_is_refused(backend, value):
    with pytest.raises(errors.DtypeError, match=r"f\(...\)"):
        returning(value, lambda g: (g,))(backend.asarray(X))


def test_a_forward_rule_that_does_not_fit_is_refused(backend):
    f = ag.custom_gradient(lambda x: (x * 1.0, lambda g: (g,)), forward=lambda p, t: total(t[0]))
    with pytest.raises(errors.ShapeError, match="forward"):
        ag.jvp(f, (backend.asarray(X),), (backend.asarray(X),))


@pytest.mark.parametrize("where", ["function", "pullback"])
def test_exceptions_come_through_and_leave_nothing_behind(backend, autodiff, where):
    @ag.custom_gradient
    def fails(x):
        def pullback(g):
            raise ZeroDivisionError(where)

        if where == "function":
            raise ZeroDivisionError(where)
        return x * 1.0, pullback

    x = backend.asarray(2.0)
    with pytest.raises(ZeroDivisionError, match=where):
        ag.grad(fails, autodiff=autodiff)(x)
    check(backend, ag.grad(cube, autodiff=autodiff)(x), 12.0)
