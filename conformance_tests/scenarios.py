"""Functions worth differentiating, as values: each with its arguments, and its answer if known.

Whoever adds one keeps to this:

- only functions of the standard, found by `array_namespace`; no closed-over arrays, no linalg;
- smooth near the arguments: no ties, no branch points, no kink within a few hundredths;
- arguments are double precision NumPy arrays (real or complex) in any tree, of small, tricky
  shapes; arrays of integers and booleans are constants;
- the result is any tree of floating arrays;
- `answer` gives, in NumPy, what the cotangent `ones` is pulled back to: written by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from arraygrad._namespace import array_namespace

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """A function, where to evaluate it, and its gradient in NumPy where that is known."""

    name: str
    f: Callable[..., Any]
    args: tuple[Any, ...]
    answer: Callable[..., Any] | None = None

    def __str__(self) -> str:
        """Spell the name, for the tests' ids."""
        return self.name


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Return random numbers: the same for the same shape and seed."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def complex_normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Return random complex numbers."""
    return normal(*shape, seed=seed) + 1j * normal(*shape, seed=seed + 100)


# --- functions with an answer in closed form -----------------------------------------------------


def rosenbrock(x: Any) -> Any:
    """Return the banana function of a vector."""
    xp = array_namespace(x)
    return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_answer(x: np.ndarray) -> tuple[np.ndarray]:
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * (x[1:] - x[:-1] ** 2)
    gradient[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    return (gradient,)


def quadratic(a: Any, x: Any) -> Any:
    """Return xᵀ A x."""
    return x @ (a @ x)


def logistic_loss(w: Any, b: Any, x: Any, y: Any) -> Any:
    """Return the mean log loss of a logistic regression."""
    xp = array_namespace(w)
    z = x @ w + b
    return xp.mean(xp.logaddexp(xp.zeros_like(z), z) - xp.astype(y, z.dtype) * z)


def logistic_answer(w: Any, b: Any, x: Any, y: Any) -> tuple[Any, ...]:
    z = x @ w + b
    residual = (1 / (1 + np.exp(-z)) - y) / len(y)
    return x.T @ residual, residual.sum(), residual[:, None] * w, None


def log_sum_exp(x: Any) -> Any:
    """Return log Σ exp(x) along the last axis, shifted as one does."""
    xp = array_namespace(x)
    shift = xp.max(x, axis=-1, keepdims=True)
    return xp.squeeze(shift, -1) + xp.log(xp.sum(xp.exp(x - shift), axis=-1))


def log_sum_exp_answer(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.exp(x) / np.exp(x).sum(-1, keepdims=True),)


def broadcast_product(a: Any, b: Any, c: Any) -> Any:
    """Multiply arrays of three shapes."""
    return a * b * c


def broadcast_product_answer(a: Any, b: Any, c: Any) -> tuple[Any, ...]:
    return (
        np.sum(b * c * np.ones_like(a), axis=1, keepdims=True),
        np.sum(a * c * np.ones_like(b), axis=0),
        np.sum(a * b),
    )


def complex_least_squares(a: Any, z: Any, b: Any) -> Any:
    """Return ‖A z - b‖² of complex arrays: a real number."""
    xp = array_namespace(a)
    residual = a @ z - b
    return xp.sum(xp.real(xp.conj(residual) * residual))


def complex_least_squares_answer(a: Any, z: Any, b: Any) -> tuple[Any, ...]:
    residual = a @ z - b
    return 2 * np.outer(residual, z.conj()), 2 * a.conj().T @ residual, -2 * residual


def holomorphic(z: Any) -> Any:
    """Return an analytic function of complex numbers: complex in, complex out."""
    xp = array_namespace(z)
    return xp.exp(z) * xp.sin(z) + z**3 / (z + 4.0)


def holomorphic_answer(z: np.ndarray) -> tuple[np.ndarray]:
    slope = np.exp(z) * (np.sin(z) + np.cos(z)) + (2 * z**3 + 12 * z**2) / (z + 4) ** 2
    return (slope.conj(),)


def polar(z: Any) -> Any:
    """Return modulus and phase, of which nothing is analytic."""
    xp = array_namespace(z)
    return {"modulus": xp.abs(z), "phase": xp.atan2(xp.imag(z), xp.real(z))}


def polar_answer(z: np.ndarray) -> tuple[np.ndarray]:
    return (z / abs(z) + 1j * z / abs(z) ** 2,)


def embedding(table: Any, rows: Any) -> Any:
    """Look rows of a table up; some are looked up several times."""
    xp = array_namespace(table)
    return xp.take(table, rows, axis=0) ** 2


def embedding_answer(table: np.ndarray, rows: np.ndarray) -> tuple[Any, ...]:
    gradient = np.zeros_like(table)
    np.add.at(gradient, rows, 2 * table[rows])
    return gradient, None


# --- models, held against differences and each other ----------------------------------------------


def multilayer_perceptron(params: dict[str, Any], x: Any, labels: Any) -> Any:
    """Return the cross entropy of a network with two hidden layers."""
    xp = array_namespace(x)
    for layer in params["hidden"]:
        x = xp.tanh(x @ layer["weights"] + layer["bias"])
    scores = x @ params["out"]
    chosen = xp.take_along_axis(scores, labels, axis=1)
    return xp.mean(log_sum_exp(scores)) - xp.mean(chosen)


PERCEPTRON = {
    "hidden": [
        {"weights": normal(3, 4, seed=1), "bias": normal(4, seed=2)},
        {"weights": normal(4, 5, seed=3), "bias": normal(5, seed=4)},
    ],
    "out": normal(5, 3, seed=5),
}


def attention(queries: Any, keys: Any, values: Any) -> Any:
    """Return softmax attention with several heads, in the last two axes of each."""
    xp = array_namespace(queries)
    scores = queries @ xp.matrix_transpose(keys) / keys.shape[-1] ** 0.5
    weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    return (weights / xp.sum(weights, axis=-1, keepdims=True)) @ values


def recurrent_network(cell: tuple[Any, Any, Any], sequence: Any) -> Any:
    """Return all states of a recurrent network, one step after the other."""
    inward, across, bias = cell
    xp = array_namespace(sequence)
    state, states = xp.zeros_like(bias), []
    for step in range(sequence.shape[0]):
        state = xp.tanh(sequence[step, :] @ inward + state @ across + bias)
        states.append(state)
    return xp.stack(states)


def layer_norm(x: Any, scale: Any, shift: Any) -> Any:
    """Return rows of mean 0 and variance 1, scaled and shifted."""
    xp = array_namespace(x)
    mean = xp.mean(x, axis=-1, keepdims=True)
    spread = xp.sqrt(xp.var(x, axis=-1, keepdims=True) + 1e-5)
    return (x - mean) / spread * scale + shift


def mixture_likelihood(means: Any, log_weights: Any, x: Any) -> Any:
    """Return the log-likelihood of a mixture of normal distributions."""
    xp = array_namespace(x)
    distances = (x[:, None, :] - means[None, :, :]) ** 2
    return xp.sum(log_sum_exp(log_weights - 0.5 * xp.sum(distances, axis=-1)))


def convolution(signal: Any, kernel: Any) -> Any:
    """Return a valid convolution, spelt with slices."""
    length = signal.shape[0] - kernel.shape[0] + 1
    terms = [kernel[k] * signal[k : k + length] for k in range(kernel.shape[0])]
    return sum(terms[1:], start=terms[0])


def huber(x: Any) -> Any:
    """Return the robust loss that is quadratic inside and linear outside."""
    xp = array_namespace(x)
    inside = xp.abs(x) < 1.0
    return xp.sum(xp.where(inside, 0.5 * x**2, xp.abs(x) - 0.5))


def trimmed(x: Any) -> Any:
    """Return what sorting, clipping and accumulating make of an array."""
    xp = array_namespace(x)
    ordered = xp.sort(x, axis=-1)[:, 1:-1]
    return xp.cumulative_sum(xp.clip(ordered, -0.7, 0.7), axis=-1) * xp.prod(x, axis=-1)[:, None]


def rearranged(x: Any) -> Any:
    """Send elements through everything that only moves them."""
    xp = array_namespace(x)
    y = xp.permute_dims(xp.reshape(x, (2, 3, 4)), (2, 0, 1))
    y = xp.concat([xp.flip(y, axis=0), xp.roll(y, 1, axis=2)], axis=1)
    y = xp.tile(xp.repeat(y, 2, axis=1), (1, 1, 2))
    return xp.sin(xp.expand_dims(xp.moveaxis(y, 0, -1), axis=0)), xp.unstack(x**2, axis=1)


def student_t(parameters: dict[str, Any], x: Any) -> Any:
    """Return the negative log-likelihood of a t distribution, up to a constant."""
    xp = array_namespace(x)
    scale = xp.exp(parameters["log_scale"])
    z = (x - parameters["location"]) / scale
    return xp.sum(2.5 * xp.log1p(z * z / 4.0)) + x.shape[0] * parameters["log_scale"]


def nothing_at_all(x: Any) -> Any:
    """Reduce an array without elements."""
    xp = array_namespace(x)
    return xp.sum(xp.exp(x)), x * 2.0


SCENARIOS = [
    Scenario("rosenbrock", rosenbrock, (normal(7),), rosenbrock_answer),
    Scenario(
        "quadratic",
        quadratic,
        (normal(4, 4), normal(4)),
        lambda a, x: (np.outer(x, x), (a + a.T) @ x),
    ),
    Scenario(
        "logistic_loss",
        logistic_loss,
        (normal(3), np.asarray(0.3), normal(5, 3), np.asarray([0, 1, 1, 0, 1])),
        logistic_answer,
    ),
    Scenario("log_sum_exp", log_sum_exp, (normal(2, 5),), log_sum_exp_answer),
    Scenario(
        "broadcast_product",
        broadcast_product,
        (normal(3, 1), normal(4), np.asarray(0.7)),
        broadcast_product_answer,
    ),
    Scenario(
        "complex_least_squares",
        complex_least_squares,
        (complex_normal(4, 3), complex_normal(3), complex_normal(4)),
        complex_least_squares_answer,
    ),
    Scenario("holomorphic", holomorphic, (complex_normal(5),), holomorphic_answer),
    Scenario("polar", polar, (complex_normal(5),), polar_answer),
    Scenario("embedding", embedding, (normal(4, 3), np.asarray([2, 0, 2, 2, 1])), embedding_answer),
    Scenario(
        "multilayer_perceptron",
        multilayer_perceptron,
        (PERCEPTRON, normal(6, 3), np.asarray([[0], [2], [1], [1], [0], [2]])),
    ),
    Scenario("attention", attention, (normal(2, 3, 4), normal(2, 5, 4, seed=1), normal(2, 5, 2))),
    Scenario(
        "recurrent_network",
        recurrent_network,
        ((normal(2, 3), normal(3, 3), normal(3)), normal(4, 2)),
    ),
    Scenario("layer_norm", layer_norm, (normal(3, 5), normal(5), normal(5, seed=1))),
    Scenario("mixture_likelihood", mixture_likelihood, (normal(3, 2), normal(3), normal(6, 2))),
    Scenario("convolution", convolution, (normal(8), normal(3))),
    Scenario("huber", huber, (np.asarray([[-2.5, -0.4, 0.1], [0.6, 1.4, 3.0]]),)),
    Scenario("trimmed", trimmed, (normal(2, 6) + 0.05,)),
    Scenario("rearranged", rearranged, (normal(4, 6),)),
    Scenario(
        "student_t",
        student_t,
        ({"location": np.asarray(0.2), "log_scale": np.asarray(-0.3)}, normal(6)),
    ),
    Scenario("nothing_at_all", nothing_at_all, (np.zeros((0, 3)),)),
]
