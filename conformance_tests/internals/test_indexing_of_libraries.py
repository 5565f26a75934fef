"""Every library adds duplicates up, and sets where the standard cannot."""

import numpy as np
import pytest

from arraygrad.libraries.generic import GENERIC
from arraygrad.libraries.indexing import broadcast_mask, getitem, is_basic, is_mask
from arraygrad.rules.primitives import scatter_add, set_at, unbroadcast
from conformance_tests.case_values import complexes, in_library, integers, reals
from conformance_tests.internals.rule_calls import LIBRARIES, as_numpy, library_named
from conformance_tests.rule_cases import BEYOND_STANDARD, INDEXING

KEYS = [call.args for call in INDEXING["getitem"] if not call.refused_by]
MORE_KEYS = [call.args for call in BEYOND_STANDARD["getitem"]]
WRITABLE = [(x, k) for x, k in KEYS if not (isinstance(k, tuple) and any(p is None for p in k))]


@pytest.fixture(params=["numpy", "generic", *LIBRARIES])
def library(request):
    """Give a library; `generic` is NumPy with nothing but the standard's answers."""
    if request.param not in ("numpy", "generic"):
        return library_named(request.param)
    found = library_named("numpy")
    if request.param == "generic":
        found.xp = type("generic", (), {"__arraygrad_library__": GENERIC, **vars(found.xp)})
    return found


def added(x, key, values):
    """Return what NumPy's own unbuffered addition gives."""
    y = x.copy()
    np.add.at(y, key, values)
    return y


def call(function, library, x, key, values):
    """Call a primitive with arrays of the library, and return NumPy's."""
    given = in_library(library.xp, (x, key, values), library.device)
    found = function(library.xp, *given)
    np.testing.assert_array_equal(as_numpy(given[0]), x)  # the operand is as it was
    return as_numpy(found)


@pytest.mark.parametrize(("x", "key"), KEYS, ids=str)
def test_scatter_add_is_the_transpose_of_indexing(library, x, key):
    values = complexes(*x[key].shape) if x.dtype.kind == "c" else reals(*x[key].shape)
    found = call(scatter_add, library, x, key, values)
    np.testing.assert_allclose(found, added(x, key, values), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_many_duplicates_add_up_accurately(library, dtype):
    key, values = integers(5000, high=7), reals(5000).astype(dtype)
    found = call(scatter_add, library, np.zeros(10, dtype=dtype), key, values)
    exact = added(np.zeros(10, dtype=np.complex128), key, values.astype(np.complex128))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, exact, rtol=100 * np.finfo(dtype).eps, atol=1e-4)


def test_not_a_number_spoils_its_own_place_only(library):
    values = np.asarray([1.0, np.nan, np.inf, 2.0])
    found = call(scatter_add, library, np.zeros(4), np.asarray([0, 2, 3, 0]), values)
    np.testing.assert_array_equal(found, [3, 0, np.nan, np.inf])


def test_values_broadcast(library):
    x, key = np.zeros((3, 4)), (np.asarray([[0], [2]]), np.asarray([1, 1, 3]))
    for values in (reals(3), reals(2, 1), reals(1, 1)):
        np.testing.assert_allclose(
            call(scatter_add, library, x, key, values), added(x, key, values)
        )


@pytest.mark.parametrize(("x", "key"), WRITABLE, ids=str)
def test_set_at_writes_where_indexing_reads(library, x, key):
    values = np.full(x[key].shape, 5.0, dtype=x.dtype)
    expected = x.copy()
    expected[key] = values
    np.testing.assert_array_equal(call(set_at, library, x, key, values), expected)


def test_set_at_takes_numbers(library):
    x = reals(3, 4)
    found = call(set_at, library, x, (np.asarray([0, 2]), np.asarray([1, 3])), 7)
    x[[0, 2], [1, 3]] = 7
    np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize("name", ["array_api_strict", "generic"])
def test_the_last_of_several_values_for_one_place_is_kept_by_sorting(name):
    space = library_named("numpy" if name == "generic" else name).xp
    given = in_library(space, (np.zeros(3), np.asarray([1, 2, 1]), np.asarray([5.0, 6.0, 7.0])))
    np.testing.assert_array_equal(as_numpy(GENERIC.set_at(space, *given)), [0, 7, 6])


def test_memory_order_does_not_matter():
    x = np.asfortranarray(reals(3, 4))
    key = (np.asarray([0, 0]), np.asarray([1, 1]))
    found = scatter_add(library_named("numpy").xp, x, key, np.ones(2))
    np.testing.assert_array_equal(found, added(x, key, 1.0))


@pytest.mark.parametrize(("x", "key"), MORE_KEYS, ids=str)
@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
def test_keys_beyond_the_standard_add_up_too(name, x, key):
    values = reals(*x[key].shape)
    found = call(scatter_add, library_named(name), x, key, values)
    np.testing.assert_allclose(found, added(x, key, values), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_getitem_takes_along_an_axis_where_indexing_may_not(library, axis):
    x, indices = reals(2, 3, 4), integers(2, 5, high=2)
    key = (*(slice(None),) * axis, indices)
    given = in_library(library.xp, (x, key), library.device)
    np.testing.assert_array_equal(as_numpy(getitem(library.xp, *given)), x[key])


def test_a_mask_with_a_broadcast_value_can_be_compiled():
    jax = pytest.importorskip("jax")
    x, mask = reals(3, 4), reals(3, 4) > 0
    written = jax.jit(lambda x, mask, value: set_at(jax.numpy, x, mask, value))
    for value in (0.5, np.asarray(0.5, dtype=np.float32)):
        expected = np.where(mask, value, x)
        np.testing.assert_allclose(written(x, mask, value), expected)


def test_keys_are_told_apart():
    xp = library_named("numpy").xp
    x, mask, index = reals(3, 4), reals(3) > 0, np.asarray([1, 2])
    assert is_basic((1, slice(None), None, ...))
    assert not is_basic(index)
    assert not is_basic(True)
    assert not is_basic([1, 2])
    assert is_mask(xp, mask)
    assert not is_mask(xp, (mask,))
    assert not is_mask(xp, index)
    assert broadcast_mask(xp, x, mask, 1.0).shape == (3, 1)
    assert broadcast_mask(xp, x, mask, reals(4)).shape == (3, 1)
    assert broadcast_mask(xp, x, mask, reals(2, 4)) is None
    assert broadcast_mask(xp, x, index, 1.0) is None


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 4), (3, 1), (1, 1), (2, 3, 4), (1, 3, 1)])
def test_unbroadcast_is_the_transpose_of_broadcasting(shape):
    xp = library_named("numpy").xp
    x, g = reals(*shape), reals(2, 3, 4, seed=1)
    found = unbroadcast(xp, g, shape)
    assert found.shape == shape
    np.testing.assert_allclose(np.vdot(found, x), np.vdot(g, np.broadcast_to(x, g.shape)))


def test_unbroadcast_leaves_alone_what_has_the_shape():
    g = reals(3, 4)
    assert unbroadcast(library_named("numpy").xp, g, (3, 4)) is g
    assert unbroadcast(library_named("numpy").xp, reals(0, 4), (1, 4)).shape == (1, 4)
