"""Products of a complex and a real array: quick, and the same as everybody's."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff import tape
from arraygrad.testing import check_gradients
from conformance_tests import backends
from conformance_tests.case_values import complexes, in_library, reals
from conformance_tests.products import all_products, direction
from conformance_tests.ruled_calls import NUMPY
from conformance_tests.trees import assert_close, to_numpy

SHAPES = [
    ((4, 3), (4, 3)),
    ((4, 3), (3,)),
    ((3,), (4, 1)),
    ((), (3,)),
    ((2, 3), ()),
    ((0, 3), (3,)),
]
PRODUCTS = {
    "z x": lambda z, x: z * x,
    "x z": lambda z, x: x * z,
    "both used twice": lambda z, x: (x * x) * (z * x) * z,
}


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)
def test_torch_and_jax_have_the_same_derivatives(f, shapes, library):
    pytest.importorskip(library)
    args = (np.asarray(complexes(*shapes[0])), np.asarray(reals(*shapes[1], seed=1)))
    t, backend = direction(args), backends.load(library)
    theirs = all_products(f, in_library(backend.xp, args), library, in_library(backend.xp, t))
    ours = all_products(f, in_library(NUMPY.xp, args), "tape", in_library(NUMPY.xp, t))
    assert_close(ours, to_numpy(backend, theirs), 1e-12)


@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)
def test_finite_differences_agree_where_one_of_them_is_constant(f):
    z, x = complexes(4, 3), reals(3, seed=1)
    check_gradients(lambda z: f(z, x), z)
    check_gradients(lambda x: f(ag.stop_gradient(z * (x[0] * 0 + 1)), x), x)


@pytest.mark.parametrize("real", ["float32", "float64"])
@pytest.mark.parametrize("complex_", ["complex64", "complex128"])
def test_dtypes_are_the_librarys_and_gradients_those_of_the_operands(complex_, real):
    z, x = complexes(3).astype(complex_), reals(3, seed=1).astype(real)
    y, pullback = ag.vjp(lambda z, x: z * x, z, x)
    assert y.dtype == (z * x).dtype
    g_z, g_x = pullback(np.ones_like(y))
    assert g_z.dtype == complex_
    assert g_x.dtype == real
    np.testing.assert_allclose(g_z, x, rtol=1e-6)
    np.testing.assert_allclose(g_x, z.real, rtol=1e-6)


def test_such_a_product_takes_the_quick_way():
    found = []

    def f(leaves, _):
        y = leaves[0] * leaves[1]
        found.extend(r[0] for r in y._tape.records[1:])
        return [y], []

    tape.vjp(f, [complexes(3), reals(3)], [])
    assert [type(rule).__name__ for rule in found] == ["_MixedProductRule"]


def test_levels_do_not_mix():
    z, x = complexes(3), reals(3, seed=1)

    def inner(x, z):
        return ag.grad(lambda x: np.sum((z * x * np.conj(z * x)).real))(x)

    slope = ag.grad(lambda z: np.sum(inner(x, z)).real)(z)
    np.testing.assert_allclose(slope, 4 * z * x, rtol=1e-12)


def test_zero_cotangents_win_over_operands_that_are_not_finite():
    z = np.asarray([1 + 1j, np.inf + 0j, 2j])
    x = np.asarray([2.0, 0.5, np.inf])

    def f(z, x):
        y = z * x
        return np.sum((y[:1] * np.conj(y[:1])).real)

    with np.errstate(all="ignore"):
        g_z, g_x = ag.grad(f, argnums=(0, 1))(z, x)
    np.testing.assert_allclose(g_z, [8 + 8j, 0, 0])
    np.testing.assert_allclose(g_x, [8, 0, 0])
