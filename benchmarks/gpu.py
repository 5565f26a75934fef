"""The tape and the optimizers on one GPU, against torch and jax on the same one.

python -m benchmarks.gpu --write docs/reference/performance.md

Without a GPU it says so and stops. `--library numpy --tiny` runs the same code on the CPU: that
shows that it works, and nothing else.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import _gpu_gradients, _gpu_steps
from benchmarks._gpu_place import find
from benchmarks._report import conditions, table, write_json

__all__ = ["main"]

TARGETS = {  # the most that arraygrad may take, in times of torch eager
    "MLP, batch 8,192": 1.0,
    "attention, 8 x 1,024 x 64": 1.0,
    "RNN, 100 steps": 1.5,
}
BEGIN, END = "<!-- GPU: begin -->", "<!-- GPU: end -->"
SHARE, ADAM = 0.85, ("Adam", "1e8")  # of the copy bandwidth


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where asked."""
    options = _options(arguments)
    place = find(options.library)
    wanted = [p for p in _gpu_gradients.PEERS if p in ("arraygrad", *options.peers)]
    peers = [p for p in wanted if _is_here(p)]
    for peer in set(wanted).difference(peers):
        print(f"{peer} is left out: {_gpu_gradients.NEEDS[peer]} is not installed")
    how = {"tiny": options.tiny, "rounds": options.rounds, "block": options.block}
    figures: dict[str, Any] = {"device": place.name, "gradients": {}, "steps": {}}
    for name in _gpu_gradients.CASES:
        print(f"{name} ...", file=sys.stderr)
        figures["gradients"][name] = _gpu_gradients.measure(place, name, peers, **how)
    figures["copy"] = _gpu_steps.copy_bandwidth(place, **how)
    for name in _gpu_steps.OPTIMIZERS:
        for size in _gpu_steps.TREES:
            print(f"{name}, {size} ...", file=sys.stderr)
            found = _gpu_steps.measure(place, name, size, peers, **how)
            figures["steps"][f"{name}, {size}"] = found
    text = "\n".join([*report(figures), *(_verdicts(figures) if place.is_gpu else [])])
    print(text)
    if options.write:
        write(options.write, text)
    if options.json:
        write_json(options.json, figures)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.gpu")
    parser.add_argument("--library", choices=["cupy", "numpy"], default="cupy")
    parser.add_argument("--tiny", action="store_true", help="small arrays: for a rehearsal")
    parser.add_argument("--peers", nargs="*", default=list(_gpu_gradients.PEERS))
    parser.add_argument("--rounds", type=int, default=None, help="default 15; 2 with --tiny")
    parser.add_argument("--block", type=float, default=None, help="seconds; default 0.2")
    parser.add_argument("--write", metavar="FILE", help="a page, to put the tables in")
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (2 if options.tiny else 15)
    options.block = options.block or (0.001 if options.tiny else 0.2)
    return options


def _is_here(peer: str) -> bool:
    needs = _gpu_gradients.NEEDS.get(peer)
    return needs is None or importlib.util.find_spec(needs) is not None


def write(path: str, text: str) -> None:
    """Put the tables into a page, between its marks."""
    page = Path(path).read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    Path(path).write_text(f"{before}{BEGIN}\n{text.strip()}\n{END}{after}", encoding="utf-8")


def report(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the tables, as Markdown."""
    versions = {k: v for k, v in conditions()["versions"].items() if v}
    yield f"Device: {figures['device']}."
    yield "Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()) + ", float32."
    gradients = figures["gradients"]
    peers = list(next(iter(gradients.values()))["seconds"])
    rows = {name: list(_gradient_row(found, peers)) for name, found in gradients.items()}
    columns = [*(f"{peer}, ms" for peer in peers), *(f"/ {p}" for p in peers[1:]), "kernels", "MB"]
    yield table("value_and_grad", columns, rows)
    bandwidth = figures["copy"]
    yield f"\nCopy within the device: {bandwidth / 1e9:.0f} GB/s read and written."
    rows = {name: list(_step_row(found, bandwidth)) for name, found in figures["steps"].items()}
    columns = ["arraygrad, ms", "torch fused, ms", "ratio", "of copy", "kernels", "torch's"]
    yield table("step(..., donate=True)", columns, rows)
    yield ""


def _gradient_row(found: dict[str, Any], peers: list[str]) -> Iterator[str]:
    seconds = found["seconds"]
    yield from (f"{seconds[peer] * 1e3:.3f}" for peer in peers)
    yield from (f"{seconds['arraygrad'] / seconds[peer]:.2f}" for peer in peers[1:])
    yield _count(found["launches"]["arraygrad"])
    yield "-" if found["peak"] is None else f"{found['peak'] / 1e6:.1f}"


def _step_row(found: dict[str, Any], bandwidth: float) -> Iterator[str]:
    seconds, launches = found["seconds"], found["launches"]
    theirs = seconds.get("torch fused")
    yield f"{seconds['arraygrad'] * 1e3:.3f}"
    yield "-" if theirs is None else f"{theirs * 1e3:.3f}"
    yield "-" if theirs is None else f"{seconds['arraygrad'] / theirs:.2f}"
    yield f"{_share(found, bandwidth):.0%}"
    yield _count(launches["arraygrad"])
    yield _count(launches.get("torch fused"))


def _share(found: dict[str, Any], bandwidth: float) -> float:
    """Return what an optimizer moves at least, in a second, over what a copy moves."""
    share: float = found["bytes"] / found["seconds"]["arraygrad"] / bandwidth
    return share


def _count(x: int | None) -> str:
    return "-" if x is None else str(x)


def _verdicts(figures: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each target."""
    for name, most in TARGETS.items():
        seconds = figures["gradients"][name]["seconds"]
        if "torch eager" in seconds:
            ratio = seconds["arraygrad"] / seconds["torch eager"]
            met = _met(ratio <= most)
            yield f"- {name}: {ratio:.2f} of torch eager; wanted at most {most}: {met}"
    found = figures["steps"][", ".join(ADAM)]
    share = _share(found, figures["copy"])
    met = _met(share >= SHARE)
    yield f"- Adam on 1e8: {share:.0%} of the copy; wanted at least {SHARE:.0%}: {met}"
    launches = figures["steps"]["Adam, 1,000 x 1,000"]["launches"]["arraygrad"]
    if launches is not None:
        yield f"- kernels for 1,000 leaves: {launches}; wanted 1: {_met(launches == 1)}"


def _met(answer: bool) -> str:
    return "met" if answer else "missed"


if __name__ == "__main__":
    main()
