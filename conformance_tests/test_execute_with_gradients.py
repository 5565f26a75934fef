"""`execute_with_gradients`: what is chosen, what the gradients look like, on every library."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from conformance_tests.operator_checks import Pair, check, squares, total

execute = ag.execute_with_gradients


# --- the structure of the gradients ---------------------------------------------------------------


def test_one_array_in_and_out_adds_no_level(backend):
    ret, grads = execute(squares, backend.asarray([1.0, 2.0]))
    check(backend, ret, 5.0)
    check(backend, grads, [2.0, 4.0])


def test_gradients_mirror_the_return_outside_and_the_inputs_inside(backend):
    xs = ag.Container(a=backend.asarray([1.0, 2.0]), b={"c": backend.asarray(3.0)})
    ret, grads = execute(
        lambda xs: {"u": squares(xs.a), "v": [xs.b["c"] * total(xs.a)]},
        xs,
    )
    check(backend, ret["u"], 5.0)
    check(backend, ret["v"][0], 9.0)
    assert isinstance(grads["u"], ag.Container)
    check(backend, grads["u"].a, [2.0, 4.0])
    check(backend, grads["u"].b["c"], 0.0)
    check(backend, grads["v"][0].a, [3.0, 3.0])
    check(backend, grads["v"][0].b["c"], 3.0)


@pytest.mark.parametrize("kind", [list, tuple])
def test_by_default_the_first_entry_of_a_sequence_is_chosen(backend, kind):
    xs = kind([backend.asarray(2.0), backend.asarray(3.0)])
    ret, grads = execute(lambda xs: kind([xs[0] * xs[1], xs[1]]), xs)
    check(backend, ret[1], 3.0)
    assert type(grads) is type(grads[0]) is kind
    assert grads[1] is None
    check(backend, grads[0][0], 3.0)
    assert grads[0][1] is None


def test_none_chooses_everything(backend):
    xs = [backend.asarray(2.0), {"k": backend.asarray(3.0)}]
    f = lambda xs: (xs[0] * xs[1]["k"], xs[0])
    _, grads = execute(f, xs, xs_grad_idxs=None, ret_grad_idxs=None)
    check(backend, grads[0][0], 3.0)
    check(backend, grads[0][1]["k"], 2.0)
    check(backend, grads[1][0], 1.0)
    check(backend, grads[1][1]["k"], 0.0)


def test_paths_choose_inputs_and_outputs(backend):
    xs = {"a": [backend.asarray(2.0), backend.asarray(3.0)], "b": backend.asarray(4.0)}
    f = lambda xs: {"u": xs["a"][0] * xs["a"][1] * xs["b"], "v": xs["b"]}
    _, grads = execute(f, xs, xs_grad_idxs=[["a", 1], ["b"]], ret_grad_idxs=[["u"]])
    assert grads["v"] is None
    assert grads["u"]["a"][0] is None
    check(backend, grads["u"]["a"][1], 8.0)
    check(backend, grads["u"]["b"], 6.0)


def test_a_path_chooses_all_below_it(backend):
    xs = {"a": [backend.asarray(2.0), backend.asarray(3.0)], "b": backend.asarray(4.0)}
    _, grads = execute(lambda xs: xs["a"][0] * xs["a"][1] * xs["b"], xs, xs_grad_idxs=[["a"]])
    check(backend, grads["a"][0], 12.0)
    check(backend, grads["a"][1], 8.0)
    assert grads["b"] is None


def test_namedtuples_are_sequences(backend):
    xs = Pair(backend.asarray(2.0), backend.asarray(3.0))
    _, grads = execute(lambda xs: Pair(xs.left * xs.right, xs.left), xs)
    assert isinstance(grads, Pair)
    check(backend, grads.left.left, 3.0)
    assert grads.left.right is grads.right is None


@pytest.mark.parametrize("argument", ["xs_grad_idxs", "ret_grad_idxs"])
def test_a_path_to_nothing_raises(backend, argument):
    xs = {"a": backend.asarray(2.0)}
    with pytest.raises(errors.StructureError, match=rf"`{argument}` asks for \['b'\]\[1\]"):
        execute(lambda xs: xs, xs, **{argument: [["b", 1]]})


# --- what is passed on ----------------------------------------------------------------------------


def test_other_returns_are_passed_on(backend):
    marker = object()
    x = backend.asarray([1.0, 2.0])
    ret, grads = execute(
        lambda x: {"loss": squares(x), "n": 3, "any": marker, "none": None}, x, ret_grad_idxs=None
    )
    assert ret["n"] == 3
    assert ret["any"] is marker
    check(backend, grads.pop("loss"), [2.0, 4.0])
    assert grads == {"n": None, "any": None, "none": None}


def test_unchosen_returns_may_be_any_array(backend):
    x = backend.asarray([1.0, 2.0])
    ret, grads = execute(lambda x: (squares(x), x * 2, x > 1.0), x)
    check(backend, ret[1], [2.0, 4.0])
    assert backend.to_numpy(ret[2]).tolist() == [False, True]
    check(backend, grads[0], [2.0, 4.0])
    assert grads[1:] == (None, None)


def test_other_inputs_are_passed_on(backend):
    marker = object()
    xs = {"w": backend.asarray([1.0, 2.0]), "power": 3, "scale": 0.5, "any": marker}

    def f(xs):
        assert xs["any"] is marker
        assert type(xs["scale"]) is float
        return total(xs["w"] ** xs["power"]) * xs["scale"]

    _, grads = execute(f, xs)
    check(backend, grads.pop("w"), [1.5, 6.0])
    assert grads == {"power": None, "scale": None, "any": None}


def test_unchosen_inputs_are_constants_of_their_own_dtype(backend):
    xs = [backend.asarray([1.0, 2.0, 3.0]), backend.asarray([2, 0], dtype="int64")]

    def f(xs):
        assert xs[1].dtype == backend.dtype("int64")
        return squares(array_namespace(xs[0]).take(xs[0], xs[1], axis=0))

    _, grads = execute(f, xs)
    check(backend, grads[0], [2.0, 0.0, 6.0])
    assert grads[1] is None


def test_the_inputs_are_left_alone(backend):
    xs = {"a": backend.asarray([1, 2], dtype="int32")}
    before = dict(xs)
    execute(lambda xs: total(xs["a"]), xs)
    assert xs["a"] is before["a"]
    assert xs["a"].dtype == backend.dtype("int32")


# --- integers, ties, constants --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers_are_promoted_to_the_default_float(backend, dtype):
    default = backend.xp.asarray(0.0).dtype
    ret, grads = execute(
        lambda x: array_namespace(x).mean(x * x), backend.asarray([[1, 4, 6], [2, 6, 9]], dtype)
    )
    assert ret.dtype == grads.dtype == default
    check(backend, ret, 29.0, rtol=1e-6)
    check(backend, grads, np.asarray([[1, 4, 6], [2, 6, 9]]) / 3, rtol=1e-6)


def test_bools_raise_with_their_path(backend):
    with pytest.raises(errors.DtypeError, match=r"xs\['on'\] has dtype .*bool"):
        execute(lambda xs: total(xs["on"]), {"on": backend.asarray([True], dtype=None)})


def test_one_array_twice_is_one_variable_and_has_the_total_derivative(backend):
    x = backend.asarray(3.0)
    seen = []

    def f(xs):
        seen.append(xs.a is xs.b)
        return xs.a * xs.a * xs.b

    _, grads = execute(f, ag.Container(a=x, b=x))
    assert seen == [True]
    check(backend, grads.a, 27.0)
    check(backend, grads.b, 27.0)
    assert grads.a is not grads.b


def test_a_constant_output_has_gradient_zero(backend):
    x = backend.asarray([1.0, 2.0])
    _, grads = execute(lambda x: (total(array_namespace(x).ones_like(x)), 1), x)
    check(backend, grads[0], [0.0, 0.0])


def test_empty_inputs_and_outputs_work(backend):
    assert execute(lambda xs: [], [])[1] == []
    x = backend.asarray(1.0)
    ret, grads = execute(lambda xs: {}, {"a": x})
    assert ret == grads == {}
    ret, grads = execute(lambda xs: x, {})
    check(backend, ret, 1.0)
    assert grads == {}


@pytest.mark.parametrize(
    ("f", "named"),
    [
        (lambda x: x, r"func\(xs\) must be"),
        (lambda x: {"a": total(x), "b": [x]}, r"func\(xs\)\['b'\]\[0\] must be"),
        (lambda x: total(x) * 1j, r"func\(xs\) must be"),
        (lambda x: total(x) > 1.0, r"func\(xs\) must be"),
        (lambda x: 3.0, "func must return an array"),
    ],
)
def test_an_output_that_is_no_real_scalar_raises(backend, f, named):
    with pytest.raises(errors.NotScalarError, match=named):
        execute(f, backend.asarray([1.0]))


def test_arrays_of_two_libraries_raise_with_their_paths(backend):
    if backend.library == "numpy":
        other = pytest.importorskip("array_api_strict").asarray([1.0])
    else:
        other = np.asarray([1.0])
    xs = {"a": backend.asarray([1.0]), "b": other}
    with pytest.raises(errors.MixedLibraryError, match=r"at xs\['a'\] and .* at xs\['b'\]"):
        execute(lambda xs: total(xs["a"]), xs)


# --- nesting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("retain_grads", [False, True])
def test_gradients_can_be_differentiated(backend, retain_grads):
    x = backend.asarray([2.0, 3.0])

    def slope(x):
        _, grads = execute(lambda x: total(x**3), x, retain_grads=retain_grads)
        return total(grads)

    ret, grads = execute(slope, x)
    check(backend, ret, 39.0)
    check(backend, grads, [12.0, 18.0])
    check(backend, ag.grad(slope)(x), [12.0, 18.0])
    check(backend, ag.jvp(slope, (x,), (x,))[1], 78.0)


@pytest.mark.parametrize("indices", [0, [0], "a"])
def test_indices_that_are_no_paths_raise(backend, indices):
    with pytest.raises(errors.StructureError, match="`xs_grad_idxs` must be a sequence of paths"):
        ag.execute_with_gradients(lambda x: x, backend.asarray(1.0), xs_grad_idxs=indices)
