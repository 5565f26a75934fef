"""How the suite has jax and numba compile: quickly, and each thing once.

Eager jax compiles every operation for every shape: half of the suite's time. The tests look at
values, not at speed, so XLA may take its quick way. Set `XLA_FLAGS`, be it to nothing, to choose
otherwise.
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys

import pytest

__all__ = ["prepare"]

QUICKLY = "--xla_cpu_use_fusion_emitters=false"
"""XLA's older and simpler emitter: half the time for a small operation.

Level 0 of `xla_backend_optimization_level` would save more, but there a number that is computed
twice may round in two ways, and then no element is the extreme one of a norm.
"""

START = "from jaxlib import xla_client; xla_client.make_cpu_client()"


def prepare(config: pytest.Config) -> None:
    """Set the environment, also for workers and subprocesses; before jax and numba are imported."""
    cache: pytest.Cache | None = getattr(config, "cache", None)  # pytest may be told to have none
    chosen = {}
    if cache:
        chosen = {
            "ARRAYGRAD_CACHE_DIR": str(cache.mkdir("fusion")),
            "JAX_COMPILATION_CACHE_DIR": str(cache.mkdir("jax")),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    if "XLA_FLAGS" not in os.environ and importlib.util.find_spec("jaxlib"):
        chosen["XLA_FLAGS"] = QUICKLY if _are_known(cache) else ""
    for name, value in chosen.items():
        os.environ.setdefault(name, value)


def _are_known(cache: pytest.Cache | None) -> bool:
    """Say whether the installed XLA knows our flags; one that does not would end the process."""
    key = f"arraygrad/xla-{importlib.metadata.version('jaxlib')}"
    answers = cache.get(key, {}) if cache else {}
    if QUICKLY not in answers:
        every = os.environ | {"XLA_FLAGS": QUICKLY}
        command = [sys.executable, "-c", START]
        done = subprocess.run(command, env=every, capture_output=True, check=False)
        answers = {QUICKLY: done.returncode == 0}
        if cache:
            cache.set(key, answers)
    return bool(answers[QUICKLY])
