"""What the tests of updates share: numbers, the updates under one signature, plain formulas."""

import math

import numpy as np
import pytest

from arraygrad.updates import adam_update, gradient_descent_update, lamb_update, lars_update

W = np.asarray([[3.0, -1.0, 0.5], [2.0, 0.0, -4.0]])
G = np.asarray([[0.1, -0.4, 2.0], [0.0, 0.3, -0.2]])
M = np.asarray([[0.2, 0.1, -0.3], [0.4, 0.0, 0.5]])
V = np.asarray([[0.5, 0.3, 0.2], [0.1, 0.4, 0.6]])


def stateless(w, g, m, v, **keywords):
    """Call `gradient_descent_update` with the arguments of an update that has moments."""
    return gradient_descent_update(w, g, 0.1, **keywords), m, v


def layerwise(w, g, m, v, **keywords):
    """Call `lars_update` with the arguments of an update that has moments."""
    return lars_update(w, g, 0.1, decay_lambda=0.2, **keywords), m, v


def adam(w, g, m, v, **keywords):
    """Call `adam_update`."""
    return adam_update(w, g, 0.1, m, v, 3, **keywords)


def lamb(w, g, m, v, **keywords):
    """Call `lamb_update` with a decay."""
    return lamb_update(w, g, 0.1, m, v, 3, decay_lambda=0.2, **keywords)


UPDATES = [stateless, layerwise, adam, lamb]
every_update = pytest.mark.parametrize("update", UPDATES)
with_moments = pytest.mark.parametrize("update", [adam, lamb])


def close(backend, got, want, rtol=1e-12, atol=1e-14):
    """Assert that a library's array has these values."""
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=rtol, atol=atol)


def plain_adam(g, m, v, step, beta1=0.9, beta2=0.999, epsilon=1e-7):
    """Return Adam's direction and moments, in NumPy."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
    rate = math.sqrt(1 - beta2**step) / (1 - beta1**step + epsilon)
    return rate * m / (np.sqrt(np.maximum(v, 0)) + epsilon), m, v


def plain(update, w, g, m, v):
    """Return what an update gives, in NumPy."""
    if update is stateless:
        return w - 0.1 * g, m, v
    if update is layerwise:
        norm_w, norm_g = np.linalg.norm(w), np.linalg.norm(g)
        return w - 0.1 * norm_w / (norm_g + 0.2 * norm_w + 1e-12) * (g + 0.2 * w), m, v
    delta, m, v = plain_adam(g, m, v, 3)
    if update is adam:
        return w - 0.1 * delta, m, v
    u = delta + 0.2 * w
    return w - 0.1 * min(np.linalg.norm(w) / (np.linalg.norm(u) + 1e-12), 10) * u, m, v
