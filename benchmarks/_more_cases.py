"""Five more cases: a Gaussian process, a filter, an embedding, updates in place, an ODE."""

from typing import Any

import numpy as np

from benchmarks._cases import CASES, Arrays, Case

__all__ = ["EVERY_CASE"]

# --- gp: a Gaussian process, 200 points in 3 dimensions, a length scale for each -----------------


def gp(xp: Any, parameters: Arrays, x: Any, y: Any, identity: Any) -> Any:
    """Return the negative log marginal likelihood, up to a constant."""
    scales, amplitude, noise = (xp.exp(each) for each in parameters)
    apart = (x[:, None, :] - x[None, :, :]) / scales
    kernel = amplitude * xp.exp(-0.5 * xp.sum(apart * apart, axis=-1)) + noise * identity
    factor = xp.linalg.cholesky(kernel)
    whitened = xp.linalg.solve(factor, y)
    return 0.5 * xp.sum(whitened * whitened) + xp.sum(xp.log(xp.linalg.diagonal(factor)))


def gp_by_hand(parameters: Arrays, x: Any, y: Any, identity: Any) -> tuple[Any, Arrays]:
    """With a = K⁻¹y, the gradient by K is (K⁻¹ - aaᵀ) / 2."""
    scales, amplitude, noise = (np.exp(each) for each in parameters)
    apart = (x[:, None, :] - x[None, :, :]) / scales
    squares = apart * apart
    smooth = amplitude * np.exp(-0.5 * np.sum(squares, axis=-1))
    factor = np.linalg.cholesky(smooth + noise * identity)
    inverse_factor = np.linalg.inv(factor)
    whitened = inverse_factor @ y
    value = 0.5 * np.sum(whitened * whitened) + np.sum(np.log(np.diagonal(factor)))
    a = whitened @ inverse_factor
    g = 0.5 * (inverse_factor.T @ inverse_factor - a[:, None] * a)
    g_smooth = (g * smooth).reshape(-1)
    g_scales = g_smooth @ squares.reshape(-1, scales.size)
    return value, [g_scales, np.sum(g_smooth), noise * np.trace(g)]


def make_gp(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw logarithms of the hyperparameters, places, and a noisy function of them."""
    x = rng.uniform(-2, 2, size=(200, 3))
    y = np.sin(x @ np.ones(3)) + rng.normal(size=200) / 3
    return [rng.normal(size=3) / 10, np.asarray(0.2), np.asarray(-2.0)], [x, y, np.eye(200)]


# --- fft: a filter of 8 signals, 4096 samples each ----------------------------------------------


def fft(xp: Any, parameters: Arrays, target: Any) -> Any:
    """Return the mean square of what is left when signals are filtered."""
    x, response = parameters
    rest = xp.fft.irfft(xp.fft.rfft(x) * response) - target
    return xp.mean(rest * rest)


def fft_by_hand(parameters: Arrays, target: Any) -> tuple[Any, Arrays]:
    """The filter is its own transpose; frequencies but the first and the last count twice."""
    x, response = parameters
    spectrum = np.fft.rfft(x)
    rest = np.fft.irfft(spectrum * response) - target
    g = np.fft.rfft(rest * (2 / rest.size))
    g_response = np.sum((np.conj(spectrum) * g).real, axis=0)
    g_response[1:-1] *= 2
    g_response /= x.shape[-1]
    return np.mean(rest * rest), [np.fft.irfft(g * response), g_response]


def make_fft(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw signals, a response that falls with the frequency, and what should come out."""
    response = 1 / (1 + np.arange(2049) / 200) + rng.normal(size=2049) / 100
    return [rng.normal(size=(8, 4096)), response], [rng.normal(size=(8, 4096))]


# --- gather: 4096 of 5000 embeddings of width 32, the first far more often, and a dense layer ----


def gather(xp: Any, parameters: Arrays, indices: Any, targets: Any) -> Any:
    """Return the mean square error of what the layer says of the rows looked up."""
    table, weight, bias = parameters
    rest = xp.tanh(table[indices] @ weight + bias) - targets
    return xp.mean(rest * rest)


def gather_by_hand(parameters: Arrays, indices: Any, targets: Any) -> tuple[Any, Arrays]:
    """Sort the indices, and sum the runs of equal ones."""
    table, weight, bias = parameters
    rows = table[indices]
    y = np.tanh(rows @ weight + bias)
    rest = y - targets
    g = rest * (2 / rest.size) * (1 - y * y)
    order = np.argsort(indices, kind="stable")
    which = indices[order]
    starts = np.flatnonzero(np.diff(which, prepend=-1))
    g_table = np.zeros_like(table)
    g_table[which[starts]] = np.add.reduceat((g @ weight.T)[order], starts, axis=0)
    return np.mean(rest * rest), [g_table, rows.T @ g, np.sum(g, axis=0)]


def make_gather(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw a table, a layer, indices as skewed as words are, and targets."""
    parameters = [rng.normal(size=(5000, 32)), rng.normal(size=(32, 16)) / 6, np.zeros(16)]
    indices = np.minimum(rng.zipf(1.3, size=4096), 5000) - 1
    return parameters, [indices, rng.normal(size=(4096, 16))]


# --- masked: 50 rounds of two updates in place, of 4000 numbers ---------------------------------

SHIFT, PART = 1000, 1500


def windows(masks: Any) -> list[tuple[int, int]]:
    """Return where the slice that each round adds to starts, and the one that it adds."""
    return [(37 * turn % SHIFT, SHIFT + 23 * turn % SHIFT) for turn in range(masks.shape[0])]


def masked(xp: Any, parameters: Arrays, masks: Any) -> Any:
    """Damp some numbers, add a window to another."""
    x, damping = parameters
    y = damping * x
    for mask, (to, start) in zip(masks, windows(masks), strict=True):
        y[mask] = damping * y[mask]
        y[to : to + PART] += 0.1 * xp.tanh(y[start : start + PART])
    return xp.mean(y * y)


def masked_without_assignment(xp: Any, parameters: Arrays, masks: Any) -> Any:
    """Do the same for who cannot assign."""
    x, damping = parameters
    y = damping * x
    for mask, (to, start) in zip(masks, windows(masks), strict=True):
        y = xp.where(mask, damping * y, y)
        window = y[to : to + PART] + 0.1 * xp.tanh(y[start : start + PART])
        y = xp.concat([y[:to], window, y[to + PART :]])
    return xp.mean(y * y)


def masked_by_hand(parameters: Arrays, masks: Any) -> tuple[Any, Arrays]:
    """Keep what was damped and the results of tanh; update one gradient in place, backwards."""
    x, damping = parameters
    y = damping * x
    kept = []
    for mask, (to, start) in zip(masks, windows(masks), strict=True):
        picked = y[mask]
        y[mask] = damping * picked
        added = np.tanh(y[start : start + PART])
        y[to : to + PART] += 0.1 * added
        kept.append((mask, to, start, picked, added))
    g, g_damping = y * (2 / y.size), np.zeros_like(damping)
    for mask, to, start, picked, added in reversed(kept):
        g[start : start + PART] += g[to : to + PART] * (0.1 * (1 - added * added))
        g_picked = g[mask]
        g_damping += g_picked @ picked
        g[mask] = damping * g_picked
    return np.mean(y * y), [damping * g, g_damping + g @ x]


def make_masked(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw numbers and masks; a damping close to one."""
    return [rng.normal(size=4000), np.asarray(0.95)], [rng.random((50, 4000)) < 0.3]


# --- ode: 100 Runge-Kutta steps of y' = W tanh(y) + b - y, 16 components ------------------------

STEPS, STEP = 100, 0.05


def ode(xp: Any, parameters: Arrays) -> Any:
    """Return the mean square of the state in the end."""
    y, weight, bias = parameters

    def slope(y: Any) -> Any:
        return weight @ xp.tanh(y) + bias - y

    for _ in range(STEPS):
        k1 = slope(y)
        k2 = slope(y + STEP / 2 * k1)
        k3 = slope(y + STEP / 2 * k2)
        k4 = slope(y + STEP * k3)
        y = y + STEP / 6 * (k1 + 2 * (k2 + k3) + k4)
    return xp.mean(y * y)


def ode_by_hand(parameters: Arrays) -> tuple[Any, Arrays]:
    """Keep the tanh of every stage; walk back through the stages of every step."""
    y, weight, bias = parameters
    kept = []
    for _ in range(STEPS):
        k, total = np.zeros_like(y), np.zeros_like(y)
        for ahead, share in ((0.0, 1.0), (STEP / 2, 2.0), (STEP / 2, 2.0), (STEP, 1.0)):
            stage = y + ahead * k
            t = np.tanh(stage)
            k = weight @ t + bias - stage
            total += share * k
            kept.append(t)
        y = y + STEP / 6 * total
    g, g_weight, g_bias = y * (2 / y.size), np.zeros_like(weight), np.zeros_like(bias)
    for _ in range(STEPS):
        g_stage, g_y = np.zeros_like(g), g
        for share, ahead in ((1.0, 0.0), (2.0, STEP), (2.0, STEP / 2), (1.0, STEP / 2)):
            t = kept.pop()
            g_k = STEP / 6 * share * g + ahead * g_stage
            g_weight += g_k[:, None] * t
            g_bias += g_k
            g_stage = (g_k @ weight) * (1 - t * t) - g_k
            g_y = g_y + g_stage
        g = g_y
    return np.mean(y * y), [g, g_weight, g_bias]


def make_ode(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw a state, and weights that keep it moving."""
    return [rng.normal(size=16), rng.normal(size=(16, 16)) / 3, rng.normal(size=16) / 10], []


EVERY_CASE = CASES | {
    "gp": Case(gp, gp_by_hand, make_gp),
    "fft": Case(fft, fft_by_hand, make_fft),
    "gather": Case(gather, gather_by_hand, make_gather),
    "masked": Case(
        masked,
        masked_by_hand,
        make_masked,
        spellings=dict.fromkeys(("autograd", "jax.jit"), masked_without_assignment),
    ),
    "ode": Case(ode, ode_by_hand, make_ode),
}
