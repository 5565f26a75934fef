"""What `import arraygrad` costs beside `import numpy`, in fresh interpreters.

python -m benchmarks.imports
"""

import argparse
import statistics
import subprocess
import sys

from tqdm import tqdm

__all__ = ["main", "milliseconds"]

PROGRAM = """
import numpy
from time import perf_counter
start = perf_counter()
import {module}
print(perf_counter() - start)
"""


def milliseconds(module: str) -> float:
    """Return how long a fresh interpreter that has NumPy takes to import a module."""
    program = [sys.executable, "-c", PROGRAM.format(module=module)]
    run = subprocess.run(program, capture_output=True, text=True, check=True)
    return float(run.stdout) * 1e3


def main() -> None:
    """Print the median of several interpreters, for us and for what we need."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    modules = ("optree", "array_api_compat", "arraygrad")
    # The first round writes what the others read: compiled modules, the disk's cache.
    times = [
        [milliseconds(module) for module in modules]
        for _ in tqdm(range(rounds + 1), desc="imports", leave=False)
    ][1:]
    for module, column in zip(modules, zip(*times, strict=True), strict=True):
        print(f"{module:20} {statistics.median(column):6.1f} ms")


if __name__ == "__main__":
    main()
