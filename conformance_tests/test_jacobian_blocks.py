"""Jacobians in blocks of many rows or columns: what a loop over them gives."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._namespace import array_namespace
from arraygrad.autodiff import autodiff_named
from arraygrad.operators import _directions, jacobians
from conformance_tests.products import compiled
from conformance_tests.trees import assert_close, to_numpy

MODES = ("forward", "reverse")


def mixed(x):
    """Mix all elements of a vector."""
    xp = array_namespace(x)
    y = xp.sin(x) * xp.sum(x * x)
    return y + xp.cumulative_sum(xp.exp(-x))


def vector(backend, count):
    """Return a vector of a backend."""
    return backend.asarray(np.linspace(-1.0, 1.5, count))


@pytest.fixture
def by_loop(monkeypatch):
    """Return a function that evaluates with a loop over the rows."""

    def evaluate(f, *args):
        plain = _directions.images
        with monkeypatch.context() as patch:
            alone = lambda xp, _, *rest: plain(xp, SimpleNamespace(), *rest)
            patch.setattr(jacobians, "images", alone)
            return f(*args)

    return evaluate


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 2, 5, 9, 11])
def test_blocks_give_what_a_loop_gives(backend, autodiff, mode, count, by_loop, monkeypatch):
    monkeypatch.setattr(_directions, "BLOCK", 4)
    # Two functions, not one that jit would know again: the patches hold while they are traced.
    blocks, loop = (
        compiled(backend.library, ag.jac(mixed, mode=mode, autodiff=autodiff)) for _ in range(2)
    )
    x = vector(backend, count)
    found, expected = to_numpy(backend, blocks(x)), to_numpy(backend, by_loop(loop, x))
    assert_close(found, expected, 1e-14)


def test_hessian_in_blocks_is_that_of_a_loop(backend, autodiff, by_loop):
    hessian = ag.hessian(lambda x: array_namespace(x).sum(mixed(x) ** 2), autodiff=autodiff)
    x = vector(backend, 6)
    assert_close(to_numpy(backend, hessian(x)), to_numpy(backend, by_loop(hessian, x)), 1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_trees_empty_arrays_and_outputs_that_do_not_depend(backend, autodiff, mode, by_loop):
    def f(tree):
        xp = array_namespace(tree["a"])
        a, b = tree["a"], tree["b"]
        return {"ab": xp.sum(a) * b, "a": a * a, "none": xp.ones_like(b), "empty": a[:0]}

    tree = {"a": vector(backend, 3), "b": backend.asarray([[1.0, 2.0]]), "e": vector(backend, 0)}
    jacobian = ag.jac(f, mode=mode, autodiff=autodiff)
    found = jacobian(tree)
    assert tuple(found["ab"]["a"].shape) == (1, 2, 3)
    assert tuple(found["empty"]["b"].shape) == (0, 1, 2)
    assert tuple(found["a"]["e"].shape) == (3, 0)
    assert_close(to_numpy(backend, found), to_numpy(backend, by_loop(jacobian, tree)), 1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_aux_and_outputs_are_those_of_the_call(backend, autodiff, mode):
    f = lambda x: (mixed(x), {"twice": 2 * x, "note": "text"})
    x = vector(backend, 4)
    jacobian, aux = ag.jac(f, mode=mode, has_aux=True, autodiff=autodiff)(x)
    assert tuple(jacobian.shape) == (4, 4)
    assert aux["note"] == "text"
    np.testing.assert_array_equal(backend.to_numpy(aux["twice"]), 2 * backend.to_numpy(x))


@pytest.mark.parametrize("mode", MODES)
def test_a_branch_on_values_is_taken_once_for_all(backend, autodiff, mode):
    def f(x):
        y = x * x
        return mixed(y) if bool(y[0] > 0.5) else y

    x = vector(backend, 4)
    found = ag.jac(f, mode=mode, autodiff=autodiff)(x)
    expected = ag.jac(lambda x: mixed(x * x), mode=mode, autodiff=autodiff)(x)
    assert_close(to_numpy(backend, found), to_numpy(backend, expected), 1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_a_jacobian_can_be_differentiated(backend, autodiff, mode):
    def f(x):
        xp = array_namespace(x)
        return xp.sum(ag.jac(lambda y: y**3, mode=mode, autodiff=autodiff)(x))

    x = vector(backend, 3)
    found = ag.grad(f, autodiff=autodiff)(x)
    np.testing.assert_allclose(backend.to_numpy(found), 6 * backend.to_numpy(x), rtol=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_functions_with_their_own_gradient_go_in_blocks(backend, autodiff, mode):
    tripled = ag.custom_gradient(lambda x: (x * 1.0, lambda g: (3 * g,)))
    f = ag.checkpoint(lambda x: mixed(tripled(x)))
    x = vector(backend, 5)
    found = ag.jac(f, mode=mode, autodiff=autodiff)(x)
    plain = ag.jac(mixed, autodiff=autodiff)(x)
    np.testing.assert_allclose(backend.to_numpy(found), 3 * backend.to_numpy(plain), rtol=1e-13)


def test_an_autodiff_with_vmap_needs_few_passes(backend):
    """One pass for the first row, one for the rest."""
    if not hasattr(autodiff_named(backend.autodiff), "vmap"):
        return
    runs = []

    def f(x):
        runs.append(math.prod(x.shape))
        return mixed(x)

    ag.jac(f, mode="forward")(vector(backend, 40))
    assert len(runs) == 2
