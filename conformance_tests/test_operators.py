"""Constants, and what holds for all operators on any tree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from arraygrad._tree import flatten, map_leaves
from conformance_tests.operator_checks import Pair, check, squares


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
