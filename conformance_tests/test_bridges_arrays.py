"""What crosses a bridge: memory is shared, any layout goes, dtypes are kept, nothing changes."""

import sys

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402 -- needs jax

jax.config.update("jax_enable_x64", True)

X = np.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


# --- memory ---------------------------------------------------------------------------------------


def test_memory_of_tensors_is_shared_both_ways():
    results = []

    def f(x):
        results.append(x * 2)
        assert np.shares_memory(x, t.detach().numpy())
        return results[-1]

    t = torch.tensor(X)
    assert np.shares_memory(ag.to_torch(f)(t).numpy(), results[0])
    g = ag.from_torch(lambda x: x if x.data_ptr() == X.ctypes.data else None)
    np.testing.assert_array_equal(g(X), X)


def test_memory_of_jax_arrays_is_shared():
    x = jnp.asarray(X)
    f = ag.to_jax(lambda y: y * 1.0 * np.shares_memory(y, np.asarray(x)))
    np.testing.assert_array_equal(f(x), X)
    results = []
    y = ag.from_jax(lambda x: results.append(x * 2) or results[0])(X)
    assert np.shares_memory(y, np.asarray(results[0]))


@pytest.mark.parametrize(
    ("bridge", "make"), [(ag.to_torch, torch.tensor), (ag.to_jax, jnp.asarray)]
)
def test_the_function_cannot_write_to_what_it_is_given(bridge, make):
    def f(x):
        x += 1
        return x

    x = make(X)
    with pytest.raises(ValueError, match="read-only"):
        bridge(f)(x)
    np.testing.assert_array_equal(x, X)


def test_a_result_that_is_an_argument_becomes_a_copy():
    t = torch.tensor(X)
    for f in (lambda x: x, lambda x: x.T, lambda x: x[1:]):
        ag.to_torch(f)(t)[...] = 0.0
        x = X.copy()
        ag.from_torch(f)(x)[...] = 0.0
        np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(t, X)


def test_a_buffer_that_is_used_again_does_not_change_jax_arrays():
    buffer = np.zeros(1000)

    def f(x):
        buffer[...] = x
        return buffer

    first = ag.to_jax(f)(jnp.ones(1000))
    ag.to_jax(f)(jnp.zeros(1000))
    assert float(first.sum()) == 1000.0


# --- layouts --------------------------------------------------------------------------------------

FROZEN = X.copy()
FROZEN.flags.writeable = False
LAYOUTS = {
    "transposed": X.T,
    "strided": np.repeat(X, 3, axis=1)[:, ::3],
    "reversed": X[::-1, ::-1],
    "broadcast": np.broadcast_to(X[0], (4, 3)),
    "read-only": FROZEN,
    "0-d": np.asarray(2.0),
    "scalar": np.float64(2.0),
    "empty": np.zeros((0, 3)),
    "big-endian": X.astype(">f8"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bridge", [ag.from_torch, ag.from_jax])
def test_any_numpy_array_crosses(bridge, layout):
    x = LAYOUTS[layout]
    cube = bridge(lambda x: x**3)
    np.testing.assert_allclose(cube(x), np.asarray(x) ** 3, rtol=1e-15)
    gradient = ag.grad(lambda x: np.sum(cube(x)))(x)
    np.testing.assert_allclose(gradient, 3 * np.asarray(x) ** 2, rtol=1e-15)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_numpy_array_is_a_result(layout):
    y = np.asarray(LAYOUTS[layout])
    for found in ag.to_torch(lambda n: y)(3), ag.to_jax(lambda n: y)(3):
        assert tuple(found.shape) == y.shape
        np.testing.assert_array_equal(found, y)


def test_writing_to_a_result_does_not_reach_what_was_read_only():
    for layout in "read-only", "broadcast":
        y = LAYOUTS[layout]
        before = y.copy()
        ag.to_torch(lambda n, y=y: y)(3)[0, 0] = 7.0
        np.testing.assert_array_equal(y, before)
    z = ag.from_torch(lambda n: torch.ones(1).expand(n))(3)
    z[0] = 7.0
    np.testing.assert_array_equal(z, [7.0, 1.0, 1.0])


@pytest.mark.parametrize(
    "view",
    [lambda t: t.T, lambda t: t[:, ::2], lambda t: t.flip(0), lambda t: t[0].expand(4, 3),
     lambda t: t[:0], lambda t: t[0, 0], lambda t: (t + 1j * t).conj().imag],
)  # fmt: skip
def test_any_tensor_crosses(view):
    def gradient(f):
        t = torch.tensor(X, requires_grad=True)
        (f(view(t)) * torch.sqrt(view(t.detach()).abs())).sum().backward()
        return t.grad

    torch.testing.assert_close(gradient(ag.to_torch(np.sin)), gradient(torch.sin))


def test_conjugated_tensors_cross():
    z = torch.tensor(X + 1j * X).conj()
    torch.testing.assert_close(ag.to_torch(np.exp)(z), torch.exp(z))


# --- dtypes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64", "complex128"])
def test_floating_dtypes_are_kept(name):
    def f(x):
        return (x * x).sum()

    x = X.astype(name)
    assert ag.from_torch(f)(x).dtype == x.dtype
    assert ag.from_jax(f)(x).dtype == x.dtype
    t = torch.tensor(x, requires_grad=True)
    y = ag.to_torch(f)(t)
    assert y.dtype == t.dtype
    y.abs().backward()
    assert t.grad.dtype == t.dtype
    found = jax.vjp(ag.to_jax(f), jnp.asarray(x))
    assert str(found[0].dtype) == str(found[1](found[0])[0].dtype) == name


def test_a_function_may_compute_in_double_precision():
    t = torch.ones(2, requires_grad=True)
    y = ag.to_torch(lambda x: np.sum(x * np.asarray([1.0, 2.0])))(t)
    assert y.dtype == torch.float64
    y.backward()
    torch.testing.assert_close(t.grad, torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize("index", [[1, 0, 1], [True, False, True]])
def test_integers_are_constants_and_results(index):
    def f(x, i):
        return {"picked": x[i], "index": i, "none": None}

    x, index = np.arange(3.0), np.asarray(index)
    expected = ag.grad(lambda x: np.sum(x[index]))(x)
    for g in ag.from_torch(f), ag.from_jax(f):
        found = g(x, index)
        assert found["index"].dtype == index.dtype
        assert found["none"] is None
        gradient = ag.grad(lambda x, g=g: np.sum(g(x, index)["picked"]))(x)
        np.testing.assert_array_equal(gradient, expected)
    found = ag.to_torch(f)(torch.tensor(x, requires_grad=True), torch.tensor(index))
    assert found["picked"].requires_grad
    assert not found["index"].requires_grad
    moved = jax.jvp(lambda x: ag.to_jax(f)(x, jnp.asarray(index))["picked"], (x,), (x,))[1]
    np.testing.assert_array_equal(moved, x[index])


# --- refusals -------------------------------------------------------------------------------------


def double(x):
    """Return twice an array of any library."""
    return x * 2


REFUSED = {
    "to_torch of NumPy": (ag.to_torch(double), X, errors.MixedLibraryError),
    "to_jax of torch": (ag.to_jax(double), torch.ones(2), errors.MixedLibraryError),
    "a number returned": (ag.to_torch(lambda x: 3.0), torch.ones(2), errors.DtypeError),
    "a tensor returned": (ag.to_torch(lambda x: torch.ones(2)), torch.ones(2),
                          errors.MixedLibraryError),
    "an array returned": (ag.from_torch(lambda x: np.ones(2)), X, errors.MixedLibraryError),
    "bfloat16 of torch": (ag.to_torch(double), torch.ones(2).bfloat16(), errors.DtypeError),
    "bfloat16 of jax": (ag.to_jax(double), jnp.ones(2, jnp.bfloat16), errors.DtypeError),
    "bfloat16 returned": (ag.from_torch(lambda x: x.bfloat16()), X, errors.DtypeError),
    "objects": (ag.from_torch(double), np.asarray([None]), errors.DtypeError),
    "no values": (ag.to_torch(double), torch.ones(2, device="meta"), errors.MixedLibraryError),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_cross_is_refused(case):
    function, x, error = REFUSED[case]
    with pytest.raises(error):
        function(x)


def test_arrays_of_two_libraries_are_refused_with_their_places():
    with pytest.raises(errors.MixedLibraryError, match=r"args\[1\]"):
        ag.to_torch(lambda x, y: x)(torch.ones(2), X)


def test_a_traced_array_that_is_closed_over_is_refused():
    def f(w):
        tensor = ag.to_torch(lambda x: x * w)(torch.ones(2, dtype=torch.float64))
        return np.sum(w * tensor.numpy())

    with pytest.raises(errors.GraphBreakError, match="pass it as an argument"):
        ag.grad(f)(np.ones(2))


@pytest.mark.parametrize(
    ("function", "library"),
    [(ag.from_torch(double), "torch"), (ag.from_jax(double), "jax.numpy"),
     (lambda x: ag.to_torch(double, library="cupy")(torch.ones(2)), "cupy")],
)  # fmt: skip
def test_a_library_that_is_not_installed_is_named(function, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(errors.MissingExtraError, match=r"pip install 'arraygrad\["):
        function(X)


def test_another_library_of_the_standard_may_be_named():
    pytest.importorskip("array_api_strict")
    f = ag.to_torch(lambda x: x.__array_namespace__().sum(x * x), library="array_api_strict")
    t = torch.tensor(X, requires_grad=True)
    f(t).backward()
    np.testing.assert_array_equal(t.grad, 2 * X)
    with pytest.raises(errors.DtypeError, match="float16"):
        f(t.half())


def test_names_docstrings_and_keywords_pass_through():
    f = ag.to_torch(double)
    assert (f.__name__, f.__doc__) == ("double", double.__doc__)
    keyed = ag.to_torch(lambda x, *, by, how: x * by if how == "times" else None)
    x, by = (torch.tensor(value, requires_grad=True) for value in (2.0, 5.0))
    keyed(x, by=by, how="times").backward()
    assert (x.grad.item(), by.grad.item()) == (5.0, 2.0)
