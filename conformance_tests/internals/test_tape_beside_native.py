"""Tensors and jax arrays on the tape have the derivatives that torch and jax themselves find."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._namespace import array_namespace
from conformance_tests.products import push
from conformance_tests.trees import assert_close, map_tree

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402 -- needs jax

jax.config.update("jax_enable_x64", True)

NUMBERS = np.random.default_rng(3)
ARGUMENTS = {"b": (2,), "k": (4, 2), "q": (3, 2), "v": (4, 2)}  # sorted, as jax does
PARAMS = {name: NUMBERS.normal(size=shape) for name, shape in ARGUMENTS.items()}
DIRECTION = {name: NUMBERS.normal(size=shape) for name, shape in ARGUMENTS.items()}

# library: make an array, then its own gradient, Jacobian and product with a Hessian
NATIVE = {
    "torch": (
        torch.tensor,
        torch.func.grad_and_value,
        torch.func.jacrev,
        lambda f, x, t: torch.func.jvp(torch.func.grad(f), (x,), (t,))[1],
    ),
    "jax": (
        jnp.asarray,
        lambda f: jax.jit(lambda x: jax.value_and_grad(f)(x)[::-1]),
        lambda f: jax.jit(jax.jacrev(f)),
        jax.jit(lambda f, x, t: jax.jvp(jax.grad(f), (x,), (t,))[1], static_argnums=0),
    ),
}
every_library = pytest.mark.parametrize("library", NATIVE)


def attend(p):
    """Return what queries find among keys: products, a softmax, a slice and a mask."""
    xp = array_namespace(p["q"])
    scores = p["q"] @ p["k"].T / 2.0
    weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    found = (weights / xp.sum(weights, axis=-1, keepdims=True)) @ p["v"] + p["b"]
    return xp.where(found > 0, xp.tanh(found), found / 3)[1:, :]


def loss(p):
    """Return a number."""
    return array_namespace(p["q"]).sum(attend(p) ** 2)


def same(found, expected):
    """Compare trees of arrays of one library."""
    assert_close(map_tree(np.asarray, found), map_tree(np.asarray, expected), 1e-12)


@every_library
def test_value_and_gradient(library):
    make, gradient, *_ = NATIVE[library]
    params = map_tree(make, PARAMS)
    value, found = ag.value_and_grad(loss, autodiff="tape")(params)
    same((found, value), gradient(loss)(params))
    assert type(value) is type(params["q"])


@every_library
def test_jacobian(library):
    make, _, jacobian, _ = NATIVE[library]
    params = map_tree(make, PARAMS)
    for mode in ("reverse", "forward"):
        found = ag.jac(attend, mode=mode, autodiff="tape")(params)
        same(found, jacobian(attend)(params))


@every_library
def test_product_with_the_hessian(library):
    make, _, _, product = NATIVE[library]
    params, direction = map_tree(make, PARAMS), map_tree(make, DIRECTION)
    gradient = ag.grad(loss, autodiff="tape")
    found = push(gradient, (params,), "tape", (direction,))[1]
    same(found, product(loss, params, direction))


def test_the_tape_inside_of_torch_and_jax():
    f = lambda x: ag.grad(lambda x: array_namespace(x).sum(x**3), autodiff="tape")(x)
    x = np.asarray([1.0, 2.0])
    same(jax.jit(f)(jnp.asarray(x)), 3 * x**2)
    same(f(torch.tensor(x)), 3 * x**2)
