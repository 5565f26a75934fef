"""The operators, on every library and whoever differentiates it."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from arraygrad._tree import flatten, map_leaves

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


# --- gradients ------------------------------------------------------------------------------------


def test_value_and_gradient_of_an_array(backend, autodiff):
    x = backend.asarray([[1.0, -2.0], [3.0, 0.5]])
    value, gradient = ag.value_and_grad(squares, autodiff=autodiff)(x)
    check(backend, value, 14.25)
    check(backend, gradient, [[2.0, -4.0], [6.0, 1.0]])


def test_the_gradient_has_the_dtype_of_its_argument(backend, autodiff):
    x = backend.asarray([1.0, 2.0], dtype="float32")
    value, gradient = ag.value_and_grad(squares, autodiff=autodiff)(x)
    assert value.dtype == gradient.dtype == backend.dtype("float32")


def test_the_gradient_lies_on_the_device_of_its_argument(backend, autodiff):
    x = backend.asarray([1.0, 2.0])
    assert ag.grad(squares, autodiff=autodiff)(x).device == x.device


def test_arguments_are_left_alone(backend, autodiff):
    x = backend.asarray([1.0, 2.0])
    tree = {"w": x, "n": [3]}
    ag.grad(lambda p: squares(p["w"]) * p["n"][0], autodiff=autodiff)(tree)
    assert tree["w"] is x
    assert tree == {"w": x, "n": [3]}
    check(backend, x, [1.0, 2.0])


@pytest.mark.parametrize("kind", [dict, OrderedDict, ag.Container])
def test_the_gradient_has_the_structure_of_a_mapping(backend, autodiff, kind):
    x = backend.asarray([1.0, 2.0])
    tree = kind(b=[x, (x,)], a=None)
    found = ag.grad(lambda p: squares(p["b"][0] * 2) + squares(p["b"][1][0]), autodiff=autodiff)(
        tree
    )
    assert type(found) is kind
    assert list(found) == ["b", "a"] or kind is dict
    assert found["a"] is None
    assert isinstance(found["b"][1], tuple)
    check(backend, found["b"][0], [8.0, 16.0])
    check(backend, found["b"][1][0], [2.0, 4.0])


def test_the_gradient_of_a_namedtuple_is_one(backend, autodiff):
    x = backend.asarray([1.0, 2.0])
    found = ag.grad(lambda p: squares(p.left) + total(p.right), autodiff=autodiff)(Pair(x, x))
    assert isinstance(found, Pair)
    check(backend, found.left, [2.0, 4.0])
    check(backend, found.right, [1.0, 1.0])


def test_other_leaves_pass_through_with_gradient_none(backend, autodiff):
    marker = object()
    tree = {"w": backend.asarray(2.0), "n": 3, "on": True, "name": "relu", "any": marker}

    def f(p):
        assert p["on"] is True
        assert p["name"] == "relu"
        assert p["any"] is marker
        return p["w"] ** p["n"]

    found = ag.grad(f, autodiff=autodiff)(tree)
    check(backend, found.pop("w"), 12.0)
    assert found == {"n": None, "on": None, "name": None, "any": None}


def test_python_floats_become_arrays_like_the_others(backend, autodiff):
    x = backend.asarray([1.0, 2.0], dtype="float32")
    f = lambda p, x: total(p["scale"] * x)
    value, found = ag.value_and_grad(f, (0, 1), autodiff=autodiff)({"scale": 3.0}, x)
    assert value.dtype == found[0]["scale"].dtype == backend.dtype("float32")
    assert found[0]["scale"].device == x.device
    check(backend, found[0]["scale"], 3.0, rtol=1e-6)


def test_a_python_complex_becomes_a_complex_array(backend, autodiff):
    x = backend.asarray([1.0, 2.0])
    f = lambda z, x: total(array_namespace(x).real(z * x))
    found = ag.grad(f, autodiff=autodiff)(2.0 + 1j, x)
    assert found.dtype == backend.dtype("complex128")
    check(backend, found, 3.0 + 0j)


def test_python_floats_alone_are_arrays_of_numpy():
    found = ag.grad(lambda x: x**3)(2.0)
    assert isinstance(found, (np.ndarray, np.float64))
    assert found == 12.0


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 30.0),
        (1, 20.0),
        (-1, 6.0),
        (-3, 30.0),
        ((0,), (30.0,)),
        ((2, 0), (6.0, 30.0)),
        ([1, -1], (20.0, 6.0)),
        ((), ()),
    ],
)
def test_argnums_choose_and_order(backend, autodiff, argnums, expected):
    arguments = [backend.asarray(v) for v in (2.0, 3.0, 10.0)]
    product = lambda a, b, c: a * b * c
    found = ag.grad(product, argnums, autodiff=autodiff)(*arguments)
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    found, expected = (found, expected) if isinstance(expected, tuple) else ((found,), (expected,))
    for one, wanted in zip(found, expected, strict=True):
        check(backend, one, wanted)


@pytest.mark.parametrize("argnums", [2, -3, (0, 5)])
def test_argnums_out_of_range_raise(backend, argnums):
    x = backend.asarray(1.0)
    with pytest.raises(ValueError, match=r"called with 2 positional arguments"):
        ag.grad(lambda a, b: a * b, argnums)(x, x)


def test_an_argument_named_twice_raises(backend):
    x = backend.asarray(1.0)
    with pytest.raises(ValueError, match="twice"):
        ag.grad(lambda a, b: a * b, (1, 1))
    with pytest.raises(ValueError, match="twice"):
        ag.grad(lambda a, b: a * b, (1, -1))(x, x)


def test_keyword_arguments_pass_through(backend, autodiff):
    x, power = backend.asarray([1.0, 2.0]), backend.asarray([3.0, 2.0])

    def f(x, *, power, options):
        return total(x**power) * options["scale"][0]

    found = ag.grad(f, autodiff=autodiff)(x, power=power, options={"scale": [2]})
    check(backend, found, [6.0, 8.0])


def test_integer_arrays_are_constants_in_other_arguments(backend, autodiff):
    x, index = backend.asarray([1.0, 2.0, 3.0]), backend.asarray([2, 0], dtype="int64")
    f = lambda x, index: squares(array_namespace(x).take(x, index, axis=0))
    check(backend, ag.grad(f, autodiff=autodiff)(x, index), [2.0, 0.0, 6.0])


def test_auxiliary_data_come_back_as_they_are(backend, autodiff):
    x, y = backend.asarray([1.0, 2.0]), backend.asarray([5.0, 6.0])
    marker = object()

    def f(x, y):
        return squares(x), {"twice": x * 2, "constant": y, "any": [marker, "text", 3, None]}

    (value, aux), found = ag.value_and_grad(f, has_aux=True, autodiff=autodiff)(x, y)
    check(backend, value, 5.0)
    check(backend, found, [2.0, 4.0])
    check(backend, aux["twice"], [2.0, 4.0])
    check(backend, aux["constant"], [5.0, 6.0])
    assert aux["any"] == [marker, "text", 3, None]
    found, aux = ag.grad(f, has_aux=True, autodiff=autodiff)(x, y)
    check(backend, found, [2.0, 4.0])
    check(backend, aux["twice"], [2.0, 4.0])


def test_without_auxiliary_data_has_aux_raises(backend):
    with pytest.raises(errors.StructureError, match=r"\(output, aux\)"):
        ag.grad(squares, has_aux=True)(backend.asarray([1.0]))


def test_one_array_twice_has_partial_derivatives(backend, autodiff):
    x = backend.asarray(3.0)
    first, second = ag.grad(lambda a, b: a * a * b, (0, 1), autodiff=autodiff)(x, x)
    check(backend, first, 18.0)
    check(backend, second, 9.0)
    found = ag.grad(lambda p: p[0] * p[0] * p[1], autodiff=autodiff)([x, x])
    check(backend, found[0], 18.0)
    check(backend, found[1], 9.0)


def test_what_the_output_does_not_depend_on_has_gradient_zero(backend, autodiff):
    x, y = backend.asarray([1.0, 2.0]), backend.asarray([[3.0]])
    first, second = ag.grad(lambda x, y: squares(x), (0, 1), autodiff=autodiff)(x, y)
    check(backend, first, [2.0, 4.0])
    check(backend, second, [[0.0]])
    check(backend, ag.grad(lambda x, y: total(y), autodiff=autodiff)(x, y), [0.0, 0.0])


def test_the_identity_has_gradient_one(backend, autodiff):
    check(backend, ag.grad(lambda x: x, autodiff=autodiff)(backend.asarray(2.0)), 1.0)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 1)])
def test_zero_size_arrays_work(backend, autodiff, shape):
    x = backend.asarray(np.zeros(shape))
    value, found = ag.value_and_grad(squares, autodiff=autodiff)(x)
    check(backend, value, 0.0)
    check(backend, found, np.zeros(shape))


@pytest.mark.parametrize("empty", [{}, [], (), ag.Container(), None])
def test_empty_trees_work(backend, autodiff, empty):
    x = backend.asarray([1.0, 2.0])
    value, found = ag.value_and_grad(lambda p, x: squares(x), autodiff=autodiff)(empty, x)
    check(backend, value, 5.0)
    assert found == empty


def test_a_complex_gradient_points_uphill(backend, autodiff):
    z = backend.asarray([1.0 + 2.0j, -0.5j], dtype="complex128")

    def f(z):
        xp = array_namespace(z)
        return total(xp.real(z) ** 2 + 3 * xp.imag(z))

    check(backend, ag.grad(f, autodiff=autodiff)(z), [2.0 + 3.0j, 3.0j])


def test_descending_along_a_complex_gradient_lowers_the_value(backend, autodiff):
    z = backend.asarray([1.0 + 2.0j, -0.5j], dtype="complex128")
    f = lambda z: total(array_namespace(z).abs(z * (2.0 + 1.0j) - 1.0) ** 2)
    value, found = ag.value_and_grad(f, autodiff=autodiff)(z)
    lower = f(z - 0.01 * found)
    assert float(backend.to_numpy(lower)) < float(backend.to_numpy(value))


singular = pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # NumPy says so


@singular
@pytest.mark.parametrize("nonfinite", ["keep", "zero"])
def test_nonfinite_gradients_are_kept_or_zeroed(backend, autodiff, nonfinite):
    x = backend.asarray([0.0, 4.0])
    f = lambda x: total(array_namespace(x).sqrt(x))
    found = ag.grad(f, nonfinite=nonfinite, autodiff=autodiff)(x)
    check(backend, found, [np.inf if nonfinite == "keep" else 0.0, 0.25])


@singular
def test_nonfinite_gradients_raise_with_their_path(backend, autodiff):
    tree = {"a": backend.asarray([1.0]), "b": [backend.asarray([0.0, 4.0])]}
    f = lambda n, p: total(array_namespace(p["b"][0]).sqrt(p["b"][0])) + n
    with pytest.raises(errors.NonFiniteError, match=r"args\[1\]\['b'\]\[0\] holds an infinity"):
        ag.grad(f, 1, nonfinite="raise", autodiff=autodiff)(0, tree)


def test_unknown_options_raise():
    with pytest.raises(ValueError, match="`nonfinite` must be one of"):
        ag.grad(squares, nonfinite="ignore")
    with pytest.raises(ValueError, match="`mode` must be one of"):
        ag.jac(squares, mode="backward")
    with pytest.raises(ValueError, match="`autodiff` must be one of"):
        ag.grad(squares, autodiff="tensorflow")(1.0)


# --- what cannot be differentiated ----------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_arrays_without_gradients_raise_with_their_path(backend, dtype):
    tree = {"w": backend.asarray([1.0]), "layers": [backend.asarray([1, 0], dtype=dtype)]}
    with pytest.raises(errors.DtypeError, match=rf"args\[0\]\['layers'\]\[0\] has dtype .*{dtype}"):
        ag.grad(lambda p: squares(p["w"]))(tree)


def test_object_arrays_raise():
    with pytest.raises(errors.DtypeError, match=r"args\[0\] has dtype object"):
        ag.grad(squares)(np.asarray([1.0, None], dtype=object))


def test_object_and_string_arrays_pass_through_in_other_arguments():
    names = np.asarray(["a", "b"])
    things = np.asarray([1.0, None], dtype=object)

    def f(x, names, *, things):
        assert type(names) is type(things) is np.ndarray
        return squares(x)

    assert ag.grad(f)(np.asarray([2.0]), names, things=things)[0] == 4.0


@pytest.mark.parametrize(
    ("f", "got"),
    [
        (lambda x: x, r"an array of shape \(1,\)"),
        (lambda x: 3.0, "float"),
        (lambda x: None, "NoneType"),
        (lambda x: [total(x)], "list"),
        (lambda x: total(x) * 1j, "complex"),
        (lambda x: total(x) > 0, "bool"),
    ],
)
def test_an_output_that_is_no_real_scalar_raises(backend, autodiff, f, got):
    x = backend.asarray([1.0])
    with pytest.raises(errors.NotScalarError, match=rf"real floating 0-d array, got .*{got}"):
        ag.grad(f, autodiff=autodiff)(x)


def test_arrays_of_two_libraries_raise_with_their_paths(backend):
    if backend.library == "numpy":
        other = pytest.importorskip("array_api_strict").asarray([1.0])
    else:
        other = np.asarray([1.0])
    x = backend.asarray([1.0])
    with pytest.raises(errors.MixedLibraryError, match=r"at args\[0\]\['w'\] and .*\['y'\]"):
        ag.grad(lambda p, y: squares(p["w"]))({"w": x}, y=other)


def test_arrays_on_two_devices_raise_with_their_paths():
    strict = pytest.importorskip("array_api_strict")
    x, y = strict.asarray([1.0]), strict.asarray([1.0], device=strict.Device("device1"))
    with pytest.raises(errors.DeviceError, match=r"args\[0\] on .*CPU.* and args\[1\]\['y'\] on"):
        ag.grad(lambda x, p: squares(x))(x, {"y": y})
    with pytest.raises(errors.DeviceError, match=r"xs\[0\] on .*CPU.* and xs\[1\] on"):
        ag.execute_with_gradients(lambda xs: squares(xs[0]), [x, y])


def test_forcing_an_autodiff_on_arrays_of_another_library_raises(backend):
    for name in ("jax", "torch"):
        if name != backend.library:
            pytest.importorskip(name)
            with pytest.raises(errors.MixedLibraryError, match="differentiates its own arrays"):
                ag.grad(squares, autodiff=name)(backend.asarray([1.0]))


# --- nesting --------------------------------------------------------------------------------------


def test_three_orders_of_derivatives(backend, autodiff):
    x = backend.asarray(2.0)
    f = lambda x: x**5
    for expected in (80.0, 160.0, 240.0):
        f = ag.grad(f, autodiff=autodiff)
        check(backend, f(x), expected)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        # each inner derivative is with respect to its own variable only
        (lambda x, grad, one: x * grad(lambda y: x + y)(one), 1.0),
        (lambda x, grad, one: x * grad(lambda y: x * y)(one), 6.0),
        (lambda x, grad, one: x * grad(lambda y: x * y)(x), 6.0),
        (lambda x, grad, one: grad(lambda y: x * y * y)(x), 12.0),
        (lambda x, grad, one: x * grad(lambda y: grad(lambda z: x * y * z)(y))(x), 6.0),
    ],
)
def test_perturbations_are_not_confused(backend, autodiff, f, expected):
    one = backend.asarray(1.0)
    inner = lambda g: ag.grad(g, autodiff=autodiff)
    outer = ag.grad(lambda x, one: f(x, inner, one), autodiff=autodiff)
    check(backend, outer(backend.asarray(3.0), one), expected)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x, rate: x * rate(lambda y: x * y), 6.0),
        (lambda x, rate: rate(lambda y: x + y), 0.0),
    ],
)
def test_perturbations_are_not_confused_forwards(backend, f, expected):
    x, one = backend.asarray(3.0), backend.asarray(1.0)

    def outer(x, one):
        return f(x, lambda g: ag.jvp(g, (one,), (one,))[1])

    check(backend, ag.grad(outer)(x, one), expected)
    check(backend, ag.jvp(lambda x: outer(x, one), (x,), (one,))[1], expected)


def test_forward_over_reverse_and_reverse_over_forward_agree(backend):
    x, v = backend.asarray([1.0, 2.0, 3.0]), backend.asarray([0.5, -1.0, 2.0])
    f = lambda x: total(x**3) * total(x)
    over_reverse = ag.jvp(ag.grad(f), (x,), (v,))[1]
    over_forward = ag.grad(lambda x, v: ag.jvp(f, (x,), (v,))[1])(x, v)
    values, direction = np.asarray([1.0, 2.0, 3.0]), np.asarray([0.5, -1.0, 2.0])
    slope = 3 * values**2
    expected = 6 * values * direction * values.sum()
    expected += slope * direction.sum() + slope @ direction
    check(backend, over_reverse, expected)
    check(backend, over_forward, expected)
    check(backend, ag.hvp(f, (x,), (v,))[0], expected)


def test_a_pullback_can_be_differentiated(backend):
    x, c = backend.asarray([1.0, 2.0]), backend.asarray([3.0, 4.0])
    f = lambda x: x**3
    _, pullback = ag.vjp(f, x)
    check(backend, ag.grad(lambda c: squares(pullback(c)[0]))(c), [54.0, 1152.0])
    both = lambda x, c: total(ag.vjp(f, x)[1](c)[0])
    check(backend, ag.grad(both)(x, c), [18.0, 48.0])


def test_derivatives_with_respect_to_a_tangent(backend):
    x, v = backend.asarray([1.0, 2.0]), backend.asarray([3.0, 4.0])
    f = lambda v, x: squares(ag.jvp(lambda x: x**3, (x,), (v,))[1])
    check(backend, ag.grad(f)(v, x), [54.0, 1152.0])


def test_a_gradient_inside_takes_raw_constants(backend, autodiff):
    x, data = backend.asarray(2.0), backend.asarray([1.0, 2.0])
    inner = lambda a, data: total(a**3 * data)
    outer = lambda x, data: ag.grad(inner, autodiff=autodiff)(x, data)
    check(backend, ag.grad(outer, autodiff=autodiff)(x, data), 36.0)


def test_an_error_inside_leaves_nothing_behind(backend, autodiff):
    x = backend.asarray(2.0)

    def fail(x):
        raise KeyError

    with pytest.raises(KeyError):
        ag.grad(lambda x: x * ag.grad(fail, autodiff=autodiff)(x), autodiff=autodiff)(x)
    with pytest.raises(KeyError):
        ag.jvp(fail, (x,), (x,))
    check(backend, ag.grad(ag.grad(lambda x: x**3, autodiff=autodiff))(x), 12.0)


# --- products -------------------------------------------------------------------------------------


def test_a_pullback_returns_a_tuple_and_can_be_called_again(backend):
    a, b = backend.asarray([1.0, 2.0]), backend.asarray([3.0, 4.0])
    y, pullback = ag.vjp(lambda a, b: {"p": a * b["x"], "s": [total(a)]}, a, {"x": b})
    check(backend, y["p"], [3.0, 8.0])
    for scale in (1.0, 2.0):
        cotangent = {"p": backend.asarray([scale, 0.0]), "s": [backend.asarray(10.0)]}
        first, second = pullback(cotangent)
        check(backend, first, [10.0 + 3.0 * scale, 10.0])
        check(backend, second["x"], [scale, 0.0])
    y, pullback = ag.vjp(lambda a: a * 2, a)
    (only,) = pullback(a)
    check(backend, only, [2.0, 4.0])


def test_an_array_serves_all_outputs_below_it(backend):
    a, g = backend.asarray([1.0, 2.0]), backend.asarray([1.0, 10.0])
    _, pullback = ag.vjp(lambda a: [a * 2, (a * 3,)], a)
    check(backend, pullback(g)[0], [5.0, 50.0])


def test_cotangents_are_cast_to_the_dtype_of_the_output(backend):
    a = backend.asarray([1.0, 2.0], dtype="float32")
    _, pullback = ag.vjp(lambda a: a * 2, a)
    (found,) = pullback(backend.asarray([1, 3], dtype="int64"))
    assert found.dtype == a.dtype
    check(backend, found, [2.0, 6.0], rtol=1e-6)
    _, pullback = ag.vjp(total, a)
    check(backend, pullback(2)[0], [2.0, 2.0])


def test_cotangents_that_do_not_fit_raise(backend):
    a = backend.asarray([1.0, 2.0])
    _, pullback = ag.vjp(lambda a: {"y": a}, a)
    with pytest.raises(errors.ShapeError, match=r"`cotangent` at \['y'\] must have shape \(2,\)"):
        pullback({"y": backend.asarray([1.0])})
    with pytest.raises(errors.StructureError, match="`cotangent` and `the output of f`"):
        pullback({"z": a})
    with pytest.raises(errors.DtypeError, match="must be real"):
        pullback({"y": backend.asarray([1.0, 1.0j], dtype="complex128")})
    with pytest.raises(errors.DtypeError, match="must be an array"):
        pullback({"y": "text"})
    with pytest.raises(errors.ShapeError, match="a Python number"):
        pullback({"y": 1.0})


def test_pulling_back_through_a_complex_factor_conjugates_it(backend):
    z = backend.asarray([1.0 + 1.0j, 2.0], dtype="complex128")
    cotangent = backend.asarray([1.0, 1.0j], dtype="complex128")
    _, pullback = ag.vjp(lambda z: (2.0 + 3.0j) * z, z)
    check(backend, pullback(cotangent)[0], [2.0 - 3.0j, 3.0 + 2.0j])
    tangent = ag.jvp(lambda z: (2.0 + 3.0j) * z, (z,), (cotangent,))
    check(backend, tangent[1], [2.0 + 3.0j, -3.0 + 2.0j])


def test_outputs_that_have_no_derivative_raise(backend):
    a = backend.asarray([1.0, 2.0])
    for f in (lambda a: {"n": 3, "y": a}, lambda a: {"n": a > 1.0, "y": a}):
        with pytest.raises(errors.DtypeError, match=r"f\(\.\.\.\)\['n'\] must be a floating array"):
            ag.vjp(f, a)
        with pytest.raises(errors.DtypeError, match=r"f\(\.\.\.\)\['n'\] must be a floating array"):
            ag.jvp(f, (a,), (a,))


def test_auxiliary_data_of_a_product(backend):
    a = backend.asarray([1.0, 2.0])
    y, pullback, aux = ag.vjp(lambda a: (a * 2, {"n": 3, "a": a}), a, has_aux=True)
    check(backend, y, [2.0, 4.0])
    check(backend, aux["a"], [1.0, 2.0])
    assert aux["n"] == 3
    check(backend, pullback(a)[0], [2.0, 4.0])


def test_no_output_has_gradient_zero(backend):
    a = backend.asarray([1.0, 2.0])
    y, pullback = ag.vjp(lambda a: {}, a)
    assert y == {}
    check(backend, pullback({})[0], [0.0, 0.0])
    assert ag.jvp(lambda a: [], (a,), (a,)) == ([], [])


def test_no_input_works(backend):
    x = backend.asarray(2.0)
    y, pullback = ag.vjp(lambda: x)
    check(backend, y, 2.0)
    assert pullback(x) == ()
    y, rate = ag.jvp(lambda: x, (), ())
    check(backend, y, 2.0)
    check(backend, rate, 0.0)


def test_a_rate_of_change_along_trees(backend):
    x, n = {"a": backend.asarray([1.0, 2.0]), "k": 2}, backend.asarray(3.0)
    y, rate = ag.jvp(
        lambda p, n: [p["a"] ** p["k"] * n, n],
        (x, n),
        ({"a": backend.asarray([1.0, 0.0]), "k": None}, backend.asarray(1.0)),
    )
    check(backend, y[0], [3.0, 12.0])
    check(backend, rate[0], [7.0, 4.0])
    check(backend, rate[1], 1.0)


def test_a_constant_does_not_change(backend):
    x, y = backend.asarray([1.0, 2.0]), backend.asarray([3.0])
    f = lambda x, y: (array_namespace(x).zeros_like(x), x)
    check(backend, ag.jvp(f, (x, y), (x, y))[1][0], [0.0, 0.0])


def test_tangents_that_do_not_fit_raise(backend):
    x = backend.asarray([1.0, 2.0])
    with pytest.raises(
        errors.ShapeError, match=r"`tangents` at \[0\]\['a'\] must have shape \(2,\)"
    ):
        ag.jvp(lambda p: p["a"], ({"a": x},), ({"a": backend.asarray(1.0)},))
    with pytest.raises(errors.StructureError, match="`tangents` and `primals`"):
        ag.jvp(lambda x: x, (x,), (x, x))
    with pytest.raises(errors.StructureError, match="`primals` must be a tuple"):
        ag.jvp(lambda x: x, x, (x,))
    with pytest.raises(errors.StructureError, match="`tangents` must be a tuple"):
        ag.jvp(lambda x: x, (x,), x)


def test_the_product_with_the_hessian_has_the_structure_of_the_primals(backend):
    x, y = backend.asarray([1.0, 2.0]), backend.asarray(3.0)
    found = ag.hvp(
        lambda p, y: total(p["x"] ** 2 * y), ({"x": x}, y), ({"x": x}, backend.asarray(1.0))
    )
    check(backend, found[0]["x"], [8.0, 16.0])  # 2 y v + 2 x
    check(backend, found[1], 10.0)  # Σ 2 x v


# --- Jacobians ------------------------------------------------------------------------------------

MODES = ["auto", "forward", "reverse"]


@pytest.mark.parametrize("mode", MODES)
def test_blocks_have_the_output_outside_and_the_input_inside(backend, autodiff, mode):
    x, y = backend.asarray([1.0, 2.0, 3.0]), backend.asarray([[4.0], [5.0]])

    def f(p):
        return {"u": p["y"] * p["x"], "v": [total(p["x"])]}

    found = ag.jac(f, mode=mode, autodiff=autodiff)({"x": x, "y": y})
    values, others = np.asarray([1.0, 2.0, 3.0]), np.asarray([4.0, 5.0])
    check(backend, found["u"]["x"], np.einsum("i,jk->ijk", others, np.eye(3)))
    check(backend, found["u"]["y"], np.einsum("j,ik->ijk", values, np.eye(2))[..., None])
    check(backend, found["v"][0]["x"], np.ones(3))
    check(backend, found["v"][0]["y"], np.zeros((2, 1)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("inside", "outside"), [((), ()), ((2, 3), ()), ((), (4,)), ((0,), (2,))])
def test_the_shape_is_that_of_the_output_then_the_input(backend, autodiff, mode, inside, outside):
    x = backend.asarray(np.ones(inside))

    def f(x):
        xp = array_namespace(x)
        return xp.broadcast_to(total(x) ** 2, outside)

    found = ag.jac(f, mode=mode, autodiff=autodiff)(x)
    check(backend, found, np.full(outside + inside, 2.0 * max(np.prod(inside), 1)))


@pytest.mark.parametrize("mode", MODES)
def test_empty_outputs_have_empty_jacobians(backend, autodiff, mode):
    found = ag.jac(lambda x: x[:0], mode=mode, autodiff=autodiff)(backend.asarray([1.0, 2.0]))
    check(backend, found, np.zeros((0, 2)))


def test_a_jacobian_runs_the_function_once_in_reverse(backend, autodiff):
    runs = []

    def f(x):
        runs.append(x)
        return x * 2

    ag.jac(f, mode="reverse", autodiff=autodiff)(backend.asarray([1.0, 2.0, 3.0]))
    assert len(runs) == 1
    ag.jac(lambda x: total(f(x)), autodiff=autodiff)(backend.asarray([1.0, 2.0, 3.0]))
    assert len(runs) == 2


def test_a_sequence_of_argnums_puts_a_tuple_between(backend, autodiff):
    x, y = backend.asarray([1.0, 2.0]), backend.asarray(3.0)
    found = ag.jac(lambda x, y: [x * y], (1, 0), autodiff=autodiff)(x, y)
    assert isinstance(found, list)
    assert isinstance(found[0], tuple)
    check(backend, found[0][0], [1.0, 2.0])
    check(backend, found[0][1], [[3.0, 0.0], [0.0, 3.0]])


@pytest.mark.parametrize("mode", MODES)
def test_auxiliary_data_of_a_jacobian(backend, autodiff, mode):
    f = lambda x: (x * 2, {"x": x, "n": 1})
    found, aux = ag.jac(f, mode=mode, has_aux=True, autodiff=autodiff)(backend.asarray([1.0, 2.0]))
    check(backend, found, [[2.0, 0.0], [0.0, 2.0]])
    check(backend, aux["x"], [1.0, 2.0])
    assert aux["n"] == 1


def test_a_jacobian_of_a_jacobian(backend, autodiff):
    x = backend.asarray([1.0, 2.0])
    f = ag.jac(lambda x: x**3, autodiff=autodiff)
    found = ag.jac(f, autodiff=autodiff)(x)
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0], expected[1, 1, 1] = 6.0, 12.0
    check(backend, found, expected)


def test_jacobians_are_real(backend):
    z = backend.asarray([1.0j], dtype="complex128")
    with pytest.raises(errors.DtypeError, match=r"real arrays only, got .* at args\[0\]\['z'\]"):
        ag.jac(lambda p: p["z"])({"z": z})
    with pytest.raises(errors.DtypeError, match=r"real arrays only, got .* at f\(\.\.\.\)\[1\]"):
        ag.jac(lambda x: [x, x * 1j])(backend.asarray([1.0]))


def test_a_hessian_of_trees(backend, autodiff):
    x, y = backend.asarray([1.0, 2.0]), backend.asarray(3.0)
    found = ag.hessian(lambda p: total(p["x"] ** 2) * p["y"], autodiff=autodiff)({"x": x, "y": y})
    check(backend, found["x"]["x"], [[6.0, 0.0], [0.0, 6.0]])
    check(backend, found["x"]["y"], [2.0, 4.0])
    check(backend, found["y"]["x"], [2.0, 4.0])
    check(backend, found["y"]["y"], 0.0)


def test_a_hessian_of_two_arguments_is_a_tuple_of_tuples(backend):
    x, y = backend.asarray(2.0), backend.asarray(3.0)
    found = ag.hessian(lambda x, y: x**2 * y, (0, 1))(x, y)
    assert [len(row) for row in found] == [2, 2]
    for row, expected in zip(found, [[6.0, 4.0], [4.0, 0.0]], strict=True):
        for block, wanted in zip(row, expected, strict=True):
            check(backend, block, wanted)


# --- constants ------------------------------------------------------------------------------------


def test_no_gradient_flows_through_a_constant(backend, autodiff):
    x = backend.asarray(3.0)
    f = lambda x: x * ag.stop_gradient(x)
    check(backend, ag.grad(f, autodiff=autodiff)(x), 3.0)
    check(backend, ag.grad(ag.grad(f, autodiff=autodiff), autodiff=autodiff)(x), 0.0)


def test_a_constant_is_one_on_every_level(backend):
    x, one = backend.asarray(3.0), backend.asarray(1.0)
    both = lambda x: ag.grad(lambda y: y * ag.stop_gradient(x * y))(x)
    check(backend, ag.grad(both)(x), 0.0)
    check(backend, ag.jvp(both, (x,), (one,))[1], 0.0)
    check(backend, ag.jvp(lambda x: x + ag.stop_gradient(x * x), (x,), (one,))[1], 1.0)


def test_a_tree_of_constants_has_the_same_values(backend):
    tree = ag.Container(a=backend.asarray([1, 2], dtype="int64"), b=[backend.asarray(3.0), "x", 4])
    found = ag.stop_gradient(tree, preserve_type=False)
    assert isinstance(found, ag.Container)
    check(backend, found.a, [1, 2])
    check(backend, found.b[0], 3.0)
    assert found.b[1:] == ["x", 4]


def test_constants_are_written_to_out(backend):
    x, out = backend.asarray([1.0, 2.0]), backend.asarray([0.0, 0.0])
    if not backend.mutable:
        with pytest.raises(errors.OutError, match="read-only"):
            ag.stop_gradient(x, out=out)
        return
    assert ag.stop_gradient(x, out=out) is out
    check(backend, out, [1.0, 2.0])
    tree = {"x": x}
    assert ag.stop_gradient(tree, out=tree) is tree
    check(backend, x, [1.0, 2.0])


# --- properties -----------------------------------------------------------------------------------

trees = st.recursive(
    st.lists(st.floats(-2.0, 2.0), max_size=3).map(np.asarray),
    lambda inner: st.one_of(
        st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
        st.lists(inner, max_size=2),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None)
@given(tree=trees)
def test_any_tree_has_a_gradient_of_its_structure(backend, tree):
    arrays = map_leaves(lambda values: backend.asarray(values), tree)
    one = backend.asarray(1.0)

    def f(tree, one):
        return sum([squares(x) for x in flatten(tree)[0]], one)

    leaves, structure = flatten(ag.grad(f)(arrays, one))
    values, expected = flatten(tree)
    assert structure == expected
    for found, given_values in zip(leaves, values, strict=True):
        check(backend, found, 2 * given_values)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(0, 4), columns=st.integers(0, 4), seed=st.integers(0, 2**31))
def test_tangent_and_cotangent_meet(backend, rows, columns, seed):
    """⟨c, J v⟩ = ⟨Jᵀ c, v⟩ for any function: here a nonlinear one between any shapes."""
    random = np.random.default_rng(seed)
    x, v, w, c = (
        backend.asarray(random.standard_normal(shape))
        for shape in (columns, columns, (rows, columns), rows)
    )

    def f(x, w):
        xp = array_namespace(x)
        return xp.sin(xp.sum(w * x, axis=1)) + xp.sum(x) ** 2

    _, rate = ag.jvp(f, (x, w), (v, backend.asarray(np.zeros((rows, columns)))))
    _, pullback = ag.vjp(f, x, w)
    found = backend.to_numpy(pullback(c)[0]) @ backend.to_numpy(v)
    expected = backend.to_numpy(c) @ backend.to_numpy(rate)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
