"""Time `arraygrad.optimizers` against the peers: `python -m benchmarks.optimizers --help`."""

import argparse
from typing import Any

from benchmarks._threads import limit_threads
from benchmarks.updates import parse_arguments, verify

OPTIMIZERS = ("adam", "sgd", "lamb", "lars")


def measure(name: str, dtype: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return the median seconds of one step of each peer, at each size."""
    from benchmarks._measure import interleaved
    from benchmarks._optimizers import PEERS
    from benchmarks._updates import STEPS_OF_HIPS, draw

    found = {}
    for size in options.sizes:
        started = {peer: options.peers[peer](name, *draw(size, dtype)) for peer in options.peers}
        steps = {peer: started[peer] for peer in PEERS if started.get(peer) is not None}
        verify(name, {p: s for p, s in steps.items() if "zero" not in p}, dtype)
        label = f"{name} {dtype} {size}"
        found[size] = interleaved(steps, rounds=options.rounds, block=options.block, label=label)
        if "HIPS autograd" in found[size]:
            found[size]["HIPS autograd"] /= STEPS_OF_HIPS
    return found


def report(name: str, dtype: str, times: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Print the tables of an optimizer, and return their figures."""
    from benchmarks._optimizers import OURS, PEERS
    from benchmarks._report import table

    peers = [peer for peer in PEERS if any(peer in row for row in times.values())]
    rows = {
        peer: [f"{row[peer] * 1e6:,.1f}" if peer in row else "" for row in times.values()]
        for peer in peers
    }
    print(table(f"{name}, {dtype}: microseconds of one step", list(times), rows))
    ratios = {
        f"{ours} / {rival}": {
            size: row[ours] / row[rival]
            for size, row in times.items()
            if ours in row and rival in row
        }
        for ours, rivals in OURS.items()
        for rival in rivals
    }
    rows = {
        pair: [f"{row[size]:.2f}" if size in row else "" for size in times]
        for pair, row in ratios.items()
        if row
    }
    print(table(f"{name}, {dtype}: ratios", list(times), rows))
    return {"seconds": times, "ratios": ratios}


def main() -> None:
    """Measure, print the tables, write the JSON."""
    options = parse_arguments(__doc__, OPTIMIZERS)
    limit_threads(options.threads)
    from benchmarks._optimizers import NEEDS, PEERS
    from benchmarks._packages import enable_float64, installed
    from benchmarks._report import conditions, write_json
    from benchmarks._updates import SIZES

    enable_float64()
    options.peers = installed(PEERS, NEEDS)
    options.sizes = options.sizes or list(SIZES)
    unknown = set(options.sizes) - set(SIZES)
    if unknown:
        message = f"no such size: {', '.join(sorted(unknown))}; there are {', '.join(SIZES)}"
        raise SystemExit(message)
    figures = {
        dtype: {
            name: report(name, dtype, measure(name, dtype, options)) for name in options.optimizers
        }
        for dtype in options.dtypes
    }
    print("\nthreads:", conditions()["threads"])
    if options.json:
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
