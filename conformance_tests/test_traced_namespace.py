"""The traced namespace is as complete as its library's: names, signatures, values, dtypes, errors.

Arrays here are live leaves, as in the modules `arraygrad.testing.traced_*`: what is tested is the
recording of operations, not the passing on of raw arrays.
"""

import functools
import importlib
import importlib.util
import inspect
import operator
from operator import attrgetter
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import arraygrad
from arraygrad._namespace import is_array
from arraygrad.autodiff.tape import TracedArray
from arraygrad.errors import GraphBreakError
from arraygrad.testing._live import LiveNamespace
from conformance_tests.backends import Backend, load
from conformance_tests.namespace_calls import CALLS, METHODS, OPERATORS, Operands, dtypes_of
from conformance_tests.standard_names import CHAPTERS, names_of

# The values are tricky on purpose.
pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [name for chapter in CHAPTERS for name in names_of(chapter)]
MODULES = [name for name in ("numpy", "array_api_strict", "torch", "jax", "cupy")
           if importlib.util.find_spec(name)]  # fmt: skip
FEW = settings(max_examples=10, deadline=None, derandomize=True, database=None)
VERSION = "2023.12"  # the oldest whose strategies are all we need


@functools.cache
def live_namespace(backend: Backend) -> LiveNamespace:
    """Return the live namespace of a library."""
    return LiveNamespace(backend.xp)


# --- names and signatures ---------------------------------------------------------------------


def has(xp: Any, name: str) -> bool:
    """Say whether a namespace has a function of the standard."""
    try:
        return callable(attrgetter(name)(xp))
    except AttributeError:
        return False


def test_every_name_of_the_library_is_there(backend):
    live = live_namespace(backend)
    assert [n for n in NAMES if has(backend.xp, n) and not has(live, n)] == []
    for constant in ("e", "inf", "nan", "newaxis", "pi"):
        assert getattr(live, constant) is getattr(backend.xp, constant)
    for dtype in dtypes_of(backend):
        assert getattr(live, dtype) == getattr(backend.xp, dtype)


def test_every_name_has_calls_here():
    assert set(NAMES) - {"__array_namespace_info__"} == set(CALLS)


def refused(function: Any, reference: Any) -> set[str]:
    """Return the parameters of a reference that a function does not take the same way."""
    ours = list(inspect.signature(function).parameters.values())
    keywords = {p.name for p in ours if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    wrong = set()
    for place, p in enumerate(inspect.signature(reference).parameters.values()):
        if p.kind is p.KEYWORD_ONLY:
            taken = p.name in keywords
        elif p.kind is p.POSITIONAL_ONLY:
            positional = (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            taken = place < len(ours) and ours[place].kind in positional
        else:
            taken = place < len(ours) and ours[place].kind is p.kind
            taken = taken and (ours[place].name == p.name or p.kind is p.VAR_POSITIONAL)
        if not taken:
            wrong.add(p.name)
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_the_standards_as_far_as_the_librarys_is(backend, name):
    if not has(backend.xp, name):
        return
    reference = attrgetter(name)(array_api_strict)
    try:
        library = refused(attrgetter(name)(backend.xp), reference)
    except (TypeError, ValueError):  # a function in C that does not tell
        library = set()
    assert refused(attrgetter(name)(live_namespace(backend)), reference) <= library


ARRAY_METHODS = """
    __abs__ __add__ __and__ __array_namespace__ __bool__ __complex__ __dlpack__ __dlpack_device__
    __eq__ __float__ __floordiv__ __ge__ __getitem__ __gt__ __iadd__ __iand__ __ifloordiv__
    __ilshift__ __imatmul__ __imod__ __imul__ __index__ __int__ __invert__ __ior__ __ipow__
    __irshift__ __isub__ __itruediv__ __ixor__ __le__ __lshift__ __lt__ __matmul__ __mod__ __mul__
    __ne__ __neg__ __or__ __pos__ __pow__ __radd__ __rand__ __rfloordiv__ __rlshift__ __rmatmul__
    __rmod__ __rmul__ __ror__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__ __rxor__
    __setitem__ __sub__ __truediv__ __xor__
""".split()


@pytest.mark.parametrize("dtype", ["bool", "int64", "float64", "complex128"])
def test_methods_have_the_standards_signatures(backend, dtype):
    live = live_namespace(backend)
    x, y = live.ones((2,), dtype=getattr(live, dtype)), array_api_strict.ones((2,))
    wrong = {name: refused(getattr(x, name), getattr(y, name)) for name in ARRAY_METHODS}
    assert {name: parameters for name, parameters in wrong.items() if parameters} == {}


# --- results ----------------------------------------------------------------------------------


def outcome(call: Any, *arguments: Any) -> Any:
    """Return what a call gives, or raises."""
    try:
        return call(*arguments)
    except Exception as error:
        return error


def outcome_on(backend: Backend, call: Any, *arguments: Any) -> Any:
    """Return what a call gives, or raises: a lazy library may raise when values are read."""

    def read(result: Any) -> Any:
        for x in result if isinstance(result, (tuple, list)) else [result]:
            if is_array(x):
                backend.to_numpy(getattr(x, "_value", x))
        return result

    return outcome(lambda: read(call(*arguments)) if backend.lazy else call(*arguments))


def check_same(backend: Backend, expected: Any, got: Any, rtol: float = 0.0) -> None:
    """Check that results are alike, and that ours are live if they are floating."""
    if isinstance(expected, Exception):
        assert isinstance(got, Exception)
        assert isinstance(got, IndexError) or not isinstance(expected, IndexError)
    elif isinstance(got, TracedArray):
        check_same_array(backend, expected, got, rtol)
    elif isinstance(expected, (tuple, list)):
        assert isinstance(got, (tuple, list))
        assert fields(got) == fields(expected)
        for one, other in zip(expected, got, strict=True):
            check_same(backend, one, other, rtol)
    else:
        if isinstance(got, Exception):
            raise got
        assert type(got) is type(expected)
        assert got == expected or (got != got and expected != expected)


def fields(results: Any) -> Any:
    """Return the names of named results; PyTorch's are no namedtuples."""
    return getattr(results, "_fields", None) or getattr(results, "__match_args__", None)


def check_same_array(backend: Backend, expected: Any, got: TracedArray, rtol: float) -> None:
    """Check values, shape, dtype and device, and that floating arrays are leaves or recorded."""
    live = live_namespace(backend)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got.shape, tuple(expected.shape))  # NaN where only values tell
    assert got._tape is live.tape or not live.is_floating(got.dtype)
    assert got.device == live.device_of(expected)
    x, y = backend.to_numpy(expected), backend.to_numpy(got._value)
    if rtol:
        np.testing.assert_allclose(y, x, rtol=rtol, atol=rtol * np.abs(x).max(initial=0.0))
        return
    np.testing.assert_array_equal(y, x)
    if x.dtype.kind == "f":
        numbers = ~np.isnan(x)
        np.testing.assert_array_equal(np.signbit(y)[numbers], np.signbit(x)[numbers])


def check_calls(backend: Backend, calls: list[Any], *, exact: bool = True) -> None:
    """Check that calls do for live arrays what they do for raw ones, in every data type."""
    live = live_namespace(backend)
    calls = calls[:2] if backend.library == "jax" else calls  # it compiles every function
    for dtype in dtypes_of(backend):
        rtol = 0.0 if exact else 1e-4 if dtype in ("float32", "complex64") else 1e-12
        for number, call in enumerate(calls):
            expected = outcome_on(backend, call, backend.xp, Operands(backend, dtype))
            got = outcome_on(backend, call, live, Operands(backend, dtype, live))
            try:
                check_same(backend, expected, got, rtol)
            except Exception as error:
                error.add_note(f"call {number} of {dtype}: expected {expected!r}, got {got!r}")
                raise


@pytest.mark.parametrize("name", CALLS)
def test_function_gives_what_the_library_gives(backend, name):
    if has(backend.xp, name):
        check_calls(backend, CALLS[name], exact="." not in name)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_gives_what_the_library_gives(backend, name):
    check_calls(backend, OPERATORS[name])


@pytest.mark.parametrize("name", METHODS)
def test_array_gives_what_the_library_gives(backend, name):
    if backend.mutable or name != "setitem":
        check_calls(backend, METHODS[name])


def test_assignment_works_where_the_library_has_none(backend):
    live = live_namespace(backend)
    for call in [] if backend.mutable else METHODS["setitem"]:
        expected = outcome(call, np, Operands(load("numpy"), "float32"))
        if not isinstance(expected, Exception):
            got = call(live, Operands(backend, "float32", live))
            assert got._tape is live.tape
            np.testing.assert_array_equal(backend.to_numpy(got._value), expected)


def test_no_copy_is_the_array_itself(backend):
    live = live_namespace(backend)
    for dtype in dtypes_of(backend):
        x = Operands(backend, dtype, live)(3)
        assert live.asarray(x) is live.asarray(x, dtype=x.dtype, copy=False) is x
        assert live.astype(x, x.dtype, copy=False) is x
        for y in (live.asarray(x, copy=True), live.astype(x, x.dtype)):
            x[0] = 1 if dtype != "bool" else True
            x[0] = x[1]
            check_same(backend, Operands(backend, dtype)(3), y)


def test_in_place_operators_keep_the_name(backend):
    for dtype in dtypes_of(backend):
        for name in ("iadd", "imul", "ior", "ipow", "imatmul"):
            x = Operands(backend, dtype, live_namespace(backend)).plain(3, 3)
            result = outcome(getattr(operator, name), x, x)
            assert result is x or isinstance(result, Exception)


def test_in_place_operators_keep_shape_and_kind(backend):
    a = Operands(backend, "float32", live_namespace(backend))
    for other in (a(2, 3), a(3, dtype="complex64"), 1j):
        x = a.plain(3)
        with pytest.raises((TypeError, ValueError)):
            operator.iadd(x, other)
        check_same(backend, Operands(backend, "float32").plain(3), x)


# --- what arrays and namespaces tell of themselves --------------------------------------------


def test_array_tells_what_the_standard_asks(backend):
    live = live_namespace(backend)
    for dtype in dtypes_of(backend):
        a = Operands(backend, dtype, live)
        x = a(2, 3)
        assert isinstance(x.shape, tuple)
        assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, a.dtype)
        assert (a().shape, a().ndim, a().size, a(0, 2).size) == ((), 0, 1, 0)
        assert x.__array_namespace__() is x.__array_namespace__(api_version="2022.12") is live
        check_same(backend, Operands(backend, dtype)(2, 3), x.to_device(x.device))
        check_same(backend, Operands(backend, dtype)(2, 3), x.to_device(x.device, stream=None))
        assert x.__dlpack_device__() == Operands(backend, dtype)(2, 3).__dlpack_device__()


def test_inspection_is_the_librarys(backend):
    ours, library = (xp.__array_namespace_info__() for xp in (live_namespace(backend), backend.xp))
    assert ours.capabilities() == library.capabilities()
    assert ours.default_dtypes() == library.default_dtypes()
    assert ours.dtypes(kind="real floating") == library.dtypes(kind="real floating")
    assert ours.default_device() == library.default_device()
    assert ours.devices() == library.devices()


@pytest.mark.parametrize("name", MODULES)
def test_module_is_a_live_namespace(name):
    module = importlib.import_module(f"arraygrad.testing.traced_{name}")
    assert set(NAMES) & set(dir(module.base)) <= set(dir(module))
    assert module.__array_api_version__ == module.base.__array_api_version__
    if name != "cupy":  # which needs a device to make an array
        x = module.asarray([1.5, 2.0]) * 2
        assert x._tape.permits_reads
        assert (float(x[0]), int(x[1]), bool(x[0] > 1), complex(x[1])) == (3.0, 4, True, 4 + 0j)
        assert x.__array_namespace__().sum(x) == 7.0


def test_ordinary_tapes_refuse_reads(backend):
    x = backend.asarray([1.5])
    for read in (float, int, complex, operator.index, np.asarray, lambda x: x.item()):
        with pytest.raises(GraphBreakError):
            arraygrad.grad(lambda x, read=read: x[0] * read(x[0]), autodiff="tape")(x)


def test_live_arrays_go_to_numpy(backend):
    x = Operands(backend, "float64", live_namespace(backend)).plain(3)
    if backend.device is None:
        np.testing.assert_array_equal(np.asarray(x), [1.5, -0.5, 2.0])
        np.testing.assert_array_equal(np.from_dlpack(x), [1.5, -0.5, 2.0])


# --- arrays that hypothesis makes by the standard's own functions -----------------------------


def strategies(backend: Backend) -> Any:
    """Return hypothesis's strategies for a live namespace."""
    return make_strategies_namespace(live_namespace(backend), api_version=VERSION)


def any_dtype(backend: Backend) -> Any:
    """Return the data types that are tested, as a strategy."""
    return st.sampled_from(
        [backend.dtype(name) for name in dtypes_of(backend)[::-1] if name != "uint64"]
    )


SMALL = {"min_dims": 0, "max_dims": 3, "max_side": 3}


@FEW
@given(data=st.data())
def test_elementwise_functions_of_drawn_arrays(backend, data):
    live, xps = live_namespace(backend), strategies(backend)
    shapes = data.draw(xps.mutually_broadcastable_shapes(2, max_dims=3, max_side=3)).input_shapes
    dtype = data.draw(xps.floating_dtypes())
    x1, x2 = (data.draw(xps.arrays(dtype, shape)) for shape in shapes)
    for name in ("add", "multiply", "divide", "maximum", "atan2", "pow", "less"):
        got = getattr(live, name)(x1, x2)
        check_same(backend, getattr(backend.xp, name)(x1._value, x2._value), got)


def changed(x: Any, key: Any, value: Any) -> Any:
    """Return an array in which a value was assigned."""
    x[key] = value
    return x


@FEW
@given(data=st.data())
def test_drawn_keys_get_and_set(backend, data):
    live, xps = live_namespace(backend), strategies(backend)
    x = data.draw(xps.arrays(any_dtype(backend), xps.array_shapes(**SMALL)))
    key = data.draw(xps.indices(x.shape))
    expected = outcome(lambda x, key: x[key], x._value, key)
    check_same(backend, expected, outcome(lambda x, key: x[key], x, key))
    if not isinstance(expected, Exception):  # PyTorch has no negative steps
        y = changed(live.zeros_like(x), key, x[key])
        check_same(backend, x[key]._value, y[key])


@FEW
@given(data=st.data())
def test_drawn_masks_get_and_set(backend, data):
    live, xps = live_namespace(backend), strategies(backend)
    x = data.draw(xps.arrays(any_dtype(backend), xps.array_shapes(**SMALL)))
    mask = data.draw(xps.arrays(live.bool, x.shape))
    check_same(backend, x._value[mask._value], x[mask])
    y = changed(live.zeros_like(x), mask, x[mask])
    y = changed(y, live.logical_not(mask), live.ones((), dtype=x.dtype))
    check_same(backend, live.where(mask, x, live.ones_like(x))._value, y)
