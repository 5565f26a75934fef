"""`apply_updates`: parameters keep their shapes and dtypes, or a message says which does not."""

import numpy as np
import pytest

from arraygrad.errors import DtypeError, ShapeError, StructureError
from arraygrad.optimizers import apply_updates


def test_updates_are_added_in_the_dtypes_of_the_parameters(backend):
    w = {"a": backend.asarray([1.0, 2.0], "float32"), "b": backend.asarray([1.0], "float64")}
    u = {"a": backend.asarray([0.5, 0.5], "float64"), "b": backend.asarray([2.0], "float32")}
    found = apply_updates(w, u)
    assert [found[name].dtype for name in w] == [w[name].dtype for name in w]
    np.testing.assert_array_equal(backend.to_numpy(found["a"]), [1.5, 2.5])
    np.testing.assert_array_equal(backend.to_numpy(found["b"]), [3.0])


def test_real_updates_of_complex_parameters_are_added(backend):
    w = backend.asarray([1j], "complex64")
    found = apply_updates(w, backend.asarray([2.0], "float64"))
    assert found.dtype == w.dtype
    np.testing.assert_array_equal(backend.to_numpy(found), [2 + 1j])


def test_complex_updates_of_real_parameters_are_refused(backend):
    w = {"a": backend.asarray([1.0]), "b": [backend.asarray([1.0, 2.0])]}
    u = {"a": backend.asarray([1.0]), "b": [backend.asarray([1j, 2.0], "complex64")]}
    with pytest.raises(DtypeError, match=r"`updates` at \['b'\]\[0\] has dtype .*complex64"):
        apply_updates(w, u)


@pytest.mark.parametrize("shape", [(), (1,), (2, 2), (2, 1), (3,)])
def test_updates_of_another_shape_are_refused(backend, shape):
    w = {"a": backend.asarray([1.0]), "b": [backend.asarray([1.0, 2.0])]}
    u = {"a": backend.asarray([1.0]), "b": [backend.asarray(np.ones(shape))]}
    with pytest.raises(ShapeError, match=r"`updates` at \['b'\]\[0\] has shape .*, the parameter"):
        apply_updates(w, u)


def test_numbers_and_other_trees_are_refused(backend):
    w = {"a": backend.asarray([1.0])}
    with pytest.raises(DtypeError, match=r"`updates` at \['a'\] must be an array, got float"):
        apply_updates(w, {"a": 1.0})
    with pytest.raises(StructureError, match="updates"):
        apply_updates(w, {"b": w["a"]})
