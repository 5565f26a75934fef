"""The eight cases: each a function of any namespace, its gradient by hand, and its data."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["CASES", "CHAIN_OPERATIONS", "Case"]

Arrays = list[Any]
CHAIN_OPERATIONS = 1000


@dataclass(frozen=True)
class Case:
    """A scalar function of (namespace, parameters, *data), differentiated by the parameters."""

    function: Callable[..., Any]
    hand: Callable[..., tuple[Any, Arrays]]
    make: Callable[[np.random.Generator], tuple[Arrays, Arrays]]
    # for peers that cannot run `function`: the same in other words
    spellings: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def data(self, dtype: str) -> tuple[Arrays, Arrays]:
        """Return its parameters and its data, always the same."""
        parameters, data = self.make(np.random.default_rng(0))
        return [x.astype(dtype) for x in parameters], [_cast(x, dtype) for x in data]

    def spelt_for(self, peer: str) -> "Case":
        """Return the case in words that a peer understands."""
        return replace(self, function=self.spellings.get(peer, self.function))


def _cast(x: Any, dtype: str) -> Any:
    """Cast floating-point data; leave indices and masks."""
    return x.astype(dtype) if x.dtype.kind == "f" else x


# --- chain: 1000 elementary operations, so that what an operation costs beside its values shows --


def chain(xp: Any, parameters: Arrays) -> Any:
    """Four operations, 250 times."""
    (x,) = parameters
    for _ in range(CHAIN_OPERATIONS // 4):
        x = xp.tanh(xp.sin(x) * 1.1 + 0.3)
    return xp.sum(x)


def chain_by_hand(parameters: Arrays) -> tuple[Any, Arrays]:
    """Keep the operands of sin and the results of tanh; walk back."""
    (x,) = parameters
    kept = []
    for _ in range(CHAIN_OPERATIONS // 4):
        y = np.tanh(np.sin(x) * 1.1 + 0.3)
        kept.append((x, y))
        x = y
    g = np.ones_like(x)
    for x, y in reversed(kept):
        g = g * (1 - y * y) * 1.1 * np.cos(x)
    return np.sum(kept[-1][1]), [g]


# --- mlp: two hidden layers, softmax cross-entropy ----------------------------------------------


def log_softmax(xp: Any, x: Any) -> Any:
    """Return the logarithm of softmax along the last axis."""
    shifted = x - xp.max(x, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def mlp(xp: Any, parameters: Arrays, x: Any, targets: Any) -> Any:
    """784 - 256 - 128 - 10, tanh."""
    w1, b1, w2, b2, w3, b3 = parameters
    h = xp.tanh(x @ w1 + b1)
    h = xp.tanh(h @ w2 + b2)
    return -xp.sum(targets * log_softmax(xp, h @ w3 + b3)) / x.shape[0]


def mlp_by_hand(parameters: Arrays, x: Any, targets: Any) -> tuple[Any, Arrays]:
    """Back-propagate as textbooks do."""
    w1, b1, w2, b2, w3, b3 = parameters
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    logs = log_softmax(np, h2 @ w3 + b3)
    g3 = (np.exp(logs) - targets) / x.shape[0]
    g2 = (g3 @ w3.T) * (1 - h2 * h2)
    g1 = (g2 @ w2.T) * (1 - h1 * h1)
    gradients = [
        each
        for below, g in ((x, g1), (h1, g2), (h2, g3))
        for each in (below.T @ g, np.sum(g, axis=0))
    ]
    return -np.sum(targets * logs) / x.shape[0], gradients


def make_mlp(batch: int) -> Callable[[np.random.Generator], tuple[Arrays, Arrays]]:
    """Return what draws an MLP's weights, a batch of inputs and their one-hot targets."""

    def make(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
        parameters = []
        for inputs, outputs in ((784, 256), (256, 128), (128, 10)):
            weight = rng.normal(size=(inputs, outputs)) / math.sqrt(inputs)
            parameters += [weight, rng.normal(size=outputs) / 10]
        targets = np.eye(10)[rng.integers(0, 10, batch)]
        return parameters, [rng.normal(size=(batch, 784)), targets]

    return make


# --- logreg: logistic regression, 20,000 rows of 500 --------------------------------------------


def logreg(xp: Any, parameters: Arrays, x: Any, signs: Any) -> Any:
    """Return the mean of log(1 + exp(-s (X w + b))), and a ridge."""
    w, b = parameters
    return xp.mean(xp.log1p(xp.exp(-signs * (x @ w + b)))) + 0.01 * xp.sum(w * w)


def logreg_by_hand(parameters: Arrays, x: Any, signs: Any) -> tuple[Any, Arrays]:
    """Two passes over X: one for the margins, one for the gradient."""
    w, b = parameters
    e = np.exp(-signs * (x @ w + b))
    g = -signs * (e / (1 + e)) / x.shape[0]
    value = np.mean(np.log1p(e)) + 0.01 * np.sum(w * w)
    return value, [g @ x + 0.02 * w, np.sum(g)]


def make_logreg(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw standard normal rows, and labels that a plane explains in part."""
    x, w = rng.normal(size=(20_000, 500)), rng.normal(size=500) / 25
    signs = np.sign(x @ w + rng.normal(size=20_000))
    return [w, np.asarray(0.1)], [x, signs]


# --- attn: self-attention with four heads, batch 4, 96 positions of width 256 ------------------

BATCH, LENGTH, HEADS, WIDTH = 4, 96, 4, 256
DEPTH = WIDTH // HEADS


def split_heads(xp: Any, x: Any) -> Any:
    """(batch, length, width) -> (batch, heads, length, depth)."""
    return xp.permute_dims(xp.reshape(x, (BATCH, LENGTH, HEADS, DEPTH)), (0, 2, 1, 3))


def join_heads(xp: Any, x: Any) -> Any:
    """(batch, heads, length, depth) -> (batch, length, width)."""
    return xp.reshape(xp.permute_dims(x, (0, 2, 1, 3)), (BATCH, LENGTH, WIDTH))


def attention(xp: Any, parameters: Arrays, x: Any) -> Any:
    """Return the mean square of what attention yields."""
    query, key, value, output = parameters
    q, k, v = (split_heads(xp, x @ w) for w in (query, key, value))
    scores = (q @ xp.permute_dims(k, (0, 1, 3, 2))) * DEPTH**-0.5
    e = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    weights = e / xp.sum(e, axis=-1, keepdims=True)
    y = join_heads(xp, weights @ v) @ output
    return xp.mean(y * y)


def attention_by_hand(parameters: Arrays, x: Any) -> tuple[Any, Arrays]:
    """Walk back through the softmax with its own short formula."""
    query, key, value, output = parameters
    q, k, v = (split_heads(np, x @ w) for w in (query, key, value))
    scores = (q @ k.swapaxes(-1, -2)) * DEPTH**-0.5
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    weights = e / np.sum(e, axis=-1, keepdims=True)
    joined = join_heads(np, weights @ v)
    y = joined @ output
    g = y * (2 / y.size)
    g_heads = split_heads(np, g @ output.T)
    g_weights = g_heads @ v.swapaxes(-1, -2)
    g_scores = weights * (g_weights - np.sum(g_weights * weights, axis=-1, keepdims=True))
    g_scores *= DEPTH**-0.5
    g_qkv = (g_scores @ k, g_scores.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ g_heads)
    rows = x.reshape(-1, WIDTH).T
    gradients = [rows @ join_heads(np, each).reshape(-1, WIDTH) for each in g_qkv]
    gradients.append(joined.reshape(-1, WIDTH).T @ g.reshape(-1, WIDTH))
    return np.mean(y * y), gradients


def make_attention(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw four weight matrices and a batch."""
    weights = [rng.normal(size=(WIDTH, WIDTH)) / math.sqrt(WIDTH) for _ in range(4)]
    return weights, [rng.normal(size=(BATCH, LENGTH, WIDTH))]


# --- rosen: the Rosenbrock function of a million numbers ----------------------------------------


def rosenbrock(xp: Any, parameters: Arrays) -> Any:
    """Slices that overlap."""
    (x,) = parameters
    a, b = x[:-1], x[1:]
    return xp.sum(100 * (b - a * a) ** 2 + (1 - a) ** 2)


def rosenbrock_by_hand(parameters: Arrays) -> tuple[Any, Arrays]:
    """Accumulate both slices into one gradient."""
    (x,) = parameters
    a, b = x[:-1], x[1:]
    curve, rest = b - a * a, 1 - a
    value = np.sum(100 * curve**2 + rest**2)
    g = np.zeros_like(x)
    g[:-1] = -400 * a * curve - 2 * rest
    g[1:] += 200 * curve
    return value, [g]


# --- rnn: a recurrent network, 100 steps, batch 32, 64 hidden units -----------------------------


def rnn(xp: Any, parameters: Arrays, x: Any) -> Any:
    """Return the mean square of the last hidden state."""
    inputs, recurrent, bias = parameters
    h = xp.tanh(x[0] @ inputs + bias)
    for step in range(1, x.shape[0]):
        h = xp.tanh(x[step] @ inputs + h @ recurrent + bias)
    return xp.mean(h * h)


def rnn_by_hand(parameters: Arrays, x: Any) -> tuple[Any, Arrays]:
    """Back-propagate through time."""
    inputs, recurrent, bias = parameters
    states = [np.tanh(x[0] @ inputs + bias)]
    for step in range(1, x.shape[0]):
        states.append(np.tanh(x[step] @ inputs + states[-1] @ recurrent + bias))
    gradients = g_inputs, g_recurrent, g_bias = [np.zeros_like(p) for p in parameters]
    g = states[-1] * (2 / states[-1].size)
    for step in range(x.shape[0] - 1, -1, -1):
        g = g * (1 - states[step] * states[step])
        g_inputs += x[step].T @ g
        g_bias += np.sum(g, axis=0)
        if step:
            g_recurrent += states[step - 1].T @ g
            g = g @ recurrent.T
    return np.mean(states[-1] * states[-1]), gradients


def make_rnn(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Draw weights that neither explode nor vanish, and a batch of sequences."""
    inputs, recurrent = rng.normal(size=(16, 64)) / 4, rng.normal(size=(64, 64)) / 8
    return [inputs, recurrent, rng.normal(size=64) / 10], [rng.normal(size=(100, 32, 16))]


CASES = {
    "chain0": Case(chain, chain_by_hand, lambda rng: ([np.asarray(0.5)], [])),
    "chain10": Case(chain, chain_by_hand, lambda rng: ([rng.normal(size=10)], [])),
    "mlp32": Case(mlp, mlp_by_hand, make_mlp(32)),
    "mlp512": Case(mlp, mlp_by_hand, make_mlp(512)),
    "logreg": Case(logreg, logreg_by_hand, make_logreg),
    "attn": Case(attention, attention_by_hand, make_attention),
    "rosen": Case(rosenbrock, rosenbrock_by_hand, lambda rng: ([rng.normal(size=1_000_000)], [])),
    "rnn": Case(rnn, rnn_by_hand, make_rnn),
}
