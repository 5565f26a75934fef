"""What cannot be differentiated is refused, with its path."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from conformance_tests.operator_checks import squares, total


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_arrays_without_gradients_raise_with_their_path(backend, dtype):
    tree = {"w": backend.asarray([1.0]), "layers": [backend.asarray([1, 0], dtype=dtype)]}
    with pytest.raises(errors.DtypeError, match=rf"args\[0\]\['layers'\]\[0\] has dtype .*{dtype}"):
        ag.grad(lambda p: squares(p["w"]))(tree)


def test_object_arrays_raise():
    with pytest.raises(errors.DtypeError, match=r"args\[0\] has dtype object"):
        ag.grad(squares)(np.asarray([1.0, None], dtype=object))


def test_object_and_string_arrays_pass_through_in_other_arguments():
    names = np.asarray(["a", "b"])
    things = np.asarray([1.0, None], dtype=object)

    def f(x, names, *, things):
        assert type(names) is type(things) is np.ndarray
        return squares(x)

    assert ag.grad(f)(np.asarray([2.0]), names, things=things)[0] == 4.0


@pytest.mark.parametrize(
    ("f", "got"),
    [
        (lambda x: x, r"an array of shape \(1,\)"),
        (lambda x: 3.0, "float"),
        (lambda x: None, "NoneType"),
        (lambda x: [total(x)], "list"),
        (lambda x: total(x) * 1j, "complex"),
        (lambda x: total(x) > 0, "bool"),
    ],
)
def test_an_output_that_is_no_real_scalar_raises(backend, autodiff, f, got):
    x = backend.asarray([1.0])
    with pytest.raises(errors.NotScalarError, match=rf"real floating 0-d array, got .*{got}"):
        ag.grad(f, autodiff=autodiff)(x)


def test_arrays_of_two_libraries_raise_with_their_paths(backend):
    if backend.library == "numpy":
        other = pytest.importorskip("array_api_strict").asarray([1.0])
    else:
        other = np.asarray([1.0])
    x = backend.asarray([1.0])
    with pytest.raises(errors.MixedLibraryError, match=r"at args\[0\]\['w'\] and .*\['y'\]"):
        ag.grad(lambda p, y: squares(p["w"]))({"w": x}, y=other)


def test_arrays_on_two_devices_raise_with_their_paths():
    strict = pytest.importorskip("array_api_strict")
    x, y = strict.asarray([1.0]), strict.asarray([1.0], device=strict.Device("device1"))
    with pytest.raises(errors.DeviceError, match=r"args\[0\] on .*CPU.* and args\[1\]\['y'\] on"):
        ag.grad(lambda x, p: squares(x))(x, {"y": y})
    with pytest.raises(errors.DeviceError, match=r"xs\[0\] on .*CPU.* and xs\[1\] on"):
        ag.execute_with_gradients(lambda xs: squares(xs[0]), [x, y])


def test_forcing_an_autodiff_on_arrays_of_another_library_raises(backend):
    for name in ("jax", "torch"):
        if name != backend.library:
            pytest.importorskip(name)
            with pytest.raises(errors.MixedLibraryError, match="differentiates its own arrays"):
                ag.grad(squares, autodiff=name)(backend.asarray([1.0]))


class Model:
    """An object that no tree can look into."""

    def __init__(self, w):
        self.w = w


def test_an_object_that_hides_its_arrays_raises_with_its_path():
    model = Model(np.asarray([1.0, 2.0]))
    with pytest.raises(errors.DtypeError, match=r"args\[0\] must be an array, .* got Model"):
        ag.grad(lambda m: np.sum(m.w**2))(model)
    with pytest.raises(errors.DtypeError, match=r"args\[1\]\['m'\] must be an array"):
        ag.grad(lambda x, tree: np.sum(tree["m"].w), argnums=1)(model.w, {"m": model})


def test_an_object_beside_arrays_passes_through():
    model = Model(np.asarray([1.0, 2.0]))
    found = ag.grad(lambda tree: np.sum(tree["m"].w * tree["x"]))({"m": model, "x": model.w})
    np.testing.assert_array_equal(found["x"], [1.0, 2.0])
    assert found["m"] is None


@pytest.mark.parametrize(
    "operator", ["grad", "value_and_grad", "jac", "hessian", "elementwise_grad"]
)
def test_what_is_no_function_is_refused_at_once(operator):
    with pytest.raises(errors.ArgumentError, match="`f` must be a function, got float"):
        getattr(ag, operator)(1.0)


@pytest.mark.parametrize("argnums", ["x", 0.0, None, [0, "x"]])
def test_argnums_that_are_no_integers_are_refused(argnums):
    with pytest.raises(errors.ArgumentError, match="`argnums` must be an integer"):
        ag.grad(np.sum, argnums=argnums)
