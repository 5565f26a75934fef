"""The updates: formulas, dtypes, broadcasting and gradients, on every library."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arraygrad._namespace import array_namespace
from arraygrad.autodiff import autodiff_named
from arraygrad.container import Container
from arraygrad.updates import adam_step, adam_update, lamb_update, lars_update
from conformance_tests.backends import load
from conformance_tests.update_cases import (
    G,
    M,
    V,
    W,
    adam,
    close,
    every_update,
    lamb,
    layerwise,
    plain,
    plain_adam,
    with_moments,
)


@every_update
@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-6), ("float64", 1e-13)])
def test_an_update_is_its_formula(backend, update, dtype, rtol):
    results = update(*(backend.asarray(x, dtype) for x in (W, G, M, V)))
    for got, want in zip(results, plain(update, W, G, M, V), strict=True):
        assert got.dtype == backend.dtype(dtype)
        close(backend, got, want, rtol, atol=1e-7 if dtype == "float32" else 1e-14)


@every_update
def test_complex_weights_follow_the_squared_magnitude(backend, update):
    w, g, m = W + 1j * G, G - 1j * W, M * (1 + 2j)
    results = update(*(backend.asarray(x, "complex128") for x in (w, g, m)), backend.asarray(V))
    for got, want in zip(results, plain(update, w, g, m, V), strict=True):
        close(backend, got, want)


@pytest.mark.parametrize("step", [1, 3.6, 1000])
def test_step_and_betas_may_be_arrays(backend, step):
    numbers = [step, 0.8, 0.95, 1e-6]
    step_, beta1, beta2, epsilon = (backend.asarray(x) for x in numbers)
    g, m, v = (backend.asarray(x) for x in (G, M, V))
    results = adam_step(g, m, v, step_, beta1=beta1, beta2=beta2, epsilon=epsilon)
    for got, want in zip(results, plain_adam(G, M, V, *numbers), strict=True):
        close(backend, got, want)


@pytest.mark.parametrize("step", [1, 3, 10_000])
def test_an_array_step_is_as_accurate_as_a_number_in_single_precision(backend, step):
    operands = [backend.asarray(x, "float32") for x in (G, M, V)]
    delta, _, _ = adam_step(*operands, backend.asarray([step], "int64"))
    close(backend, delta, plain_adam(G, M, V, step)[0], rtol=2e-6)


def test_a_nan_in_the_mean_square_stays_and_a_negative_one_counts_as_zero(backend):
    ones, v = backend.asarray([1.0, 1.0]), backend.asarray([np.nan, -1.0])
    delta, _, _ = adam_step(ones, ones, v, 1)
    close(backend, delta, plain_adam(1.0, 1.0, np.asarray([np.nan, -1.0]), 1)[0])


@pytest.mark.parametrize("update", [layerwise, lamb])
def test_zero_weights_move(backend, update):
    zero, g = backend.asarray([0.0, 0.0]), backend.asarray([1.0, -1.0])
    w, _, _ = update(zero, g, zero, zero)
    assert (np.abs(backend.to_numpy(w)) > 0.01).all()


@every_update
def test_zero_gradients_of_zero_weights_change_nothing(backend, update):
    zero = backend.asarray([0.0, 0.0])
    for result in update(zero, zero, zero, zero):
        close(backend, result, [0.0, 0.0])


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    ones=st.lists(st.booleans(), min_size=3, max_size=3),
    dropped=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_everything_broadcasts_to_the_weights(backend, shape, ones, dropped, seed):
    draw = np.random.default_rng(seed).normal
    smaller = tuple(1 if one else n for n, one in zip(shape, ones, strict=False))[dropped:]
    w, g, m, v, lr = draw(size=shape), draw(size=smaller), draw(size=smaller), 0.5, draw(size=shape)
    v = np.full(shape, v)
    delta, new_m, new_v = plain_adam(g, m, v, 2)
    arrays = [backend.asarray(x) for x in (w, g, lr, m, v)]
    for got, want in zip(adam_update(*arrays, 2), (w - lr * delta, new_m, new_v), strict=True):
        assert tuple(got.shape) == np.shape(want)
        close(backend, got, want)


# --- parity with the optimizers that others have --------------------------------------------------


def test_adam_is_that_of_torch_up_to_where_epsilon_stands(backend):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Parameter(torch.asarray(W.copy()))
    optimizer = torch.optim.Adam([theirs], lr=0.1, eps=1e-8)
    w, m, v = backend.asarray(W), backend.asarray(np.zeros_like(W)), backend.asarray(np.zeros(3))
    for step in range(1, 6):
        g = G * step
        theirs.grad = torch.asarray(g)
        optimizer.step()
        epsilon = 1e-8 * math.sqrt(1 - 0.999**step)
        w, m, v = adam_update(w, backend.asarray(g), 0.1, m, v, step, epsilon=epsilon)
    close(backend, w, theirs.detach().numpy(), rtol=1e-6)  # epsilon also joins 1 - beta1**step


def in_double_precision(jnp):
    """Return jax.numpy, prepared as for the suite; its own backend may not be among those asked."""
    load("jax")
    return jnp


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_lars_is_that_of_optax(backend, decay):
    optax = pytest.importorskip("optax")
    jnp = in_double_precision(pytest.importorskip("jax.numpy"))
    optimizer = optax.chain(
        optax.add_decayed_weights(decay), optax.scale_by_trust_ratio(), optax.scale(-0.1)
    )
    w, g = jnp.asarray(W), jnp.asarray(G)
    updates, _ = optimizer.update(g, optimizer.init(w), w)
    if decay:  # optax divides by the norm of the sum, the paper by the sum of the norms
        norm_w, norm_g = np.linalg.norm(W), np.linalg.norm(G)
        updates *= np.linalg.norm(G + decay * W) / (norm_g + decay * norm_w)
    got = lars_update(backend.asarray(W), backend.asarray(G), 0.1, decay_lambda=decay)
    close(backend, got, np.asarray(w + updates), rtol=1e-11)


def test_lamb_is_that_of_optax_up_to_where_epsilon_stands(backend):
    optax = pytest.importorskip("optax")
    jnp = in_double_precision(pytest.importorskip("jax.numpy"))
    optimizer = optax.lamb(0.1, eps=1e-8, weight_decay=0.3)
    theirs = jnp.asarray(W)
    state = optimizer.init(theirs)
    w, m, v = (backend.asarray(x) for x in (W, np.zeros_like(W), np.zeros_like(W)))
    for step in range(1, 4):
        updates, state = optimizer.update(jnp.asarray(G), state, theirs)
        theirs = theirs + updates
        keywords = {"epsilon": 1e-8 * math.sqrt(1 - 0.999**step), "decay_lambda": 0.3}
        w, m, v = lamb_update(w, backend.asarray(G), 0.1, m, v, step, **keywords)
    close(backend, w, np.asarray(theirs), rtol=1e-6, atol=1e-9)


# --- dtypes ---------------------------------------------------------------------------------------


@every_update
def test_results_keep_their_dtypes_whatever_the_others_have(backend, update):
    w, m, v = backend.asarray(W, "float32"), backend.asarray(M), backend.asarray(V, "float32")
    new_w, new_m, new_v = update(w, backend.asarray(G), m, v)
    assert [x.dtype for x in (new_w, new_m, new_v)] == [w.dtype, m.dtype, v.dtype]


def test_array_hyperparameters_never_promote(backend):
    w = backend.asarray(W, "float32")
    rate, step = backend.asarray(0.1), backend.asarray(2, "int64")
    keywords = {"max_trust_ratio": backend.asarray(10, "int32"), "decay_lambda": rate}
    for result in lamb_update(w, w, rate, w, w, step, beta1=rate, epsilon=rate, **keywords):
        assert result.dtype == w.dtype


def test_integer_gradients_are_cast(backend):
    g, (m, v) = (
        backend.asarray([1, 2, 3], "int32"),
        (backend.asarray(x[0], "float32") for x in (M, V)),
    )
    expected = plain_adam(np.arange(1, 4), M[0], V[0], 3)
    for got, want in zip(adam_step(g, m, v, 3), expected, strict=True):
        assert got.dtype == m.dtype
        close(backend, got, want, rtol=2e-6)


@pytest.mark.parametrize(
    ("library", "dtype"),
    [("numpy", "float16"), ("torch", "float16"), ("torch", "bfloat16"), ("jax", "bfloat16")],
)
def test_half_precision_is_computed_in_single(library, dtype):
    pytest.importorskip(library)
    backend = load(library)
    w = backend.asarray([300.0, 300.0], dtype)  # whose squares overflow
    result = lars_update(w, backend.asarray([1.0, 1.0], dtype), 0.1)
    assert result.dtype == w.dtype
    assert [float(result[i]) for i in range(2)] == pytest.approx([270.0, 270.0], rel=4e-3)


def test_complex_weights_take_real_moments_and_gradients(backend):
    w, g = backend.asarray(W + 1j, "complex64"), backend.asarray(G, "float32")
    new_w, new_m, new_v = adam_update(w, g, 0.1, g, g * g, 1)
    assert [x.dtype for x in (new_w, new_m, new_v)] == [w.dtype, g.dtype, g.dtype]
    new_w, _, new_v = adam_update(w, w, 0.1, w, w, 1)
    assert [x.dtype for x in (new_w, new_v)] == [w.dtype, w.dtype]


# --- gradients and traces -------------------------------------------------------------------------


def gradient(backend, function, *leaves):
    """Return the gradients of a function of arrays, by the library's autodiff."""

    def listed(leaves, constants):
        return [function(*leaves)], []

    autodiff = autodiff_named(backend.autodiff)
    (y,), pullback, _ = autodiff.vjp(listed, list(leaves), [], once=True)
    return pullback([backend.xp.ones_like(y)])


def total(x):
    """Sum all elements of an array, traced or not."""
    return array_namespace(x).sum(x * x)


@every_update
def test_gradients_flow_through_an_update(backend, update):
    def loss(w, g, m, v):
        return total(update(w, g, m, v, stop_gradients=False)[0])

    points = (W + 0.5, G + 0.5, M, V)
    found = gradient(backend, loss, *(backend.asarray(x) for x in points))
    for i, got in enumerate(found):
        direction = np.cos(np.arange(6.0)).reshape(2, 3)
        ends = []
        for sign in (1, -1):
            moved = [x + sign * 1e-6 * direction * (i == j) for j, x in enumerate(points)]
            ends.append((plain(update, *moved)[0] ** 2).sum())
        want = (ends[0] - ends[1]) / 2e-6
        assert (backend.to_numpy(got) * direction).sum() == pytest.approx(want, rel=1e-6, abs=1e-8)


def test_the_learning_rate_has_a_gradient_beside_arrays_closed_over(backend):
    w, g, m, v = (backend.asarray(x) for x in (W, G, M, V))

    def loss(lr):
        return total(adam_update(w, g, lr, m, v, 3, stop_gradients=False)[0])

    (found,) = gradient(backend, loss, backend.asarray(0.1))
    delta = plain_adam(G, M, V, 3)[0]
    close(backend, found, (-2 * delta * (W - 0.1 * delta)).sum())


@with_moments
def test_gradients_of_zero_moments_are_finite(backend, update):
    def loss(g, zero):
        return total(update(zero + 1.0, g, zero, zero, stop_gradients=False)[0])

    zero = backend.asarray([0.0, 0.0])
    for found in gradient(backend, loss, backend.asarray([0.0, 1.0]), zero):
        assert np.isfinite(backend.to_numpy(found)).all()


@every_update
def test_stop_gradients_cuts_weights_and_moments(backend, update):
    def loss(w, g, m, v):
        results = update(w, g, m * 1.0, v * 1.0)
        moments = results[1:] if update in (adam, lamb) else ()
        return total(results[0]) + sum(total(x) for x in moments)

    for found in gradient(backend, loss, *(backend.asarray(x) for x in (W, G, M, V))):
        close(backend, found, np.zeros_like(W))


@every_update
def test_updates_run_under_jit(update):
    jax = pytest.importorskip("jax")
    backend = load("jax")
    trees = [Container(a=backend.asarray(x)) for x in (W, G, M, V)]
    for got, want in zip(jax.jit(update)(*trees), plain(update, W, G, M, V), strict=True):
        close(backend, got.a, want)


def test_a_traced_step_is_not_read():
    jax = pytest.importorskip("jax")
    backend = load("jax")
    delta, _, _ = jax.jit(adam_step)(*(backend.asarray(x) for x in (G, M, V)), 3)
    close(backend, delta, plain_adam(G, M, V, 3)[0])


@every_update
def test_updates_read_no_values_of_torch(update):
    torch = pytest.importorskip("torch")
    meta = [torch.empty((2, 3), device="meta") for _ in range(4)]
    assert {x.device.type for x in update(*meta)} == {"meta"}
