"""Time value_and_grad against the peers: `python -m benchmarks.tape --help`."""

import argparse
from collections.abc import Iterable
from typing import Any

from benchmarks._threads import limit_threads

Times = dict[str, dict[str, float]]  # case -> peer -> seconds (or MiB)
RIVALS = ("autograd", "torch", "jax.jit", "hand")
TOLERANCES = {"float32": 2e-3, "float64": 1e-8}


def verify(case: str, runs: dict[str, Any], dtype: str) -> None:
    """Stop unless every peer finds the value and the gradients that were written by hand."""
    import numpy as np

    value, gradients = runs["hand"]()
    for peer, run in runs.items():
        if peer in ("forward", "hand"):
            continue
        theirs = run()
        for ours, other in zip([value, *gradients], [theirs[0], *theirs[1]], strict=True):
            scale = np.max(np.abs(ours)) + 1e-30
            error = np.max(np.abs(np.asarray(other) - ours)) / scale
            if not error <= TOLERANCES[dtype] or np.shape(other) != np.shape(ours):
                message = f"{peer} disagrees with the hand-written gradient of {case}: {error:.1e}"
                raise SystemExit(message)


def measure(names: Iterable[str], dtype: str, options: argparse.Namespace) -> Times:
    """Return the median seconds of each peer on each case."""
    from benchmarks._measure import interleaved
    from benchmarks._more_cases import EVERY_CASE
    from benchmarks._packages import installed
    from benchmarks._peers import NEEDS, PEERS

    found = {}
    for name in names:
        case = EVERY_CASE[name]
        parameters, data = case.data(dtype)
        runs = {
            peer: start(case.spelt_for(peer), parameters, data)
            for peer, start in installed(PEERS, NEEDS).items()
        }
        verify(name, runs, dtype)
        found[name] = interleaved(
            runs, rounds=options.rounds, block=options.block, label=f"{name} {dtype}"
        )
    return found


def delegation(dtype: str, options: argparse.Namespace) -> dict[str, float]:
    """Return what arraygrad adds to a library's own autodiff, on the small MLP, as ratios."""
    from benchmarks._measure import alternating
    from benchmarks._more_cases import EVERY_CASE
    from benchmarks._packages import installed
    from benchmarks._peers import DELEGATION, NEEDS, PEERS

    case, peers, found = EVERY_CASE["mlp32"], installed(PEERS, NEEDS), {}
    parameters, data = case.data(dtype)
    for new, (start, base) in DELEGATION.items():
        if base in peers:
            starts = {"hand": PEERS["hand"], base: PEERS[base], new: start}
            runs = {
                peer: each(case.spelt_for(peer), parameters, data) for peer, each in starts.items()
            }
            verify("mlp32", runs, dtype)
            del runs["hand"]
            times = alternating(runs, calls=100 * options.rounds, label=f"{new} {dtype}")
            found[new] = times[new] / times[base]
    return found


def ratios(times: Times, rival: str) -> dict[str, float]:
    """Return arraygrad's time over a rival's, per case."""
    return {case: row["arraygrad"] / row[rival] for case, row in times.items() if rival in row}


def per_operation(row: dict[str, float]) -> float:
    """Return the microseconds that each of a chain's operations costs over hand-written NumPy."""
    from benchmarks._cases import CHAIN_OPERATIONS

    return (row["arraygrad"] - row["hand"]) / CHAIN_OPERATIONS * 1e6


def report(dtype: str, times: Times, delegated: dict[str, float]) -> dict[str, Any]:
    """Print the tables of a dtype, and return their figures."""
    from benchmarks._measure import geometric_mean
    from benchmarks._peers import DELEGATION, PEERS
    from benchmarks._report import table

    rows = {
        peer: [f"{row[peer] * 1e6:,.0f}" if peer in row else "" for row in times.values()] + [""]
        for peer in PEERS
        if any(peer in row for row in times.values())
    }
    figures: dict[str, Any] = {"seconds": times, "ratios": {}}
    for rival in RIVALS:
        found = ratios(times, rival)
        if found:
            mean = geometric_mean(list(found.values()))
            rows[f"arraygrad / {rival}"] = [f"{found[case]:.2f}" for case in times] + [
                f"{mean:.3f}"
            ]
            figures["ratios"][rival] = found | {"geometric mean": mean}
    print(table(f"value_and_grad, {dtype}: microseconds", [*times, "geo. mean"], rows))
    chains = {case: per_operation(row) for case, row in times.items() if case.startswith("chain")}
    for case, cost in chains.items():
        print(f"{case}: {cost:.2f} us per operation over hand-written NumPy")
    figures["us_per_operation_over_hand"] = chains
    for new, ratio in delegated.items():
        print(f"{new}: {ratio:.2f} x {DELEGATION[new][1]} itself, on mlp32")
    figures["delegation"] = delegated
    return figures


def measure_memory(times: Times, dtype: str) -> Times:
    """Print and return the MiB of one call of each peer on each case."""
    from tqdm import tqdm

    from benchmarks._memory import peak_memory
    from benchmarks._peers import PEERS
    from benchmarks._report import table

    jobs = [(case, peer) for case, row in times.items() for peer in PEERS if peer in row]
    found: Times = {case: {} for case in times}
    for case, peer in tqdm(jobs, desc=f"memory {dtype}", unit="process", leave=False):
        found[case][peer] = peak_memory(case, peer, dtype)
    peers = dict.fromkeys(peer for _, peer in jobs)
    rows = {
        peer: [f"{row[peer]:.1f}" if peer in row else "" for row in found.values()]
        for peer in peers
    }
    print(table(f"peak memory of one call, {dtype}: MiB", list(found), rows))
    return found


def main() -> None:
    """Measure, print the tables, write the JSON."""
    options = parse_arguments()
    limit_threads(options.threads)
    from benchmarks._packages import enable_float64
    from benchmarks._report import conditions, write_json

    enable_float64()
    names = chosen(options.cases)
    figures: dict[str, Any] = {}
    for dtype in options.dtypes:
        times = measure(names, dtype, options)
        delegated = delegation(dtype, options) if "mlp32" in names else {}
        figures[dtype] = report(dtype, times, delegated)
        if options.memory:
            figures[dtype]["peak_mib"] = measure_memory(times, dtype)
    print("\nthreads:", conditions()["threads"])
    if options.json:
        write_json(options.json, figures)


def chosen(names: list[str]) -> list[str]:
    """Return the names of the cases asked for, where `eight` and `all` stand for several."""
    from benchmarks._cases import CASES
    from benchmarks._more_cases import EVERY_CASE

    groups = {"eight": CASES, "all": EVERY_CASE}
    found = dict.fromkeys(case for name in names for case in groups.get(name, [name]))
    unknown = found.keys() - EVERY_CASE
    if unknown:
        there_are = ", ".join([*groups, *EVERY_CASE])
        message = f"no such case: {', '.join(sorted(unknown))}; there are {there_are}"
        raise SystemExit(message)
    return list(found)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cases",
        nargs="+",
        default=["eight"],
        metavar="CASE",
        help="names of cases, `eight` (the default), or `all`",
    )
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"], metavar="DTYPE")
    parser.add_argument("--threads", type=int, default=1, help="for every peer (default 1)")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--quick", action="store_true", help="3 short rounds: a smoke test")
    parser.add_argument("--memory", action="store_true", help="peak memory too (Linux)")
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    options = parser.parse_args()
    options.rounds = 3 if options.quick else options.rounds
    options.block = 0.002 if options.quick else 0.02
    return options


if __name__ == "__main__":
    main()
