"""Value and gradient on a GPU: the tape on CuPy against torch and jax on the same device."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._cases import Arrays, make_mlp, mlp, rnn, rosenbrock
from benchmarks._gpu_place import Rehearsal, medians
from benchmarks._peers import bare_torch

__all__ = ["CASES", "PEERS", "measure"]

Timed = tuple[Callable[[], Any], Callable[[Any], Any]]


def attention(xp: Any, parameters: Arrays, x: Any) -> Any:
    """Return the mean square of what one head of attention yields for each of a batch."""
    query, key, value = (x @ w for w in parameters)
    scores = (query @ xp.permute_dims(key, (0, 2, 1))) * query.shape[-1] ** -0.5
    e = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    y = (e / xp.sum(e, axis=-1, keepdims=True)) @ value
    return xp.mean(y * y)


def make_attention(batch: int, length: int, width: int) -> Callable[..., tuple[Arrays, Arrays]]:
    def make(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
        weights = [rng.normal(size=(width, width)) / math.sqrt(width) for _ in range(3)]
        return weights, [rng.normal(size=(batch, length, width))]

    return make


def make_rosenbrock(size: int) -> Callable[..., tuple[Arrays, Arrays]]:
    return lambda rng: ([rng.normal(size=size)], [])


def make_rnn(steps: int) -> Callable[..., tuple[Arrays, Arrays]]:
    def make(rng: np.random.Generator) -> tuple[Arrays, Arrays]:
        weights = [rng.normal(size=(16, 64)) / 4, rng.normal(size=(64, 64)) / 8]
        return [*weights, rng.normal(size=64) / 10], [rng.normal(size=(steps, 32, 16))]

    return make


# name: (function, how to draw its data, how to draw tiny data)
CASES: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "MLP, batch 512": (mlp, make_mlp(512), make_mlp(8)),
    "MLP, batch 8,192": (mlp, make_mlp(8192), make_mlp(16)),
    "attention, 8 x 1,024 x 64": (
        attention, make_attention(8, 1024, 64), make_attention(2, 8, 4),
    ),
    "Rosenbrock, 10,000,000": (rosenbrock, make_rosenbrock(10_000_000), make_rosenbrock(100)),
    "RNN, 100 steps": (rnn, make_rnn(100), make_rnn(5)),
}  # fmt: skip


def ours(place: Rehearsal, function: Any, parameters: Arrays, data: Arrays) -> Timed:
    """Arraygrad's tape on the place's own library."""
    import arraygrad as ag
    from arraygrad._namespace import array_namespace

    leaves, constants = ([place.asarray(x) for x in xs] for xs in (parameters, data))
    run = ag.value_and_grad(lambda p, *d: function(array_namespace(p[0]), p, *d))
    return lambda: run(leaves, *constants), lambda _: None


def on_torch(place: Rehearsal, function: Any, parameters: Arrays, data: Arrays) -> Timed:
    """PyTorch, eager, as its users write it."""
    return _torch(place, function, parameters, data, lambda f: f)


def torch_compiled(place: Rehearsal, function: Any, parameters: Arrays, data: Arrays) -> Timed:
    """PyTorch, the forward function compiled, and with it the backward one."""
    import torch

    return _torch(place, function, parameters, data, torch.compile)


def _torch(place: Rehearsal, function: Any, parameters: Arrays, data: Arrays, wrap: Any) -> Timed:
    import torch

    xp, device = bare_torch(), place.torch_device
    leaves = [torch.tensor(x, device=device).requires_grad_() for x in parameters]
    constants = [torch.tensor(x, device=device) for x in data]
    value_of = wrap(lambda p, *d: function(xp, p, *d))

    def run() -> Any:
        value = value_of(leaves, *constants)
        return value.detach(), list(torch.autograd.grad(value, leaves))

    return run, lambda _: None


def in_jax(place: Rehearsal, function: Any, parameters: Arrays, data: Arrays) -> Timed:
    """JAX, compiled; products in full single precision, as CuPy and torch have them."""
    import jax
    import jax.numpy as jnp

    device = jax.devices(place.jax_platform)[0]
    leaves, constants = ([jax.device_put(x, device) for x in xs] for xs in (parameters, data))
    gradient = jax.value_and_grad(lambda p, *d: function(jnp, p, *d))
    with jax.default_matmul_precision("highest"):
        run = jax.jit(gradient).lower(leaves, *constants).compile()
    return lambda: run(leaves, *constants), jax.block_until_ready


PEERS: dict[str, Any] = {
    "arraygrad": ours,
    "torch eager": on_torch,
    "torch.compile": torch_compiled,
    "jax.jit": in_jax,
}
NEEDS = {"torch eager": "torch", "torch.compile": "torch", "jax.jit": "jax"}


def measure(
    place: Rehearsal, name: str, peers: list[str], *, tiny: bool, rounds: int, block: float
) -> dict[str, Any]:
    """Return seconds of each peer, and what ours launches and takes, after a check of all."""
    function, make, make_tiny = CASES[name]
    drawn = (make_tiny if tiny else make)(np.random.default_rng(0))
    parameters, data = ([x.astype("float32") for x in xs] for xs in drawn)
    functions = {peer: PEERS[peer](place, function, parameters, data) for peer in peers}
    _check(place, {peer: run() for peer, (run, _) in functions.items()})
    run, _ = functions["arraygrad"]
    with place.peak() as peak:
        run()
    return {
        "seconds": medians(place, functions, rounds=rounds, block=block),
        "launches": {peer: place.launches(f) for peer, (f, _) in functions.items()},
        "peak": peak.bytes,
    }


def _check(place: Rehearsal, found: dict[str, Any]) -> None:
    """Hold every peer's value and gradients against ours."""
    value, gradients = found.pop("arraygrad")
    ours_ = [np.float64(place.read(x)) for x in [value, *gradients]]
    for peer, (other, others) in found.items():
        for x, y in zip(ours_, [other, *others], strict=True):
            theirs = np.float64(y.cpu() if hasattr(y, "cpu") else y)
            worst = np.max(np.abs(x - theirs)) / max(np.max(np.abs(theirs)), 1e-30)
            if not worst < 5e-3:
                message = f"{peer} and arraygrad differ by {worst:.1e} of the largest element"
                raise AssertionError(message)
