"""`vjp`, `jvp` and `hvp`: products with a derivative."""

import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from conformance_tests.operator_checks import check, total


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
