"""`jac` and `hessian`: derivatives as arrays."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from conformance_tests.operator_checks import check, total

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
