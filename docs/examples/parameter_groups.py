"""A regression whose parameters are of three kinds, each with an optimizer of its own.

A small network foretells how a diabetes has progressed after a year (442 patients, which ship with
scikit-learn), and how far it may be off. Its weights shrink as they learn; its biases do not; the
width of the error, a single number, takes longer steps that become shorter.

    python docs/examples/parameter_groups.py
    python docs/examples/parameter_groups.py --library torch --decay 1
"""

import argparse
import math
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from libraries import LIBRARIES, load, to_numpy
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from tqdm import trange

import arraygrad as ag
from arraygrad.optimizers import adam, adamw, sgd
from arraygrad.schedules import cosine
from arraygrad.transformations import groups

HIDDEN = 16


class Patients(NamedTuple):
    """Ten measurements of each patient (n, 10), and how the disease progressed (n,)."""

    measured: Any
    progress: Any


def load_data(xp: Any) -> tuple[Patients, Patients]:
    """Return the patients to learn from and those to be tested on, all numbers standardized."""
    x, y = load_diabetes(return_X_y=True)
    parts = train_test_split(
        (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std(), random_state=0
    )
    x_train, x_test, y_train, y_test = (xp.asarray(part, dtype=xp.float64) for part in parts)
    return Patients(x_train, y_train), Patients(x_test, y_test)


def initialise(rng: np.random.Generator, xp: Any) -> dict[str, Any]:
    """Draw the weights; biases start at zero, and the width of the error is e⁰ = 1."""

    def layer(inputs: int, outputs: int) -> dict[str, Any]:
        weight = rng.normal(0, 1 / math.sqrt(inputs), (inputs, outputs))
        bias = xp.zeros(outputs, dtype=xp.float64)
        return {"bias": bias, "weight": xp.asarray(weight, dtype=xp.float64)}

    return {
        "layers": [layer(10, HIDDEN), layer(HIDDEN, 1)],
        "log_width": xp.zeros((), dtype=xp.float64),
    }


def predict(parameters: dict[str, Any], measured: Any) -> Any:
    """Return the expected progress, (n,)."""
    xp = array_namespace(measured)
    first, last = parameters["layers"]
    x = xp.tanh(measured @ first["weight"] + first["bias"])
    return (x @ last["weight"] + last["bias"])[:, 0]


def loss(parameters: dict[str, Any], patients: Patients) -> Any:
    """Return the mean of -log of the normal density of the errors, but for a constant."""
    xp = array_namespace(patients.progress)
    width = parameters["log_width"]
    errors = (patients.progress - predict(parameters, patients.measured)) / xp.exp(width)
    return xp.mean(errors**2) / 2 + width


def make_optimizer(options: argparse.Namespace) -> Any:
    """Return the optimizers of the three groups, by patterns of the parameters' paths."""
    return groups(
        {
            "*/weight": adamw(options.rate, weight_decay=options.decay),
            "*/bias": adam(options.rate),
            "log_width": sgd(cosine(0.2, options.steps), momentum=0.5),
        }
    )


def fit(options: argparse.Namespace, optimizer: Any, title: str) -> tuple[Any, Patients, Patients]:
    """Return the parameters, and the patients."""
    xp, library = load(options.library)
    train, test = load_data(xp)
    parameters: Any = initialise(np.random.default_rng(options.seed), xp)
    state = optimizer.init(parameters)
    differentiate = ag.value_and_grad(loss)

    @library.compile
    def step(parameters: Any, state: Any) -> Any:
        value, gradients = differentiate(parameters, train)
        return value, *optimizer.step(parameters, gradients, state)

    bar = trange(options.steps, desc=title, unit="step", disable=options.quiet)
    for n in bar:
        value, parameters, state = step(parameters, state)
        if n % 20 == 0:
            bar.set_postfix(loss=f"{float(value):.4f}", refresh=False)
    return parameters, train, test


def explained(parameters: Any, patients: Patients) -> float:
    """Return the part of the variance that is explained."""
    xp = array_namespace(patients.progress)
    errors = patients.progress - predict(parameters, patients.measured)
    return 1 - float(xp.mean(errors**2)) / float(xp.var(patients.progress))


def main() -> None:
    """Fit with three groups and with one optimizer for all, and compare."""
    options = parse_arguments()
    trials = {"three groups": make_optimizer(options), "one for all": adam(options.rate)}
    heads = f"{'in training':>12}{'in the test':>12}{'width':>8}{'weights':>9}"
    print(f"  {'variance explained':<20}{heads}")
    for title, optimizer in trials.items():
        parameters, train, test = fit(options, optimizer, title)
        weights = [layer["weight"] for layer in parameters["layers"]]
        norm = math.sqrt(sum(float(np.sum(to_numpy(w) ** 2)) for w in weights))
        width = math.exp(float(parameters["log_width"]))
        parts = (explained(parameters, patients) for patients in (train, test))
        row = "".join(f"{part:>12.3f}" for part in parts)
        print(f"  {title:<20}{row}{width:>8.3f}{norm:>9.2f}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", choices=LIBRARIES, default="numpy")
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--decay", type=float, default=8.0, help="how fast weights shrink")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
