"""Peak memory of one call, in a process of its own: `python -m benchmarks._memory CASE PEER DTYPE`.

The high-water mark of resident memory during a second call, less what was resident before it.
`tracemalloc` would miss what torch and jax allocate themselves.
"""

import ctypes
import gc
import subprocess
import sys
from pathlib import Path

__all__ = ["peak_memory"]


def peak_memory(case: str, peer: str, dtype: str) -> float:
    """Return the MiB of one call, measured in a fresh process; NaN where it cannot be."""
    command = [sys.executable, "-m", "benchmarks._memory", case, peer, dtype]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(found.stdout) if found.returncode == 0 else float("nan")


def _status(field: str) -> int:
    """Return a field of /proc/self/status, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    """Measure, and print MiB."""
    from benchmarks._more_cases import EVERY_CASE
    from benchmarks._peers import DELEGATION, PEERS

    name, peer, dtype = sys.argv[1:]
    case = EVERY_CASE[name].spelt_for(peer)
    start = PEERS[peer] if peer in PEERS else DELEGATION[peer][0]
    run = start(case, *case.data(dtype))
    run()  # compiles, and fills caches
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what the first call freed must not serve the second unseen
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # reset the high-water mark
    before = _status("VmRSS")
    run()
    print((_status("VmHWM") - before) / 1024)


if __name__ == "__main__":
    main()
