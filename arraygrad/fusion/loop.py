"""numba, where it is installed: a program is one compiled function, a loop for each stage.

Its source is printed to a file in a folder of its own, so that numba can keep the machine code on
disk from one process to the next.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from arraygrad._typing import Array, DType
from arraygrad.fusion.between import between
from arraygrad.fusion.loop_source import source_of
from arraygrad.fusion.program import Program
from arraygrad.fusion.threads import thread_count

__all__ = ["available", "prepare"]

_SERIAL_BELOW = 65_536
"""Elements: below, waking other threads costs more than they save."""

_ALL_THREADS = threading.Lock()
"""Held by who runs on several threads: not all ways in which numba does this can be shared."""


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def prepare(program: Program, dtype: DType) -> Callable[..., bool]:
    """Return what computes a program: see `arraygrad.fusion.memory`."""
    import numba

    @lru_cache(maxsize=4)
    def compiled(in_place: bool, parallel: bool) -> Any:
        source = source_of(program, dtype, in_place=in_place, parallel=parallel)
        return _loaded(source, f"{program.name}_{dtype}").run

    # Asking `numba.get_num_threads()` would start its threads, and with them change torch's number.
    settings: Any = numba.config
    threads = min(thread_count(), settings.NUMBA_NUM_THREADS)
    fewer = threads < settings.NUMBA_NUM_THREADS  # else numba stays as its user has set it
    names, kept = program.numbers, len(program.kept)

    def run(
        inputs: Sequence[Array], outs: Sequence[Array] | None, scalars: Mapping[str, Any]
    ) -> bool:
        """Run the loops, on several threads where that pays."""
        parallel = threads > 1 and inputs[0].size >= _SERIAL_BELOW
        if parallel and fewer:
            numba.set_num_threads(threads)
        given = tuple(map(float, map(scalars.__getitem__, names)))
        walk = compiled(outs is None, parallel)
        handed_on = between(kept, inputs[0].size, dtype) if kept else ()
        done: bool
        if parallel:
            with _ALL_THREADS:
                done = walk(given, *inputs, *(outs or ()), *handed_on)
        else:
            done = walk(given, *inputs, *(outs or ()), *handed_on)
        return done

    return run


def _loaded(source: str, name: str) -> Any:
    """Return the module of a source, from the folder where numba finds its machine code again."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    path = _folder() / f"fused_{name}_{digest}.py"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(source)
        os.replace(file.name, path)  # at once: other processes may be looking
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Return the folder of the printed loops: `ARRAYGRAD_CACHE_DIR`, else the user's cache."""
    given = os.environ.get("ARRAYGRAD_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(given) if given else home / "arraygrad"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:  # read-only: for this process alone
        return Path(tempfile.mkdtemp(prefix="arraygrad"))
