"""Optimizers on a GPU: ours against torch's fused ones, and both against a copy of memory."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._gpu_place import Rehearsal, medians

__all__ = ["OPTIMIZERS", "TREES", "copy_bandwidth", "measure"]

Timed = tuple[Callable[[], Any], Callable[[Any], Any]]

# name: (ours, torch's, how often an element is read or written at least)
OPTIMIZERS: dict[str, tuple[Callable[[Any], Any], Any, int]] = {
    "SGD": (lambda o: o.sgd(1e-4), lambda t, w: t.optim.SGD(w, 1e-4, fused=True), 3),
    "Adam": (lambda o: o.adam(1e-4), lambda t, w: t.optim.Adam(w, 1e-4, fused=True), 7),
    "LAMB": (lambda o: o.lamb(1e-4), None, 11),  # norms need a walk of their own
}

# name: (shapes, shapes of a rehearsal)
TREES: dict[str, tuple[list[int], list[int]]] = {
    "1e6": ([10**6], [100]),
    "1e7": ([10**7], [1000]),
    "1e8": ([10**8], [5000]),
    "1,000 x 1,000": ([1000] * 1000, [10] * 20),
}


def ours(place: Rehearsal, name: str, w: list[Any], g: list[Any]) -> Timed:
    """Arraygrad, in place."""
    from arraygrad import optimizers

    optimizer = OPTIMIZERS[name][0](optimizers)
    params, grads = [place.asarray(x) for x in w], [place.asarray(x) for x in g]
    kept = [params, optimizer.init(params)]

    def run() -> Any:
        kept[:] = optimizer.step(kept[0], grads, kept[1], donate=True)
        return kept[0]

    return run, lambda _: None


def fused_torch(place: Rehearsal, name: str, w: list[Any], g: list[Any]) -> Timed | None:
    """PyTorch's fused implementation, where it has one."""
    import torch

    make = OPTIMIZERS[name][1]
    if make is None:
        return None
    params = [torch.nn.Parameter(torch.tensor(x, device=place.torch_device)) for x in w]
    for x, gradient in zip(params, g, strict=True):
        x.grad = torch.tensor(gradient, device=place.torch_device)
    return make(torch, params).step, lambda _: None


def measure(
    place: Rehearsal,
    name: str,
    size: str,
    peers: list[str],
    *,
    tiny: bool,
    rounds: int,
    block: float,
) -> dict[str, Any]:
    """Return the seconds of a step, of ours and of torch's, and how many kernels each launches."""
    rng, shapes = np.random.default_rng(0), TREES[size][tiny]
    w, g = ([rng.standard_normal(n, "float32") for n in shapes] for _ in range(2))
    functions = {"arraygrad": ours(place, name, w, g)}
    theirs = fused_torch(place, name, w, g) if "torch eager" in peers else None
    if theirs is not None:
        functions["torch fused"] = theirs
    seconds = medians(place, functions, rounds=rounds, block=block)
    return {
        "seconds": seconds,
        "launches": {peer: place.launches(run) for peer, (run, _) in functions.items()},
        "bytes": 4 * sum(shapes) * OPTIMIZERS[name][2],
    }


def copy_bandwidth(place: Rehearsal, *, tiny: bool, rounds: int, block: float) -> float:
    """Return the bytes that a copy of an array within the device reads and writes in a second."""
    x = place.asarray(np.ones(1000 if tiny else 10**8, "float32"))
    y = place.asarray(np.zeros_like(place.read(x)))

    def copy() -> Any:
        y[...] = x
        return y

    seconds = medians(place, {"copy": (copy, lambda _: None)}, rounds=rounds, block=block)
    return 2 * x.nbytes / seconds["copy"]
