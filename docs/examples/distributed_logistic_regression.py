"""Logistic regression on a cluster: the data stay with the workers, the parameters come here.

The data are made in chunks where they are used, and are never in one place. A step sends the
parameters out, and takes home the loss and the gradient: one graph, one number, one array of the
parameters' size. If a worker dies, what it held is made again, and the result is the same.

    python docs/examples/distributed_logistic_regression.py
    python docs/examples/distributed_logistic_regression.py --optimizer adam --kill-worker-at 10
    python docs/examples/distributed_logistic_regression.py --scheduler tcp://10.0.0.1:8786 \\
        --rows 1_000_000_000 --chunk-rows 2_000_000
"""

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from tqdm import tqdm

import arraygrad as ag
from arraygrad import optimizers

try:
    import dask.array as da
    from distributed import Client, Future, LocalCluster
except ImportError as error:
    message = f"dask cannot be imported ({error}): pip install 'arraygrad[dask,examples]'"
    raise SystemExit(message) from None

OPTIMIZERS = {
    "sgd": (optimizers.sgd, 1.0),
    "adam": (optimizers.adam, 0.1),
    "lamb": (optimizers.lamb, 0.1),
    "rmsprop": (optimizers.rmsprop, 0.05),
}
TRUE_BIAS = -0.5


# --- the data -----------------------------------------------------------------------------------


class Data(NamedTuple):
    """Features (rows, features) and labels 0 or 1 (rows,), cut into chunks along the rows."""

    features: Any
    labels: Any


def true_weight(features: int) -> np.ndarray:
    """Return the weights that the labels are drawn with."""
    return np.linspace(-1, 1, features)


def make_data(options: argparse.Namespace) -> Data:
    """Say how to draw every chunk: nothing is drawn yet, and nothing will be drawn here.

    Each chunk has a seed of its own, so that it is the same whenever and wherever it is drawn.
    """
    rng = da.random.default_rng(options.seed)
    rows, chunk = options.rows, options.chunk_rows
    shape = (rows, options.features)
    features = rng.normal(size=shape, chunks=(chunk, options.features))
    logits = features @ true_weight(options.features) + TRUE_BIAS
    labels = rng.random(size=rows, chunks=chunk) < 1 / (1 + da.exp(-logits))
    return Data(features, labels.astype(features.dtype))


# --- the model ----------------------------------------------------------------------------------


def loss(parameters: dict[str, Any], data: Data) -> Any:
    """Return the mean of log(1 + exp(z)) - y z, where no exponential can overflow."""
    xp = array_namespace(data.features)
    z = data.features @ parameters["weight"] + parameters["bias"]
    return xp.mean(xp.logaddexp(z, xp.zeros_like(z)) - data.labels * z)


def accuracy(parameters: dict[str, Any], data: Data) -> Any:
    """Return the fraction of rows on the right side."""
    z = data.features @ parameters["weight"] + parameters["bias"]
    return ((z > 0) == (data.labels > 0.5)).mean()


# --- training -----------------------------------------------------------------------------------


@dataclass
class History:
    """What every step reached, and what came of it."""

    loss: list[float] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    bias: float = 0.0
    accuracy: float = 0.0


def on_cluster(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as arrays of dask, to be sent along with the graph."""
    return {name: da.from_array(np.asarray(x), chunks=-1) for name, x in parameters.items()}


def submit(client: Client, parameters: dict[str, Any], data: Data) -> list[Future]:
    """Start to compute loss and gradients: together, so that no chunk is visited twice.

    The graph begins with numbers, not with the last step's graph: it is as large in every step.
    """
    value, gradients = ag.value_and_grad(loss)(on_cluster(parameters), data)
    futures: list[Future] = client.compute([value, *gradients.values()])
    return futures


def kill_worker(client: Client) -> str:
    """End one worker's process without a word to anybody; its nanny will start another."""
    victim = min(client.nthreads())
    client.run(os._exit, 1, workers=[victim], on_error="ignore")
    return victim


def train(client: Client, options: argparse.Namespace) -> tuple[dict[str, Any], History]:
    """Train, and return the parameters and the history."""
    data = make_data(options)
    if not options.draw_again:
        data = Data(*client.persist(list(data)))  # in the memory of the workers, from now on
    make_optimizer, base_rate = OPTIMIZERS[options.optimizer]
    optimizer = make_optimizer(options.rate or base_rate)
    parameters = {"weight": np.zeros(options.features), "bias": np.zeros(())}
    state = optimizer.init(parameters)
    history = History()
    bar = tqdm(range(options.steps), desc="training", unit="step", disable=options.quiet)
    for step in bar:
        futures = submit(client, parameters, data)
        if step == options.kill_worker_at:
            bar.write(f"  step {step}: killed the worker at {kill_worker(client)}")
        value, *found = client.gather(futures)
        gradients = dict(zip(parameters, found, strict=True))
        parameters, state = optimizer.step(parameters, gradients, state)
        history.loss.append(float(value))
        bar.set_postfix(loss=f"{history.loss[-1]:.5f}", refresh=False)
    history.weight, history.bias = parameters["weight"].tolist(), float(parameters["bias"])
    history.accuracy = float(client.compute(accuracy(on_cluster(parameters), data)).result())
    return parameters, history


# --- what came of it ----------------------------------------------------------------------------


def summary(options: argparse.Namespace, client: Client, seconds: float, history: History) -> str:
    """Return the final table."""
    chunks = -(-options.rows // options.chunk_rows)
    error = np.max(np.abs(history.weight - true_weight(options.features)))
    rows = {
        "cluster": f"{len(client.nthreads())} workers at {client.scheduler.address}",
        "data": f"{options.rows:,} rows of {options.features}, in {chunks:,} chunks",
        "optimizer": f"{options.optimizer}, {options.steps} steps",
        "time": f"{seconds:.1f} s",
        "loss": f"{history.loss[0]:.5f} at first, {history.loss[-1]:.5f} at last",
        "accuracy": f"{history.accuracy:.2%}",
        "weights": f"off by {error:.4f} at most",
    }
    width = max(map(len, rows.values()))
    rule = f"  {'─' * 12}{'─' * width}"
    return "\n".join([rule, *(f"  {name:<12}{value}" for name, value in rows.items()), rule])


def connect(options: argparse.Namespace) -> Any:
    """Return a cluster of processes on this machine, or the address of the user's own."""
    if options.scheduler:
        return options.scheduler
    return LocalCluster(
        n_workers=options.workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    )


def main() -> None:
    """Train on the cluster, and print the table."""
    options = parse_arguments()
    cluster = connect(options)
    try:
        with Client(cluster) as client:
            start = time.perf_counter()
            _, history = train(client, options)
            print(summary(options, client, time.perf_counter() - start, history))
    finally:
        if not options.scheduler:
            cluster.close()
    if options.history:
        with open(options.history, "w", encoding="utf-8") as file:
            json.dump(vars(history), file, indent=1)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--scheduler", metavar="ADDRESS", help="a cluster that runs already, such as tcp://…:8786")
    add("--workers", type=int, default=2, help="processes, if there is no --scheduler")
    add("--rows", type=int, default=400_000)
    add("--features", type=int, default=50)
    add("--chunk-rows", type=int, default=50_000)
    add("--steps", type=int, default=30)
    add("--optimizer", choices=OPTIMIZERS, default="adam")
    add("--rate", type=float, help="learning rate (each has its default)")
    add("--seed", type=int, default=0)
    add("--draw-again", action="store_true", help="draw the data in every step; keep no memory")
    add("--kill-worker-at", type=int, metavar="STEP", help="end a worker's process in that step")
    add("--history", metavar="JSON", help="write every step's loss, and the parameters")
    add("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
