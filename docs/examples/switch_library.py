"""Begin a training on one array library and go on with another: the losses are the same.

A logistic regression learns to tell benign from malignant tumours (569 cases, which ship with
scikit-learn). Halfway, parameters and optimizer move to the other library through a file.

    python docs/examples/switch_library.py
    python docs/examples/switch_library.py --first torch --then jax
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from libraries import LIBRARIES, load
from sklearn.datasets import load_breast_cancer
from tqdm import tqdm

import arraygrad as ag
from arraygrad.optimizers import adam
from arraygrad.state import load_state, save_state

FACTORS = 4  # columns of the second-order part


def load_data(xp: Any) -> tuple[Any, Any]:
    """Return standardized measurements (569, 30), and labels: 1 for benign, -1 for malignant."""
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return xp.asarray(x, dtype=xp.float64), xp.asarray(2.0 * y - 1, dtype=xp.float64)


def initialise(xp: Any) -> dict[str, Any]:
    """Return the first parameters, the same on every library."""
    factors = np.random.default_rng(0).normal(0, 0.1, (30, FACTORS))
    return {
        "bias": xp.zeros((), dtype=xp.float64),
        "factors": xp.asarray(factors, dtype=xp.float64),
        "weights": xp.zeros(30, dtype=xp.float64),
    }


def loss(parameters: dict[str, Any], x: Any, y: Any) -> Any:
    """Return the mean of -log of the probability of the right answer (a factorization machine)."""
    xp = array_namespace(x)
    second = xp.sum((x @ parameters["factors"]) ** 2, axis=-1)
    scores = x @ parameters["weights"] + second + parameters["bias"]
    return xp.mean(xp.logaddexp(-y * scores, xp.zeros_like(y)))


class Training:
    """Parameters and optimizer on one library."""

    def __init__(self, name: str) -> None:
        xp, library = load(name)
        self.name, (self.x, self.y) = name, load_data(xp)
        self.optimizer = adam(0.02)
        self.parameters: Any = initialise(xp)
        self.state: Any = self.optimizer.init(self.parameters)
        self._step = library.compile(self._one_step)

    def _one_step(self, parameters: Any, state: Any) -> Any:
        value, gradients = ag.value_and_grad(loss)(parameters, self.x, self.y)
        return value, *self.optimizer.step(parameters, gradients, state)

    def losses(self, steps: int) -> Iterator[float]:
        """Take steps, and yield the loss before each."""
        for _ in range(steps):
            value, self.parameters, self.state = self._step(self.parameters, self.state)
            yield float(value)

    def move(self, name: str) -> "Training":
        """Return the same training on another library, by way of a file."""
        other = Training(name)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "training.npz")
            save_state(file, {"parameters": self.parameters, "state": self.state})
            like = {"parameters": other.parameters, "state": other.state}
            found = load_state(file, like)
        other.parameters, other.state = found["parameters"], found["state"]
        return other


def main() -> None:
    """Train on one library, and on two; print the losses side by side."""
    options = parse_arguments()
    half = options.steps // 2
    bar = tqdm(total=2 * options.steps, desc="training", unit="step", disable=options.quiet)

    def counted(losses: Iterator[float]) -> list[float]:
        found = []
        for value in losses:
            found.append(value)
            bar.update()
        return found

    alone = counted(Training(options.first).losses(options.steps))
    first = Training(options.first)
    both = counted(first.losses(half))
    both += counted(first.move(options.then).losses(options.steps - half))
    bar.close()
    shown = [*range(0, options.steps, max(1, options.steps // 10)), options.steps - 1]
    print(f"  step  {options.first + ' alone':<22}{options.first + ', then ' + options.then}")
    for n in shown:
        library = options.first if n < half else options.then
        print(f"  {n:>4}  {alone[n]:<22.15f}{both[n]:<22.15f}{library}")
    apart = max(abs(a - b) / abs(a) for a, b in zip(alone, both, strict=True))
    print(f"  largest relative difference of a loss: {apart:.1e}")
    if apart > 1e-10:
        message = "  the two trainings went apart"
        raise SystemExit(message)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", choices=LIBRARIES, default="numpy")
    parser.add_argument("--then", choices=LIBRARIES, default="torch")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
