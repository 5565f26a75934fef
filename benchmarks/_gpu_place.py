"""Where the GPU's benchmarks run: on one CUDA device, or as a rehearsal on the CPU with NumPy."""

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["Gpu", "Peak", "Rehearsal", "find", "medians"]

Run = Callable[[], Any]


class Peak:
    """The most memory that was taken beside what was taken before; `None` if nobody counted."""

    bytes: int | None = None


class Rehearsal:
    """The CPU: the same code, figures that say nothing."""

    library, torch_device, jax_platform = "numpy", "cpu", "cpu"
    name = "no GPU: a rehearsal on the CPU, whose figures say nothing"
    is_gpu = False

    def asarray(self, x: Any) -> Any:
        """Put an array of NumPy's where the benchmark runs."""
        return np.array(x)

    def read(self, x: Any) -> Any:
        """Return an array's values."""
        return np.asarray(x)

    def seconds(self, run: Run, count: int, wait: Callable[[Any], Any]) -> float:
        """Return the seconds of one of `count` calls, all of them done."""
        start = time.perf_counter()
        for _ in range(count):
            result = run()
        wait(result)
        return (time.perf_counter() - start) / count

    @contextmanager
    def peak(self) -> Iterator[Peak]:
        """Count memory."""
        found = Peak()
        tracemalloc.start()
        yield found
        found.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    def launches(self, run: Run) -> int | None:
        """Return how many kernels a call launches, if somebody can tell."""
        return None


class Gpu(Rehearsal):
    """The current CUDA device, by way of CuPy."""

    library, torch_device, jax_platform = "cupy", "cuda", "cuda"
    is_gpu = True

    def __init__(self) -> None:
        import cupy

        properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
        driver, runtime = (
            cupy.cuda.runtime.driverGetVersion(),
            cupy.cuda.runtime.runtimeGetVersion(),
        )
        self.name = f"{properties['name'].decode()} (driver {driver}, CUDA {runtime})"

    def asarray(self, x: Any) -> Any:
        """Put an array of NumPy's on the device."""
        import cupy

        return cupy.asarray(x)

    def read(self, x: Any) -> Any:
        """Return an array's values."""
        return x.get() if hasattr(x, "get") else np.asarray(x)

    def seconds(self, run: Run, count: int, wait: Callable[[Any], Any]) -> float:
        """Return the seconds between two events of the default stream, which CuPy and torch use.

        jax has streams of its own: its peers wait for their last result before the second event.
        """
        import cupy

        start, stop = cupy.cuda.Event(), cupy.cuda.Event()
        cupy.cuda.runtime.deviceSynchronize()
        start.record()
        for _ in range(count):
            result = run()
        wait(result)
        stop.record()
        stop.synchronize()
        milliseconds: float = cupy.cuda.get_elapsed_time(start, stop)
        return milliseconds / 1e3 / count

    @contextmanager
    def peak(self) -> Iterator[Peak]:
        """Count what CuPy's pool hands out and takes back."""
        import cupy

        class Count(cupy.cuda.MemoryHook):  # type: ignore[misc]
            name, now, most = "arraygrad", 0, 0

            def malloc_postprocess(self, **kept: Any) -> None:
                """Note what was handed out."""
                self.now += kept["mem_size"]
                self.most = max(self.most, self.now)

            def free_postprocess(self, **freed: Any) -> None:
                """Note what came back."""
                self.now -= freed["mem_size"]

        found = Peak()
        with Count() as count:
            yield found
        found.bytes = count.most

    def launches(self, run: Run) -> int | None:
        """Count kernels in what torch's profiler, if there is one, records of the whole process."""
        try:
            from torch.autograd import DeviceType
            from torch.profiler import ProfilerActivity, profile
        except ImportError:
            return None
        import cupy

        run()
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            run()
            cupy.cuda.runtime.deviceSynchronize()
        kernels = [e for e in seen.events() if e.device_type == DeviceType.CUDA]
        return sum(not e.name.startswith(("Memcpy", "Memset")) for e in kernels)


def find(library: str) -> Rehearsal:
    """Return where to run; leave with a plain sentence where there is no GPU."""
    if library == "numpy":
        return Rehearsal()
    hint = "To try the benchmark's code on the CPU: python -m benchmarks.gpu --library numpy --tiny"
    try:
        import cupy

        cupy.cuda.runtime.getDeviceCount()
    except ImportError:
        sys.exit(f"benchmarks.gpu needs CuPy: pip install 'arraygrad[cupy]'.\n{hint}")
    except cupy.cuda.runtime.CUDARuntimeError as error:
        sys.exit(
            f"benchmarks.gpu needs an NVIDIA GPU with its driver, and found none ({error}).\n{hint}"
        )
    return Gpu()


def medians(
    place: Rehearsal,
    functions: Mapping[str, tuple[Run, Callable[[Any], Any]]],
    *,
    rounds: int,
    block: float,
) -> dict[str, float]:
    """Return the median seconds of one call of each function, in interleaved blocks."""
    counts = {}
    for name, (run, wait) in functions.items():
        for _ in range(3):  # compiles, fills caches and the pool
            once = place.seconds(run, 1, wait)
        counts[name] = max(1, round(block / max(once, 1e-9)))
    found: dict[str, list[float]] = {name: [] for name in functions}
    names = list(functions)
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            found[name].append(place.seconds(functions[name][0], counts[name], functions[name][1]))
    return {name: statistics.median(seconds) for name, seconds in found.items()}
