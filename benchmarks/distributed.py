"""Time gradients on a cluster of dask: `python -m benchmarks.distributed --help`.

Logistic regression, one step: the loss and its gradient in one graph, data in the memory of the
workers. arraygrad against the gradient written by hand in dask, at 1, 2, 5 and 10 times the chunks.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

FEATURES = 50
SCALES = (1, 2, 5, 10)
OURS, HAND = "arraygrad", "hand"

Steps = dict[tuple[str, int], Callable[[], Any]]  # by peer and scale


def draw(chunks: int, rows: int) -> tuple[Any, Any]:
    """Return features and labels, which dask will draw on the workers."""
    import dask.array as da

    rng = da.random.default_rng(0)
    x = rng.normal(size=(chunks * rows, FEATURES), chunks=(rows, FEATURES))
    y = rng.random(size=chunks * rows, chunks=rows) < 1 / (1 + da.exp(-x.sum(axis=1)))
    return x, y.astype(x.dtype)


def parameters() -> dict[str, Any]:
    """Return the parameters as arrays of dask."""
    import dask.array as da

    return {"w": da.from_array(np.linspace(-1, 1, FEATURES)), "b": da.from_array(np.asarray(0.5))}


def loss(p: dict[str, Any], x: Any, y: Any) -> Any:
    """Return the mean of log(1 + exp(z)) - y z."""
    from array_api_compat import array_namespace

    xp = array_namespace(x)
    z = x @ p["w"] + p["b"]
    return xp.mean(xp.logaddexp(z, 0.0) - y * z)


def by_arraygrad(x: Any, y: Any) -> list[Any]:
    """Return the loss and its gradient."""
    import arraygrad as ag

    value, gradients = ag.value_and_grad(loss)(parameters(), x, y)
    return [value, gradients["w"], gradients["b"]]


def by_hand(x: Any, y: Any) -> list[Any]:
    """Return the loss and its gradient, as one writes them in dask."""
    import dask.array as da

    p = parameters()
    z = x @ p["w"] + p["b"]
    value = (da.logaddexp(z, 0) - y * z).mean()
    error = (1 / (1 + da.exp(-z)) - y) / len(y)
    return [value, x.T @ error, error.sum()]


PEERS = {OURS: by_arraygrad, HAND: by_hand}


def steps(client: Any, scale: int, options: argparse.Namespace) -> Steps:
    """Return a step of each peer on data of one size, which lie on the workers."""
    from distributed import wait

    data = client.persist(list(draw(scale * options.chunks, options.rows)))
    wait(data)

    def step(peer: str) -> Callable[[], Any]:
        return lambda: client.gather(client.compute(PEERS[peer](*data)))

    made = {(peer, scale): step(peer) for peer in PEERS}
    reached = {peer: made[peer, scale]() for peer in PEERS}
    for ours, theirs in zip(reached[OURS], reached[HAND], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    return made


def processor_seconds(client: Any, steps: Steps, rounds: int) -> dict[Any, float]:
    """Return the median seconds of work of each step, here and on all workers together."""

    def used() -> float:
        return time.process_time() + sum(client.run(time.process_time).values())

    spent: dict[Any, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            before = used()
            step()
            spent[name].append(used() - before)
    return {name: statistics.median(values) for name, values in spent.items()}


def tasks(client: Any, steps: Steps) -> dict[Any, float]:
    """Return how many tasks the workers run in each step, dask having fused what it can."""
    from distributed import get_task_stream

    count = {}
    for name, step in steps.items():
        with get_task_stream(client) as stream:
            step()
        count[name] = len(stream.data)
    return count


def measure(client: Any, options: argparse.Namespace) -> dict[str, dict[str, dict[int, float]]]:
    """Return what a step of each peer costs at each scale."""
    import dask

    from benchmarks._measure import interleaved

    whole: Steps = {}
    build: Steps = {}
    for scale in SCALES:
        whole |= steps(client, scale, options)
        small = dask.persist(*draw(scale * options.chunks, 1))
        for peer, make in PEERS.items():
            build[peer, scale] = lambda make=make, small=small: make(*small)
    timing = {"rounds": options.rounds, "block": options.block}
    return {
        "seconds": _by_peer(interleaved(whole, **timing, label="steps")),
        "processor": _by_peer(processor_seconds(client, whole, options.rounds)),
        "build": _by_peer(interleaved(build, **timing, label="graphs")),
        "tasks": _by_peer(tasks(client, whole)),
    }


def _by_peer(found: Any) -> dict[str, dict[int, float]]:
    return {peer: {scale: found[peer, scale] for scale in SCALES} for peer in PEERS}


def report(figures: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Print the table, and return the figures with their ratios."""
    from benchmarks._report import table

    seconds, processor = figures["seconds"], figures["processor"]
    growth = {peer: {s: row[s] / row[1] for s in SCALES} for peer, row in seconds.items()}
    wall, work = (
        {s: each[OURS][s] / each[HAND][s] for s in SCALES} for each in (seconds, processor)
    )
    rows = {}
    for peer in PEERS:
        rows[f"{peer}: ms of a step"] = [f"{seconds[peer][s] * 1e3:,.0f}" for s in SCALES]
        rows[f"{peer}: times the first"] = [f"{growth[peer][s]:.2f}" for s in SCALES]
        rows[f"{peer}: ms of all processors"] = [f"{processor[peer][s] * 1e3:,.0f}" for s in SCALES]
        rows[f"{peer}: ms to build it"] = [
            f"{figures['build'][peer][s] * 1e3:,.1f}" for s in SCALES
        ]
        rows[f"{peer}: tasks"] = [f"{figures['tasks'][peer][s]:,}" for s in SCALES]
    rows["arraygrad / hand"] = [f"{wall[s]:.2f}" for s in SCALES]
    rows["arraygrad / hand, all processors"] = [f"{work[s]:.2f}" for s in SCALES]
    title = f"{options.chunks} chunks of {options.rows:,} rows of {FEATURES}, and more of them"
    print(table(title, [f"{scale}x" for scale in SCALES], rows))
    return {**figures, "growth": growth, "ratio": wall, "processor ratio": work}


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a cluster that runs already")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--chunks", type=int, default=4, help="at 1x (default 4)")
    parser.add_argument("--rows", type=int, default=20_000, help="of a chunk")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="3 rounds: a smoke test")
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    options = parser.parse_args()
    options.rounds = 3 if options.quick else options.rounds
    options.block = 0.001 if options.quick else 0.2
    return options


def main() -> None:
    """Start the workers, measure, print the table, write the JSON."""
    options = parse_arguments()
    from distributed import Client, LocalCluster

    from benchmarks._report import write_json

    if options.scheduler:
        with Client(options.scheduler) as client:
            figures = report(measure(client, options), options)
    else:
        local = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        with LocalCluster(n_workers=options.workers, **local) as cluster, Client(cluster) as client:
            figures = report(measure(client, options), options)
    if options.json:
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
