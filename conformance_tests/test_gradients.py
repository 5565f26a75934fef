"""`grad` and `value_and_grad`, on every library and whoever differentiates it."""

from collections import OrderedDict

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace, device_of
from conformance_tests.operator_checks import Pair, check, squares, total
from conformance_tests.trees import map_tree


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
    assert device_of(ag.grad(squares, autodiff=autodiff)(x)) == device_of(x)


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
    assert device_of(found[0]["scale"]) == device_of(x)
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


@pytest.mark.parametrize("argnums", [(0, 2, 1, 3), (3, 1, 2, 0), (2, 0, 3)])
def test_argnums_in_any_order_choose_their_own_arguments(backend, autodiff, argnums):
    weights = [2.0, 3.0, 5.0, 7.0]
    arguments = [backend.asarray(weight) for weight in (1.0, 4.0, 6.0, 8.0)]

    def weighed(*xs):
        return sum(w * x * x for w, x in zip(weights, xs, strict=True))

    found = ag.grad(weighed, argnums, autodiff=autodiff)(*arguments)
    for n, gradient in zip(argnums, found, strict=True):
        check(backend, gradient, 2 * weights[n] * (1.0, 4.0, 6.0, 8.0)[n])


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
    gradients = ag.grad(f, 1, nonfinite="raise", autodiff=autodiff)
    with pytest.raises(errors.NonFiniteError, match=r"args\[1\]\['b'\]\[0\] holds an infinity"):
        map_tree(backend.to_numpy, gradients(0, tree))  # a lazy library knows no earlier


def test_unknown_options_raise():
    with pytest.raises(ValueError, match="`nonfinite` must be one of"):
        ag.grad(squares, nonfinite="ignore")
    with pytest.raises(ValueError, match="`mode` must be one of"):
        ag.jac(squares, mode="backward")
    with pytest.raises(ValueError, match="`autodiff` must be one of"):
        ag.grad(squares, autodiff="tensorflow")(1.0)
