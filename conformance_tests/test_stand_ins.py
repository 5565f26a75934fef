"""What stands in for a GPU: arrays whose values cannot be read, and a library without a device.

Combinations that cannot exist are not made, and a test asserts for each that it cannot.
"""

from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace

from conformance_tests import backends
from conformance_tests.products import all_products, direction, is_floating, pull, push
from conformance_tests.ruled_calls import NUMPY, RULED_CALLS
from conformance_tests.scenarios import SCENARIOS
from conformance_tests.trees import assert_close, from_numpy, leaves, map_tree, to_numpy

CALLS = [call for call in RULED_CALLS if call.first]
MASKED_OR_REPEATED = ("getitem", "repeat", "scatter_add", "set_at")


def needs_values(call):
    """Say whether the shape of a result depends on values."""
    if call.name.startswith("unique_"):
        return True
    key = call.args[1]
    if call.name not in MASKED_OR_REPEATED or not isinstance(key, np.ndarray):
        return False
    if call.name == "repeat":
        return True
    value = call.args[2]
    spread = call.name != "getitem" and np.ndim(value) > call.args[0].ndim - key.ndim
    return key.dtype.kind == "b" and (call.name == "getitem" or spread)


# --- torch's meta device: shapes and dtypes without values ---


@pytest.fixture(scope="module")
def meta():
    """Return the backend of tensors without values."""
    pytest.importorskip("torch")
    return backends.load("torch[meta]")


ON_META = [call for call in RULED_CALLS if "torch" not in call.case.refused_by]


def needs_values_on_meta(call):
    """Say the same, and that array_api_compat's `sign`, for a real `abs`, reads 0-d tensors."""
    return needs_values(call) or str(call) == "abs(f64[])"


KNOWN = [call for call in ON_META if not needs_values_on_meta(call)]
UNKNOWN = [call for call in ON_META if needs_values_on_meta(call)]


def on_meta(meta, call):
    """Return all products of a call, without values."""
    t = call.args_in(meta, direction(call.args))
    return all_products(call.f, call.args_in(meta), "tape", t)


@pytest.mark.parametrize("call", KNOWN, ids=str)
def test_tape_needs_no_values(meta, call):
    value, pulled, pushed, _ = on_meta(meta, call)
    assert {x.device.type for x in leaves((value, pulled, pushed))} == {"meta"}


@pytest.mark.parametrize("call", UNKNOWN, ids=str)
def test_results_that_depend_on_values_do_not_exist_on_meta(meta, call):
    with pytest.raises((NotImplementedError, RuntimeError)):
        on_meta(meta, call)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_models_need_no_values(meta, scenario):
    args = from_numpy(meta, scenario.args)
    value, pulled, pushed, _ = all_products(scenario.f, args, "tape", args)
    assert {x.device.type for x in leaves((value, pulled, pushed))} == {"meta"}


# --- jax.jit: no values while the tape runs ---

JITTED = [call for call in CALLS if not needs_values(call)]
NOT_JITTED = [call for call in CALLS if needs_values(call)]


def under_jit(f, args, tangents):
    """Return value, gradients and tangent of a function by the tape, compiled by jax."""
    jax = pytest.importorskip("jax")
    backends.load("jax")
    floating = [x for x in leaves(args) if is_floating(x)]

    def run(variables: list[Any], moved: list[Any]) -> Any:
        found, along = iter(variables), iter(moved)
        given = map_tree(lambda x: next(found) if is_floating(x) else x, args)
        t = map_tree(lambda x: next(along) if is_floating(x) else x, args)
        value, pulled = pull(f, given, "tape")
        return value, pulled, push(f, given, "tape", t)[1]

    return jax.jit(run)(floating, [t for t in leaves(tangents) if is_floating(t)])


@pytest.mark.parametrize("call", JITTED, ids=str)
def test_tape_runs_under_jit(call):
    pytest.importorskip("jax")
    jax = backends.load("jax")
    t = direction(call.args)
    found = under_jit(call.f, call.args_in(jax), call.args_in(jax, t))
    expected = all_products(call.f, call.args_in(NUMPY), "tape", call.args_in(NUMPY, t))
    assert_close(to_numpy(jax, found), expected[:3], 1e-12)


@pytest.mark.parametrize("call", NOT_JITTED, ids=str)
def test_shapes_that_depend_on_values_do_not_exist_under_jit(call):
    jax = pytest.importorskip("jax")
    args = call.args_in(backends.load("jax"))
    with pytest.raises((jax.errors.ConcretizationTypeError, jax.errors.JAXTypeError)):
        under_jit(call.f, args, args)


# --- a real cupy.ndarray over the host's memory ---


@pytest.fixture
def host_cupy():
    """Return a function that makes a CuPy array whose memory is NumPy's, if CuPy can."""
    cupy = pytest.importorskip("cupy")

    def make(values):
        values = np.ascontiguousarray(values)
        memory = cupy.cuda.UnownedMemory(values.ctypes.data, max(values.nbytes, 1), values, 0)
        pointer = cupy.cuda.MemoryPointer(memory, 0)
        return cupy.ndarray(values.shape, values.dtype, pointer)

    try:
        make(np.zeros(2)).reshape(2, 1)
    except Exception as error:
        pytest.skip(f"cupy makes no array without a CUDA driver: {error}")
    return make


VIEWS = {
    "reshape": lambda xp, x: xp.reshape(x, (3, 2)),
    "permute_dims": lambda xp, x: xp.permute_dims(x, (1, 0)),
    "T": lambda xp, x: x.T,
    "matrix_transpose": lambda xp, x: xp.matrix_transpose(x),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x, (4, 2, 3)),
    "expand_dims": lambda xp, x: xp.expand_dims(x, axis=1),
    "moveaxis": lambda xp, x: xp.moveaxis(x, 0, 1),
    "flip": lambda xp, x: xp.flip(x, axis=1),
    "row": lambda xp, x: x[1],
    "slices": lambda xp, x: x[::-1, None, 1:],
    "several": lambda xp, x: xp.permute_dims(xp.reshape(x[:, ::-1], (2, 3, 1)), (2, 1, 0)),
}


def read_view(view, base):
    """Return what a CuPy view over a NumPy array's memory holds."""
    start = view.data.ptr - base.ctypes.data
    return np.ndarray(view.shape, view.dtype, base.data, start, view.strides)


@pytest.mark.parametrize("name", VIEWS)
def test_shape_code_runs_on_cupy_arrays(host_cupy, name):
    x, t = np.arange(6.0).reshape(2, 3), np.arange(6.0, 12.0).reshape(2, 3)
    f = lambda a: VIEWS[name](array_namespace(a), a)
    value, tangent = push(f, (host_cupy(x),), "tape", (host_cupy(t),))
    np.testing.assert_array_equal(read_view(value, x), f(x))
    np.testing.assert_array_equal(read_view(tangent, t), f(t))
