"""Bridges: a function behind one has its values, and its derivatives of all orders."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from arraygrad.testing import check_gradients
from conformance_tests.trees import assert_close, map_tree

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402 -- needs jax

jax.config.update("jax_enable_x64", True)

X = np.asarray([0.3, -0.7, 1.2])
Y = np.asarray([1.0, 0.5, 2.0])


def formula(params, x):
    """Return a tree of two results, in the arrays' own namespace; different in every element."""
    xp = array_namespace(x)
    return {"wave": xp.sin(params["w"] * x), "sum": (xp.sum(x**3 * xp.exp(params["w"])),)}


def total(f):
    """Return a function of two arrays with a single value: it weighs all results of a formula."""

    def function(w, x):
        found = f({"w": w}, x)
        return found["wave"].sum() * 2 + found["sum"][0] ** 2

    return function


def tensors(*arrays, **options):
    """Return copies as tensors."""
    return [torch.tensor(x, **options) for x in arrays]


def same(found, expected, tolerance=1e-12):
    """Compare trees of arrays of any library in NumPy."""
    assert_close(map_tree(np.asarray, found), map_tree(np.asarray, expected), tolerance)


ORDERS = {
    "value": lambda f: f,
    "backward": lambda f: torch.func.grad(f, (0, 1)),
    "backward twice": lambda f: torch.func.jacrev(torch.func.jacrev(f, (0, 1)), (0, 1)),
    "forward twice": lambda f: torch.func.jacfwd(torch.func.jacfwd(f, (0, 1)), (0, 1)),
    "forward over backward": lambda f: torch.func.hessian(f, (0, 1)),
    "one inside the other": lambda f: torch.func.grad(
        lambda w, x: torch.func.grad(lambda x: f(w, x))(x).square().sum(), (0, 1)
    ),
    "mapped": lambda f: torch.func.vmap(torch.func.grad(f, (0, 1)), (None, 0)),
    "under a map": lambda f: torch.func.grad(
        lambda w, x: torch.func.vmap(f, (None, 0))(w, x).sum()
    ),
}
JAX_ORDERS = {
    "value": lambda f: f,
    "backward": lambda f: jax.grad(f, (0, 1)),
    "backward twice": lambda f: jax.jit(lambda w, x: jax.vjp(jax.grad(f, 1), w, x)[1](w)),
    "forward twice": lambda f: jax.jit(
        lambda w, x: jax.jvp(lambda x: jax.jvp(lambda x: f(w, x), (x,), (w,))[1], (x,), (w,))
    ),
    "forward over backward": lambda f: jax.jit(
        lambda w, x: jax.jvp(jax.grad(f, (0, 1)), (w, x), (x, w))
    ),
    "one inside the other": lambda f: jax.grad(
        lambda w, x: jnp.sum(jax.grad(lambda x: f(w, x))(x) ** 2), (0, 1)
    ),
    "hessian": lambda f: jax.jit(jax.hessian(f, 1)),
    "mapped": lambda f: jax.jit(jax.vmap(jax.grad(f, (0, 1)), (None, 0))),
    "under a map": lambda f: jax.jit(jax.grad(lambda w, x: jax.vmap(f, (None, 0))(w, x).sum())),
}
TAPE_ORDERS = {
    "value": lambda f: f,
    "backward": lambda f: ag.grad(f, (0, 1)),
    "forward over backward": lambda f: lambda w, x: ag.hvp(f, (w, x), (x, w)),
    "forward": lambda f: lambda w, x: ag.jvp(f, (w, x), (x, w)),
    "backward twice": lambda f: ag.grad(lambda w, x: (ag.grad(f, 1)(w, x) ** 2).sum(), (0, 1)),
    "three times": lambda f: ag.grad(
        lambda w, x: (ag.grad(lambda w, x: (ag.grad(f)(w, x) ** 2).sum())(w, x) ** 2).sum()
    ),
}


# --- values and derivatives are those of the library itself ---------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_to_torch_agrees_with_torch(order):
    w, x = tensors(Y, np.stack([X, Y]) if "map" in order else X)
    transform = ORDERS[order]
    same(transform(total(ag.to_torch(formula)))(w, x), transform(total(formula))(w, x))


@pytest.mark.parametrize("order", JAX_ORDERS)
def test_to_jax_agrees_with_jax(order):
    w, x = jnp.asarray(Y), jnp.asarray(np.stack([X, Y]) if "map" in order else X)
    transform = JAX_ORDERS[order]
    found = transform(total(ag.to_jax(formula)))(w, x)
    same(found, jax.jit(transform(total(formula)))(w, x))


@pytest.mark.parametrize("order", TAPE_ORDERS)
@pytest.mark.parametrize("bridge", [ag.from_torch, ag.from_jax])
def test_the_other_way_agrees_with_the_tape(bridge, order):
    transform = TAPE_ORDERS[order]
    same(transform(total(bridge(formula)))(Y, X), transform(total(formula))(Y, X))


def test_gradients_agree_with_finite_differences_in_every_direction():
    arguments = tensors(Y, X, requires_grad=True)
    bridge = ag.to_torch(formula)
    outputs = lambda w, x: (lambda y: (y["wave"], y["sum"][0]))(bridge({"w": w}, x))
    assert torch.autograd.gradcheck(outputs, arguments, check_forward_ad=True)
    options = {"check_fwd_over_rev": True, "check_rev_over_rev": True}
    assert torch.autograd.gradgradcheck(outputs, arguments, **options)
    check_gradients(total(ag.from_torch(formula)), Y, X)
    check_gradients(total(ag.from_jax(formula)), Y, X)


@pytest.mark.parametrize("there", [ag.from_torch, ag.from_jax])
def test_there_and_back_is_the_function_itself(there):
    w, x = tensors(Y, X)
    same(
        torch.func.hessian(total(ag.to_torch(there(formula))), (0, 1))(w, x),
        torch.func.hessian(total(formula), (0, 1))(w, x),
    )
    w, x = jnp.asarray(Y), jnp.asarray(X)
    found = jax.value_and_grad(total(ag.to_jax(there(formula))), (0, 1))(w, x)
    same(found, jax.jit(jax.value_and_grad(total(formula), (0, 1)))(w, x))


def test_torch_and_jax_meet_without_numpy():
    w, x = tensors(Y, X)
    expected = ag.hessian(total(formula), (0, 1))(Y, X)
    same(torch.func.hessian(total(ag.from_jax(formula)), (0, 1))(w, x), expected)
    w, x = jnp.asarray(Y), jnp.asarray(X)
    same(jax.jit(jax.hessian(total(ag.from_torch(formula)), (0, 1)))(w, x), expected)


@pytest.mark.parametrize(
    ("bridge", "make"), [(ag.to_torch, torch.tensor), (ag.to_jax, jnp.asarray)]
)
def test_on_the_tape_the_same_function_is_one_record(bridge, make):
    found = ag.hessian(total(bridge(formula)), (0, 1), autodiff="tape")(make(Y), make(X))
    same(found, ag.hessian(total(formula), (0, 1))(Y, X))


def test_complex_gradients_keep_the_convention_of_each_library():
    f = lambda z: array_namespace(z).real((z * z.conj() * z + z**2).sum())
    z = np.asarray([1 + 2j, 3 - 1j])
    (t,) = tensors(z)
    same(torch.func.grad(ag.to_torch(f))(t).resolve_conj(), torch.func.grad(f)(t).resolve_conj())
    same(jax.grad(ag.to_jax(f))(jnp.asarray(z)), jax.grad(f)(jnp.asarray(z)))
    same(ag.grad(ag.from_torch(f))(z), ag.grad(f)(z))
    same(ag.grad(ag.from_jax(f))(z), ag.grad(f)(z))
    curved = lambda f: lambda x: f(x + 1j * x**2)
    bent = lambda f: jax.jit(jax.hessian(curved(f)))(jnp.asarray(X))
    same(bent(ag.to_jax(f)), bent(f))


# --- in torch -------------------------------------------------------------------------------------


def test_a_layer_in_the_middle_of_a_model_trains_as_torchs_own():
    def losses(layer):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), layer, torch.nn.Linear(4, 1)).double()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        (x,) = tensors(np.stack([X, Y]))
        found = []
        for _ in range(5):
            optimizer.zero_grad()
            found.append(model(x).square().mean())
            found[-1].backward()
            optimizer.step()
        return [loss.item() for loss in found]

    class Layer(torch.nn.Module):
        forward = staticmethod(ag.to_torch(lambda x: np.tanh(x) * x))

    class Native(torch.nn.Module):
        forward = staticmethod(lambda x: torch.tanh(x) * x)

    same(losses(Layer()), losses(Native()))


def test_only_what_requires_a_gradient_is_differentiated():
    f = ag.to_torch(lambda x, k: np.sum(x) * float(k))
    x, k = torch.ones(2, requires_grad=True), torch.tensor(3.0)
    f(x, k).backward()
    same(x.grad, np.asarray([3.0, 3.0]))
    with pytest.raises(errors.GraphBreakError):  # float() of what has a gradient
        f(x, k.requires_grad_())
    with torch.no_grad():
        assert not f(x, k).requires_grad


def test_the_function_runs_once_for_value_and_gradient():
    kinds = []

    def f(x):
        kinds.append(type(x).__name__)
        return np.sum(x**2)

    ag.to_torch(f)(torch.ones(2, requires_grad=True)).backward()
    jax.value_and_grad(ag.to_jax(f))(jnp.ones(2))
    assert kinds == ["TracedArray"] * 2


def test_a_transform_passes_gradients_on_to_the_graph_around_it():
    def gradient(f):
        w, x = tensors(Y, X, requires_grad=True)
        torch.func.grad(lambda x: f(w, x))(x).square().sum().backward()
        return w.grad, x.grad

    same(gradient(total(ag.to_torch(formula))), gradient(total(formula)))


def test_a_tensor_that_changes_before_the_backward_pass_is_noticed():
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    z = ag.to_torch(lambda y: np.sum(y**2))(y)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def test_a_second_derivative_that_is_not_there_is_an_error():
    @ag.custom_gradient
    def lost(x):
        y = np.asarray([float(value) ** 2 for value in x])
        return y, lambda g: 2 * np.asarray(x) * g

    x = torch.ones(2, requires_grad=True)
    y = ag.to_torch(lost)(x).sum()
    (first,) = torch.autograd.grad(y, x, retain_graph=True)
    same(first, np.asarray([2.0, 2.0]))
    with pytest.raises(errors.GraphBreakError):
        torch.autograd.grad(y, x, create_graph=True)


def test_batches_of_the_older_vmap_are_an_error():
    x = torch.ones(2, requires_grad=True)
    y = ag.to_torch(lambda x: x**2)(x)
    with pytest.raises(errors.GraphBreakError, match=r"torch\.func"):
        torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True)


def test_a_batch_of_none_has_the_right_shape():
    f = torch.func.vmap(ag.to_torch(lambda x: (np.sin(x), np.sum(x))))
    assert [tuple(y.shape) for y in f(torch.ones(0, 3))] == [(0, 3), (0,)]


# --- in jax ---------------------------------------------------------------------------------------


def test_a_compiled_program_tries_the_function_once_unless_it_is_told():
    kinds = []

    def f(x, *, keep):
        kinds.append(type(x).__name__)
        return np.sort(x)[-keep:] ** 2

    def shapes(x, *, keep):
        return jax.ShapeDtypeStruct((keep,), x.dtype)

    for options, trials in ({}, ["ndarray"]), ({"result_shape_dtypes": shapes}, []):
        kinds.clear()
        bridge = ag.to_jax(f, **options)
        gradient = jax.jit(jax.grad(lambda x, g=bridge: g(x, keep=2).sum()))
        for _ in range(2):
            same(gradient(jnp.asarray(X)), np.asarray([0.6, 0.0, 2.4]))
        assert kinds == [*trials, "TracedArray", "TracedArray"]


def test_results_that_were_not_announced_are_an_error():
    f = ag.to_jax(lambda x: x * 2, result_shape_dtypes=jax.ShapeDtypeStruct((2,), np.float64))
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"must return an array .* shape \(2,\)"):
        jax.jit(f)(jnp.ones(3)).block_until_ready()


def test_a_batch_at_once():
    sizes = []

    def f(x, y):
        sizes.append(x.shape)
        return np.sum(x**3 * y, axis=-1)

    x = jnp.asarray(np.stack([X, Y]))
    f_at_once = ag.to_jax(f, vmap_method="broadcast_all")
    found = jax.jit(jax.vmap(jax.grad(f_at_once, (0, 1)), (0, None)))(x, jnp.asarray(Y))
    same(found, (3 * x**2 * Y, x**3))
    assert {(2, 3)} == {*sizes} - {(3,)}  # trials have one row
    wrong = ag.to_jax(lambda x: np.sum(x), vmap_method="broadcast_all")
    with pytest.raises(errors.ShapeError):
        jax.vmap(wrong)(x)
    with pytest.raises(ValueError, match="vmap_method"):
        ag.to_jax(f, vmap_method="legacy")


def test_loops_and_linear_functions_of_jax():
    f = ag.to_jax(lambda x: np.sum(x**2))
    x = jnp.asarray(X)
    step = lambda f: lambda c, _: (c * 0.5 * f(c), None)
    loop = lambda f: lambda x: jax.lax.scan(step(f), x, None, length=3)[0].sum()
    gradient = lambda f: jax.jit(jax.grad(loop(f)))(x)
    same(gradient(f), gradient(lambda x: jnp.sum(x**2)))
    same(jax.linearize(f, x)[1](x), 2 * np.sum(X**2))
    same(jax.linear_transpose(jax.vjp(f, x)[1], jnp.asarray(1.0))((x,))[0], 2 * np.sum(X**2))
    same(jax.grad(jax.checkpoint(f))(x), 2 * X)


def test_precision_is_what_jax_is_set_to():
    with jax.enable_x64(False):
        y = ag.to_jax(lambda x: (x * np.float64(2.0), np.argsort(x)))(jnp.ones(2))
        assert [str(part.dtype) for part in y] == ["float32", "int32"]
        assert ag.from_jax(lambda x: x * 2)(np.ones(2, np.float32)).dtype == np.float32
        with pytest.raises(errors.DtypeError, match="jax makes float32 of float64"):
            ag.from_jax(lambda x: x)(np.ones(2))
