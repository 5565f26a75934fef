"""Train a classifier of handwritten digits, on the array library of your choice.

The digits are the 1,797 images of 8 x 8 pixels that ship with scikit-learn. The network has two
hidden layers. Nothing below knows which library it runs on: arrays bring their namespace.

    python docs/examples/train_digits.py
    python docs/examples/train_digits.py --library torch --optimizer lamb --epochs 50
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from libraries import LIBRARIES, load, to_numpy
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import arraygrad as ag

LAYERS = {"hidden1": (64, 256), "hidden2": (256, 128), "output": (128, 10)}
NOISE = 0.1  # added to pixels in [0, 1]: no digit is seen twice, so none is learnt by heart


# --- the data ---------------------------------------------------------------------------------


class Digits(NamedTuple):
    """Images (n, 64) with values in [0, 1], and labels (n,) as one-hot rows (n, 10)."""

    images: Any
    targets: Any


def load_data(xp: Any, dtype: Any) -> tuple[Digits, Digits]:
    """Return the training and the test digits: always the same four fifths and one fifth."""
    pixels, labels = load_digits(return_X_y=True)
    parts = train_test_split(
        pixels / 16, np.eye(10)[labels], test_size=0.2, random_state=0, stratify=labels
    )
    train_images, test_images, train_targets, test_targets = (
        xp.asarray(part, dtype=dtype) for part in parts
    )
    return Digits(train_images, train_targets), Digits(test_images, test_targets)


def batches(rng: np.random.Generator, digits: Digits, size: int) -> Iterator[Digits]:
    """Deal the digits out in random order, blurred by noise.

    NumPy draws both, so that they are the same for every library.
    """
    xp = array_namespace(digits.images)
    n, pixels = digits.images.shape
    for rows in rng.permutation(n)[: n - n % size].reshape(-1, size):
        images, targets = (xp.take(part, xp.asarray(rows), axis=0) for part in digits)
        noise = xp.asarray(rng.normal(0, NOISE, (size, pixels)), dtype=images.dtype)
        yield Digits(images + noise, targets)


# --- the model --------------------------------------------------------------------------------


def initialise(rng: np.random.Generator, xp: Any, dtype: Any) -> ag.Container:
    """Draw the weights of every layer (Glorot's normal distribution); biases start at zero."""

    def layer(inputs: int, outputs: int) -> ag.Container:
        weight = rng.normal(0, math.sqrt(2 / (inputs + outputs)), (inputs, outputs))
        return ag.Container(
            weight=xp.asarray(weight, dtype=dtype), bias=xp.zeros(outputs, dtype=dtype)
        )

    return ag.Container({name: layer(*sizes) for name, sizes in LAYERS.items()})


def classify(parameters: ag.Container, images: Any) -> Any:
    """Return the logits, (n, 10)."""
    xp = array_namespace(images)
    x = xp.tanh(images @ parameters.hidden1.weight + parameters.hidden1.bias)
    x = xp.tanh(x @ parameters.hidden2.weight + parameters.hidden2.bias)
    return x @ parameters.output.weight + parameters.output.bias


def cross_entropy(logits: Any, targets: Any) -> Any:
    """Return the mean of -log softmax at the targets; no exponential can overflow."""
    xp = array_namespace(logits)
    highest = ag.stop_gradient(xp.max(logits, axis=-1, keepdims=True))
    shifted = logits - highest
    log_total = xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))
    return -xp.mean(xp.sum(targets * (shifted - log_total), axis=-1))


def objective(parameters: ag.Container, digits: Digits) -> tuple[Any, Any]:
    """Return what training lowers, and the logits beside it."""
    logits = classify(parameters, digits.images)
    return cross_entropy(logits, digits.targets), logits


# --- the optimizers: (parameters, gradients, rate, moments, step) -> (parameters, moments) -----


def sgd(w: Any, g: Any, rate: float, moments: Any, step: int) -> tuple[Any, Any]:
    """Walk downhill."""
    return ag.gradient_descent_update(w, g, rate), moments


def lars(w: Any, g: Any, rate: float, moments: Any, step: int) -> tuple[Any, Any]:
    """Walk downhill, as far as each layer's weights are long."""
    return ag.lars_update(w, g, rate), moments


def adam(w: Any, g: Any, rate: float, moments: Any, step: int) -> tuple[Any, Any]:
    """Divide the mean gradient by its root mean square."""
    w, *moments = ag.adam_update(w, g, rate, *moments, step)
    return w, tuple(moments)


def lamb(w: Any, g: Any, rate: float, moments: Any, step: int) -> tuple[Any, Any]:
    """Take Adam's direction, as far as each layer's weights are long."""
    w, *moments = ag.lamb_update(w, g, rate, *moments, step)
    return w, tuple(moments)


OPTIMIZERS = {"sgd": (sgd, 0.3), "adam": (adam, 0.005), "lars": (lars, 0.02), "lamb": (lamb, 0.01)}


# --- training ---------------------------------------------------------------------------------


@dataclass
class History:
    """What every epoch reached."""

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)

    def add(self, train: tuple[float, float], test: tuple[float, float]) -> None:
        """Append one epoch: (loss, accuracy) in training, and on the test digits."""
        for values, value in zip(vars(self).values(), (*train, *test), strict=True):
            values.append(value)


def accuracy(logits: Any, targets: Any) -> float:
    """Return the fraction of digits whose highest logit is the right one."""
    xp = array_namespace(logits)
    right = xp.argmax(logits, axis=-1) == xp.argmax(targets, axis=-1)
    return float(xp.mean(xp.astype(right, targets.dtype)))


def make_step(optimizer: Callable[..., Any]) -> Callable[..., Any]:
    """Return one step of training: differentiate, then update."""
    differentiate = ag.value_and_grad(objective, has_aux=True)

    def step(parameters: Any, moments: Any, digits: Digits, rate: float, count: int) -> Any:
        (loss, logits), gradients = differentiate(parameters, digits)
        parameters, moments = optimizer(parameters, gradients, rate, moments, count)
        return parameters, moments, loss, logits

    return step


def train(options: argparse.Namespace) -> tuple[ag.Container, Digits, History]:
    """Train, and return the parameters, the test digits and the history."""
    xp, library = load(options.library)
    dtype = getattr(xp, options.dtype)
    rng = np.random.default_rng(options.seed)
    train_digits, test_digits = load_data(xp, dtype)
    parameters = initialise(rng, xp, dtype)
    optimizer, base_rate = OPTIMIZERS[options.optimizer]
    step = library.compile(make_step(optimizer))
    moments = (xp.zeros((), dtype=dtype),) * 2  # broadcast to every weight by the first step
    history = History()
    count = 0
    bar = tqdm(range(options.epochs), desc="training", unit="epoch", disable=options.quiet)
    for epoch in bar:
        rate = (options.rate or base_rate) * (1 + math.cos(math.pi * epoch / options.epochs)) / 2
        results = []
        for batch in batches(rng, train_digits, options.batch_size):
            count += 1
            parameters, moments, loss, logits = step(parameters, moments, batch, rate, count)
            results.append((float(loss), accuracy(logits, batch.targets)))
        loss, logits = objective(parameters, test_digits)
        reached = float(loss), accuracy(logits, test_digits.targets)
        history.add(tuple(np.mean(results, axis=0).tolist()), reached)
        shown = {"loss": f"{history.train_loss[-1]:.4f}", "test accuracy": f"{reached[1]:.2%}"}
        bar.set_postfix(shown, refresh=False)
    return parameters, test_digits, history


# --- what came of it --------------------------------------------------------------------------


def summary(options: argparse.Namespace, size: int, seconds: float, history: History) -> str:
    """Return the final table."""
    rows = {
        "library": f"{options.library} ({options.dtype})",
        "optimizer": options.optimizer,
        "parameters": f"{size:,}",
        "epochs": f"{options.epochs} of batches of {options.batch_size}",
        "time": f"{seconds:.1f} s",
        "training": f"{history.train_accuracy[-1]:.2%}  (loss {history.train_loss[-1]:.4f})",
        "test": f"{history.test_accuracy[-1]:.2%}  (loss {history.test_loss[-1]:.4f})",
    }
    width = max(map(len, rows.values()))
    rule = f"  {'─' * 12}{'─' * width}"
    return "\n".join([rule, *(f"  {name:<12}{value}" for name, value in rows.items()), rule])


def main() -> None:
    """Train, print the table, draw the figure."""
    options = parse_arguments()
    start = time.perf_counter()
    parameters, test_digits, history = train(options)
    seconds = time.perf_counter() - start
    size = sum(inputs * outputs + outputs for inputs, outputs in LAYERS.values())
    print(summary(options, size, seconds, history))
    if options.history:
        with open(options.history, "w", encoding="utf-8") as file:
            json.dump(vars(history), file, indent=1)
    if options.output:
        from digits_figure import draw

        logits = to_numpy(classify(parameters, test_digits.images))
        title = f"{options.optimizer} on {options.library}, {options.dtype}"
        draw(options.output, title, vars(history), *map(to_numpy, test_digits), logits)
        print(f"  figure: {options.output}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", choices=LIBRARIES, default="numpy")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adam")
    parser.add_argument("--rate", type=float, help="initial learning rate (each has its default)")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--output", default="digits.png", metavar="PNG", help="'' draws nothing")
    parser.add_argument("--history", metavar="JSON", help="write every epoch's figures")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
