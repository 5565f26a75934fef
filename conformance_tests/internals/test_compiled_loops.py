"""Loops that numba compiles, and finds again on disk."""

import os
import subprocess
import sys

import pytest

STEPS = """
import sys
import numpy as np
from numba.np.ufunc import parallel
from arraygrad.fusion import use_executor
from arraygrad.optimizers import sgd

started = []
launch = parallel._launch_threads
parallel._launch_threads = lambda: (started.append(True), launch())
for size in map(int, sys.argv[1:]):
    w, optimizer = np.ones(size), sgd(0.5)
    with use_executor("numba"):
        w, _ = optimizer.step(w, np.ones(size), optimizer.init(w), donate=True)
    assert (w == 0.5).all()
print("threads" if started else "no threads")
"""


def test_a_loop_for_several_threads_is_not_taken_for_that_of_one(tmp_path):
    """numba knows machine code by the function, not by whether it is for several threads."""
    pytest.importorskip("numba")
    environment = os.environ | {
        "ARRAYGRAD_CACHE_DIR": str(tmp_path),
        "ARRAYGRAD_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "2",
    }

    def run(*sizes):
        command = [sys.executable, "-c", STEPS, *map(str, sizes)]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    assert run(100_000) == "threads"
    assert run(10) == "no threads"


@pytest.mark.parametrize(("ours", "left"), [(3, 1), (2, 2)])
def test_numba_keeps_the_number_of_threads_that_its_user_has_set(ours, left):
    """Unless arraygrad is to use fewer than numba has: then it says so."""
    pytest.importorskip("numba")
    code = """
import sys, numba, numpy as np
from arraygrad.fusion import use_executor
from arraygrad.optimizers import sgd
numba.set_num_threads(1)
w, optimizer = np.ones(100_000), sgd(0.5)
with use_executor("numba"):
    w, _ = optimizer.step(w, np.ones(100_000), optimizer.init(w), donate=True)
assert (w == 0.5).all()
print(numba.get_num_threads())
"""
    environment = os.environ | {"ARRAYGRAD_NUM_THREADS": str(ours), "NUMBA_NUM_THREADS": "3"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert int(done.stdout) == left
