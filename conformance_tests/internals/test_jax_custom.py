"""Functions with their own derivative on JAX: in its own transformations too."""

import numpy as np
import pytest

import arraygrad as ag

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402 -- needs jax

jax.config.update("jax_enable_x64", True)


def forward(primals, tangents):
    """Return the tangent of x³."""
    return 3 * primals[0] ** 2 * tangents[0]


def f(x):
    """Return x³, with its pullback."""
    return x**3, lambda g: (3 * x**2 * g,)


cube = ag.custom_gradient(f)
pushed = ag.custom_gradient(f, forward=forward)
FUNCTIONS = [cube, pushed, ag.checkpoint(lambda x: x**3)]

every_function = pytest.mark.parametrize("function", FUNCTIONS)


@every_function
@pytest.mark.parametrize(
    "transform",
    [
        jax.grad,
        lambda f: jax.jit(jax.grad(f)),
        lambda f: jax.grad(jax.jit(f)),
        lambda f: jax.jit(ag.grad(f)),
        lambda f: ag.grad(jax.jit(f)),
    ],
)
def test_gradients_by_both_compiled_and_not(function, transform):
    assert float(transform(function)(jnp.asarray(2.0))) == 12.0


@every_function
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: jax.grad(jax.grad(f)),
        lambda f: jax.jit(jax.grad(ag.grad(f))),
        lambda f: ag.grad(jax.jit(jax.grad(f))),
        lambda f: jax.jit(ag.hessian(f)),
    ],
)
def test_second_derivatives(function, transform):
    assert float(transform(function)(jnp.asarray(2.0))) == 12.0


@every_function
def test_batches_and_loops(function):
    x = jnp.asarray([1.0, 2.0])
    np.testing.assert_allclose(jax.vmap(jax.grad(function))(x), [3.0, 12.0])

    def twice(x):
        return jax.lax.scan(lambda c, _: (function(c), None), x, None, length=2)[0]

    assert float(jax.grad(twice)(jnp.asarray(1.5))) == pytest.approx(9 * 1.5**8, rel=1e-13)


def test_forward_mode_of_jax_wants_a_forward_rule():
    x = jnp.asarray(2.0)
    assert float(jax.jvp(pushed, (x,), (x,))[1]) == 24.0
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(cube, (x,), (x,))


def test_forward_mode_of_ours_wants_none():
    x = jnp.asarray(2.0)
    assert float(jax.jit(lambda x: ag.jvp(cube, (x,), (x,))[1])(x)) == 24.0


def test_integer_arguments_that_are_traced():
    @ag.custom_gradient
    def taken(x, i):
        return x[i], lambda g: (jnp.zeros_like(x).at[i].add(g), None)

    total = lambda x, i: jnp.sum(taken(x, i))
    found = jax.jit(ag.grad(total))(jnp.asarray([1.0, 2.0, 3.0]), jnp.asarray([0, 2, 2]))
    np.testing.assert_array_equal(found, [1.0, 0.0, 2.0])


def test_concrete_values_need_one_run():
    runs = []

    @ag.custom_gradient
    def counted(x):
        runs.append(x)
        return jnp.asarray(np.asarray(x) * 2), lambda g: (2 * g,)

    assert float(ag.grad(counted)(jnp.asarray(3.0))) == 2.0
    assert len(runs) == 1
