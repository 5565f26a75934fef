"""The jax adapter: under jax's transformations, and with our convention for complex numbers."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy
from arraygrad.autodiff import jax as adapter  # noqa: E402 -- needs jax


def equal(found, expected):
    """Compare an array with its expected values."""
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def cube(x):
    """Sum third powers: gradient 3x²."""
    return jnp.sum(x**3)


X = [1.0, 2.0]
BATCH = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("once", [True, False])
def test_outputs_pullback_and_aux(once):
    marker = object()

    def body(leaves, constants):
        x, y = leaves
        return [x * y, jnp.sum(x), constants[0]], ["text", x * 2, marker, None]

    leaves = [jnp.asarray(X), jnp.asarray(3.0)]
    outputs, pullback, aux = adapter.vjp(body, leaves, [jnp.asarray([7.0])], once=once)
    equal(outputs[0], [3.0, 6.0])
    assert aux[0] == "text"
    assert aux[2:] == [marker, None]
    equal(aux[1], [2.0, 4.0])
    first, second = pullback([jnp.asarray([1.0, 10.0]), jnp.asarray(100.0), jnp.asarray([5.0])])
    equal(first, [103.0, 130.0])
    equal(second, 21.0)


def test_a_pullback_for_a_single_call_refuses_a_second():
    body = lambda leaves, _: ([leaves[0] * 2], [])
    _, pullback, _ = adapter.vjp(body, [jnp.asarray(X)], [], once=True)
    pullback([jnp.asarray(X)])
    with pytest.raises(errors.SpentTapeError, match="single call"):
        pullback([jnp.asarray(X)])


def test_cotangents_and_gradients_are_conjugated():
    body = lambda leaves, _: ([(2.0 + 3.0j) * leaves[0]], [])
    z = jnp.asarray([1.0 + 1.0j])
    _, pullback, _ = adapter.vjp(body, [z], [])
    equal(pullback([jnp.asarray([1.0 + 0.0j])])[0], [2.0 - 3.0j])
    equal(ag.grad(lambda z: jnp.abs(z) ** 2)(jnp.asarray(1.0 + 2.0j)), 2.0 + 4.0j)
    equal(jax.grad(lambda z: jnp.abs(z) ** 2)(jnp.asarray(1.0 + 2.0j)), 2.0 - 4.0j)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (lambda g: jax.jit(g), [3.0, 12.0]),
        (lambda g: jax.grad(lambda x: jnp.sum(g(x))), [6.0, 12.0]),
        (lambda g: lambda x: jax.jvp(g, (x,), (x,))[1], [6.0, 24.0]),
        (lambda g: jax.jacrev(g), [[6.0, 0.0], [0.0, 12.0]]),
        (lambda g: jax.jacfwd(g), [[6.0, 0.0], [0.0, 12.0]]),
    ],
)
def test_gradients_inside_transformations(transform, expected):
    equal(transform(ag.grad(cube))(jnp.asarray(X)), expected)


def test_gradients_inside_vmap_and_jit():
    batch = jnp.asarray(BATCH)
    for gradient in (ag.grad(cube), lambda x: ag.vjp(cube, x)[1](1.0)[0]):
        equal(jax.vmap(gradient)(batch), [[3.0, 12.0], [27.0, 48.0]])
        equal(jax.jit(jax.vmap(gradient))(batch), [[3.0, 12.0], [27.0, 48.0]])
    equal(jax.vmap(lambda x: ag.jvp(cube, (x,), (x,))[1])(batch), [27.0, 273.0])


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (ag.jac(lambda x: x**3), [[3.0, 0.0], [0.0, 12.0]]),
        (ag.jac(lambda x: x**3, mode="forward"), [[3.0, 0.0], [0.0, 12.0]]),
        (ag.hessian(cube), [[6.0, 0.0], [0.0, 12.0]]),
        (lambda x: ag.hvp(cube, (x,), (x,))[0], [6.0, 24.0]),
        (lambda x: ag.execute_with_gradients(cube, x)[1], [3.0, 12.0]),
        (ag.grad(lambda x: cube(ag.stop_gradient(x)) * x[0]), [9.0, 0.0]),
        (ag.grad(cube, nonfinite="zero"), [3.0, 12.0]),
    ],
)
def test_operators_inside_jit(operator, expected):
    equal(jax.jit(operator)(jnp.asarray(X)), expected)


def test_transformations_inside():
    x = jnp.asarray(X)
    equal(ag.grad(lambda x: jnp.sum(jax.grad(cube)(x)))(x), [6.0, 12.0])
    equal(ag.grad(lambda x: jnp.sum(jax.vmap(lambda y: y**3)(x)))(x), [3.0, 12.0])
    equal(ag.grad(jax.jit(cube))(x), [3.0, 12.0])
    equal(ag.grad(jax.checkpoint(cube))(x), [3.0, 12.0])


def test_trees_pass_through_jit():
    weights = ag.Container(a=jnp.asarray(X), b={"c": jnp.asarray(3.0)})
    found = jax.jit(ag.grad(lambda w: cube(w.a) * w.b["c"]))(weights)
    assert isinstance(found, ag.Container)
    equal(found.a, [9.0, 36.0])
    equal(found.b["c"], 9.0)


def test_a_jitted_gradient_is_traced_once():
    traces = []

    def f(x):
        traces.append(x)
        return cube(x)

    gradient = jax.jit(ag.value_and_grad(f))
    for scale in (1.0, 2.0, 3.0):
        gradient(jnp.asarray(X) * scale)
    assert len(traces) == 1


def test_nothing_is_compiled_per_call(monkeypatch):
    def refuse(*arguments, **options):
        message = "a new jit"
        raise AssertionError(message)

    monkeypatch.setattr(jax, "jit", refuse)
    x = jnp.asarray(X)
    equal(ag.grad(cube)(x), [3.0, 12.0])
    equal(ag.hessian(cube)(x), [[6.0, 0.0], [0.0, 12.0]])


def test_arrays_on_several_devices_are_left_to_jax():
    """Jax moves uncommitted arrays by itself, and a sharded one lies on several devices."""
    device = jax.devices()[0]
    x = jax.device_put(jnp.asarray(X), device)
    sharding = jax.sharding.NamedSharding(
        jax.sharding.Mesh(np.asarray([device]), ("i",)), jax.sharding.PartitionSpec("i")
    )
    y = jax.device_put(jnp.asarray(X), sharding)
    equal(ag.grad(lambda x, y: jnp.sum(x * y))(x, y), X)
