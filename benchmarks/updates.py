"""Time the optimizers' updates against the peers: `python -m benchmarks.updates --help`."""

import argparse
from typing import Any

from benchmarks._threads import limit_threads

OPTIMIZERS = ("sgd", "adam", "lars", "lamb")
Times = dict[str, dict[str, float]]  # size -> peer -> seconds of one step


def verify(name: str, steps: dict[str, Any], dtype: str) -> None:
    """Stop unless every peer is where naive NumPy is after one step, up to its epsilon."""
    import numpy as np

    from benchmarks._updates import RATE

    first = {peer: step() for peer, step in steps.items() if peer != "HIPS autograd"}
    for peer, leaves in first.items():
        pairs = zip(leaves, first["naive NumPy"], strict=True)
        error = max(np.max(np.abs(np.asarray(x) - y)) for x, y in pairs)
        if not error <= 1e-2 * RATE + 1e-6 * (dtype == "float32"):
            message = f"{peer} takes another step of {name} than naive NumPy: {error:.1e}"
            raise SystemExit(message)


def measure(name: str, dtype: str, options: argparse.Namespace) -> Times:
    """Return the median seconds of one step of each peer, at each size."""
    from benchmarks._measure import interleaved
    from benchmarks._updates import PEERS, STEPS_OF_HIPS, draw

    found = {}
    for size in options.sizes:
        started = {peer: options.peers[peer](name, *draw(size, dtype)) for peer in options.peers}
        steps = {peer: started[peer] for peer in PEERS if started.get(peer) is not None}
        verify(name, steps, dtype)
        label = f"{name} {dtype} {size}"
        found[size] = interleaved(steps, rounds=options.rounds, block=options.block, label=label)
        if "HIPS autograd" in found[size]:
            found[size]["HIPS autograd"] /= STEPS_OF_HIPS
    return found


def report(name: str, dtype: str, times: Times) -> dict[str, Any]:
    """Print the tables of an optimizer, and return their figures."""
    from benchmarks._measure import geometric_mean
    from benchmarks._report import table
    from benchmarks._updates import PEERS

    peers = [peer for peer in PEERS if any(peer in row for row in times.values())]
    rows = {
        peer: [f"{row[peer] * 1e6:,.1f}" if peer in row else "" for row in times.values()]
        for peer in peers
    }
    print(table(f"{name}, {dtype}: microseconds of one step", list(times), rows))
    ratios = {
        peer: {size: row["arraygrad"] / row[peer] for size, row in times.items() if peer in row}
        for peer in peers
        if peer != "arraygrad"
    }
    rows = {
        f"arraygrad / {peer}": [f"{ratio:.2f}" for ratio in row.values()]
        + [f"{geometric_mean(list(row.values())):.3f}"]
        for peer, row in ratios.items()
    }
    print(table(f"{name}, {dtype}: ratios", [*times, "geo. mean"], rows))
    return {"seconds": times, "ratios": ratios}


def main() -> None:
    """Measure, print the tables, write the JSON."""
    options = parse_arguments(__doc__, OPTIMIZERS)
    limit_threads(options.threads)
    from benchmarks._packages import enable_float64, installed
    from benchmarks._report import conditions, write_json
    from benchmarks._updates import NEEDS, PEERS, SIZES

    enable_float64()
    options.peers = installed(PEERS, NEEDS)
    options.sizes = options.sizes or list(SIZES)
    unknown = set(options.sizes) - set(SIZES)
    if unknown:
        message = f"no such size: {', '.join(sorted(unknown))}; there are {', '.join(SIZES)}"
        raise SystemExit(message)
    figures: dict[str, Any] = {}
    for dtype in options.dtypes:
        figures[dtype] = {}
        for name in options.optimizers:
            figures[dtype][name] = report(name, dtype, measure(name, dtype, options))
    print("\nthreads:", conditions()["threads"])
    if options.json:
        write_json(options.json, figures)


def parse_arguments(description: str | None, optimizers: tuple[str, ...]) -> argparse.Namespace:
    """Read the command line of a benchmark of steps."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--optimizers", nargs="+", choices=optimizers, default=optimizers)
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help="all of them by default")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"], metavar="DTYPE")
    parser.add_argument("--threads", type=int, default=1, help="for every peer (default 1)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="3 short rounds: a smoke test")
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    options = parser.parse_args()
    options.rounds = 3 if options.quick else options.rounds
    options.block = 0.001 if options.quick else 0.02
    return options


if __name__ == "__main__":
    main()
