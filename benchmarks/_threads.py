"""How many threads every peer may use: said before any of them is imported."""

import os

__all__ = ["limit_threads", "threads_in_use"]

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def limit_threads(count: int) -> None:
    """Keep this process, whatever it will import, to so many threads and cores."""
    os.environ.update(dict.fromkeys(VARIABLES, str(count)))
    if count == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    if hasattr(os, "sched_setaffinity"):  # XLA sizes its pools by the cores it may use
        cores = sorted(os.sched_getaffinity(0))[-count:]
        os.sched_setaffinity(0, cores)


def threads_in_use() -> dict[str, int]:
    """Return how many threads each installed peer says it uses."""
    found = {"cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0}
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        pass
    else:
        for pool in threadpool_info():
            if pool["user_api"] == "blas":
                found[pool["internal_api"]] = pool["num_threads"]
    try:
        import torch
    except ImportError:
        pass
    else:
        found["torch"] = torch.get_num_threads()
    return found
