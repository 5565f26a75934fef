"""The updates refuse what they cannot compute; messages name argument and path."""

import math

import numpy as np
import pytest

from arraygrad.errors import (
    DeviceError,
    DtypeError,
    HyperparameterError,
    MixedLibraryError,
    ShapeError,
    StructureError,
)
from arraygrad.libraries import library_of
from arraygrad.updates import adam_step, lamb_update, optimizer_update
from conformance_tests.backends import load
from conformance_tests.update_cases import G, M, V, W, close, every_update


@every_update
def test_other_structures_are_named_by_path(backend, update):
    w, g = {"a": {"b": backend.asarray(W)}}, {"a": {"c": backend.asarray(G)}}
    with pytest.raises(StructureError, match=r"`dcdw` and `w` .* at \['a'\]"):
        update(w, g, w, w)


@every_update
def test_weights_do_not_grow(backend, update):
    w, g = {"a": backend.asarray(W[0])}, backend.asarray(G)
    with pytest.raises(ShapeError, match=r"\['a'\] would make `w` grow to \(2, 3\)"):
        update(w, g, w, w)


@every_update
def test_shapes_that_do_not_broadcast_are_named(backend, update):
    w, g = {"a": backend.asarray(W)}, backend.asarray(G[0, :2])
    with pytest.raises(ShapeError, match=r"\['a'\] do not broadcast: `w` \(2, 3\), `dcdw` \(2,\)"):
        update(w, g, w, w)


@every_update
@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_weights_are_floating(backend, update, dtype):
    w, g = [backend.asarray(np.ones(2), dtype)], backend.asarray([1.0, 1.0])
    with pytest.raises(DtypeError, match=r"`w` at \[0\] must be floating, got dtype .*" + dtype):
        update(w, g, g, g)


@every_update
def test_a_list_of_numbers_is_no_array(backend, update):
    g = backend.asarray(1.0)
    with pytest.raises(DtypeError, match=r"`w` at \[0\] must be an array, got float"):
        update([1.0, 2.0], g, g, g)


@every_update
def test_real_weights_take_no_complex_gradient(backend, update):
    w, g = backend.asarray(W), backend.asarray(G, "complex128")
    with pytest.raises(DtypeError, match="is real"):
        update(w, g, w, w)


@every_update
def test_arrays_come_from_one_library(backend, update):
    other = np.asarray(G)
    if backend.library == "numpy":
        other = pytest.importorskip("array_api_strict").asarray(G)
    w = {"a": backend.asarray(W)}
    with pytest.raises(MixedLibraryError, match=r"`dcdw` at \['a'\] is an array of .*, `w` of"):
        update(w, other, w, w)


def test_hyperparameters_come_from_the_same_library(backend):
    other = np.asarray(0.1)
    if backend.library == "numpy":
        other = pytest.importorskip("array_api_strict").asarray(0.1)
    with pytest.raises(MixedLibraryError, match="`lr`"):
        optimizer_update(backend.asarray(W), backend.asarray(G), other)


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5)])
def test_numpy_scalars_are_numbers(backend, number):
    result = optimizer_update(backend.asarray(W, "float32"), backend.asarray(G, "float32"), number)
    assert result.dtype == backend.dtype("float32")
    close(backend, result, W - 0.5 * G, rtol=1e-6, atol=1e-6)


@every_update
@pytest.mark.parametrize(
    ("here", "elsewhere"),
    [("torch", "torch[meta]"), ("array_api_strict", "array_api_strict[device1]")],
)
def test_arrays_lie_on_one_device(update, here, elsewhere):
    pytest.importorskip(here)
    w, g = load(here).asarray(W), load(elsewhere).asarray(G)
    with pytest.raises(DeviceError, match=r"`dcdw` at \['a'\]"):
        update({"a": w}, {"a": g}, {"a": w}, {"a": w})


OUT_OF_RANGE = [
    ("step", 0), ("step", -1.5), ("beta1", 1.0), ("beta2", -0.1), ("epsilon", -1e-8),
    ("max_trust_ratio", 0), ("decay_lambda", -0.1), ("step", math.nan),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
@pytest.mark.parametrize("as_array", [False, True])
def test_hyperparameters_lie_in_their_range_where_they_can_be_read(backend, name, value, as_array):
    w = {"a": backend.asarray(W)}
    keywords = {"step": 1, name: backend.asarray([value]) if as_array else value}
    step = keywords.pop("step")
    if as_array and not library_of(backend.xp).readable:
        lamb_update(w, w, 0.1, w, w, step, **keywords)  # reading would wait, or end a trace
        return
    with pytest.raises(HyperparameterError, match=rf"`{name}` at \['a'\] must be"):
        lamb_update(w, w, 0.1, w, w, step, **keywords)


@pytest.mark.parametrize("library", ["numpy", "array_api_strict"])
def test_an_array_of_several_steps_is_checked_too(library):
    backend = load(library)
    x = backend.asarray([1.0, 1.0])
    with pytest.raises(HyperparameterError, match="`step`"):
        adam_step(x, x, x, backend.asarray([1.0, 0.0]))


@pytest.mark.parametrize("rate", ["0.1", None, 1j])
def test_a_rate_is_a_number_or_an_array(backend, rate):
    x = backend.asarray([1.0])
    with pytest.raises((DtypeError, StructureError), match="`lr`"):
        optimizer_update(x, x, rate)


@every_update
def test_inputs_are_left_as_they_were(backend, update):
    arrays = [backend.asarray(x) for x in (W, G, M, V)]
    update(*arrays)
    for array, values in zip(arrays, (W, G, M, V), strict=True):
        close(backend, array, values, rtol=0, atol=0)
