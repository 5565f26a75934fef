"""The optimizer kernels: their formulas, written once more and plainly, and where they are used."""

import math

import array_api_strict
import numpy as np
import pytest

from arraygrad.kernels import norms
from arraygrad.kernels.adam import adam_direction, adam_ivy
from arraygrad.kernels.lamb import lamb_ivy
from arraygrad.kernels.lars import lars_ivy
from arraygrad.kernels.moments import one_minus_power
from arraygrad.kernels.sgd import sgd

W = np.asarray([[3.0, -1.0], [0.5, 2.0]])
G = np.asarray([[0.1, -0.4], [2.0, 0.0]])
M = np.asarray([[0.2, 0.1], [-0.3, 0.4]])
V = np.asarray([[0.5, 0.3], [0.2, 0.1]])
BETAS = (0.8, 0.95, 1e-6)
LAMB_OPERANDS = (W, G, M, V, 0.1, 3, *BETAS, 10.0, 0.3)


ADAM = ("step", "beta1", "beta2", "epsilon")
LAMB = ("learning_rate", *ADAM, "max_trust_ratio", "weight_decay")


def direction(g, m, v, *scalars):
    """Call the kernel of Adam's direction."""
    return adam_direction(np, g, m, v, **dict(zip(ADAM, scalars, strict=True)))


def lars(w, g, rate, decay):
    """Call the kernel of LARS."""
    return lars_ivy(np, w, g, learning_rate=rate, weight_decay=decay)[0]


def lamb(xp, w, g, m, v, *scalars):
    """Call the kernel of LAMB."""
    return lamb_ivy(xp, w, g, m, v, **dict(zip(LAMB, scalars, strict=True)))


def plain_adam(g, m, v, step, beta1, beta2, epsilon):
    """Return Adam's direction and moments."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
    rate = math.sqrt(1 - beta2**step) / (1 - beta1**step + epsilon)
    return rate * m / (np.sqrt(v) + epsilon), m, v


def plain_norm(x):
    """Return the 2-norm over all elements."""
    return np.linalg.norm(np.reshape(x, -1))


def test_gradient_descent_goes_against_the_gradient():
    np.testing.assert_array_equal(sgd(np, W, G, learning_rate=0.5)[0], -0.5 * G)


def test_adam_is_its_formula():
    expected = plain_adam(G, M, V, 3, *BETAS)
    for got, want in zip(direction(G, M, V, 3, *BETAS), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)
    rates = dict(zip(ADAM, (3, *BETAS), strict=True))
    update, _, _ = adam_ivy(np, W, G, M, V, learning_rate=0.1, **rates)
    np.testing.assert_allclose(update, -0.1 * expected[0], rtol=1e-14)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_lars_is_its_formula(decay):
    rate = plain_norm(W) / (plain_norm(G) + decay * plain_norm(W) + 1e-12)
    expected = -0.1 * rate * (G + decay * W)
    np.testing.assert_allclose(lars(W, G, 0.1, decay), expected, rtol=1e-14)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("bound", [0.2, 10.0])
def test_lamb_is_its_formula(decay, bound):
    delta, m, v = plain_adam(G, M, V, 3, *BETAS)
    step = delta + decay * W
    expected = -0.1 * min(plain_norm(W) / (plain_norm(step) + 1e-12), bound) * step
    got = lamb(np, W, G, M, V, 0.1, 3, *BETAS, bound, decay)
    for value, want in zip(got, (expected, m, v), strict=True):
        np.testing.assert_allclose(value, want, rtol=1e-13)


def test_zero_norms_make_the_trust_ratio_one():
    zero = np.zeros(2)
    np.testing.assert_array_equal(lars(zero, np.ones(2), 0.1, 0.0), [-0.1, -0.1])
    np.testing.assert_array_equal(lars(np.ones(2), zero, 0.1, 0.0), zero)
    delta, _, _ = plain_adam(np.ones(2), zero, zero, 1, 0.9, 0.999, 1e-7)
    update, _, _ = lamb(np, zero, np.ones(2), zero, zero, 0.1, 1, 0.9, 0.999, 1e-7, 10.0, 0.0)
    np.testing.assert_allclose(update, -0.1 * delta, rtol=1e-14)


def test_the_root_keeps_a_nan_and_takes_a_negative_mean_for_zero():
    root = norms.root(np, np.asarray([np.nan, -1.0, 0.0, 4.0]))
    assert np.isnan(root[0])
    np.testing.assert_allclose(root[1:], [0.0, 0.0, 2.0], atol=1e-150)


def test_squares_and_norms_of_complex_arrays_are_real():
    x = np.asarray([3 + 4j, 0])
    np.testing.assert_array_equal(norms.abs_squared(np, x), [25.0, 0.0])
    assert norms.abs_squared(np, x).dtype == np.float64
    assert norms.norm(np, x) == 5.0


@pytest.mark.parametrize("base", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("exponent", [1.0, 3.0, 1e6])
def test_the_bias_correction_does_not_cancel_in_single_precision(base, exponent):
    exact = -math.expm1(exponent * math.log(base)) if base else 1.0
    assert one_minus_power(np, base, exponent) == pytest.approx(exact, rel=1e-13)
    single = one_minus_power(np, base, np.float32(exponent).reshape(()))
    assert float(single) == pytest.approx(exact, rel=3e-7)


def test_kernels_stay_on_their_device():
    xp, device = array_api_strict, array_api_strict.Device("device1")
    operands = [
        xp.asarray(x.tolist() if isinstance(x, np.ndarray) else x, device=device, dtype=xp.float64)
        for x in LAMB_OPERANDS
    ]
    results = lamb(xp, *operands)
    assert {result.device for result in results} == {device}
    expected = lamb(np, *LAMB_OPERANDS)
    moved = [np.asarray(xp.asarray(x, device=xp.Device("CPU_DEVICE"))) for x in results]
    for got, want in zip(moved, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13)


def test_kernels_read_no_values_on_torch():
    torch = pytest.importorskip("torch")
    from arraygrad._namespace import array_namespace

    meta = [torch.asarray(x, device="meta", dtype=torch.float32) for x in LAMB_OPERANDS]
    for result in lamb(array_namespace(*meta), *meta):
        assert (result.device.type, result.shape, result.dtype) == ("meta", W.shape, torch.float32)


def test_kernels_run_under_jit():
    jax = pytest.importorskip("jax")
    results = jax.jit(lambda *operands: lamb(jax.numpy, *operands))(*LAMB_OPERANDS)
    for got, want in zip(results, lamb(np, *LAMB_OPERANDS), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)
