"""Who optimizes: arraygrad in its several ways, the C floor, and the peers of `_updates`."""

import contextvars
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._floor import floor
from benchmarks._updates import (
    NEEDS as OTHERS_NEED,
)
from benchmarks._updates import (
    RATE,
    Arrays,
    Step,
    Updater,
    hips,
    naive_numpy,
    optax_jit,
    torch_optim,
)

__all__ = ["NEEDS", "OURS", "PEERS"]

Convert = Callable[[Any], Any]


def make(name: str) -> Any:
    """Return an optimizer that takes the same step as the peers."""
    from arraygrad import optimizers

    if name == "lars":
        return optimizers.lars(RATE, trust_coefficient=1.0, momentum=0.0)
    if name == "lamb":
        return optimizers.lamb(RATE, epsilon=1e-8, weight_decay=0.0)
    return getattr(optimizers, name)(RATE)


def ours(
    convert: Convert = np.array, executor: str | None = None, *, donate: bool = True,
    zero: bool = False,
) -> Updater:  # fmt: skip
    """Return arraygrad on the arrays of a library, with an executor."""

    def start(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
        from arraygrad.fusion import use_executor

        optimizer = make(name)
        w = [convert(x) for x in w]
        converted = [[convert(x * 0 if zero else x) for x in each] for each in gradients]
        turn = itertools.cycle(converted)
        state = [w, optimizer.init(w)]
        if zero:  # moments from before: they decay, and must not become slow
            state[:] = optimizer.step(w, [convert(x) for x in gradients[0]], state[1], donate=True)

        with use_executor(executor):  # once, as around a loop of steps
            context = contextvars.copy_context()

        def step() -> Arrays:
            state[:] = context.run(optimizer.step, state[0], next(turn), state[1], donate=donate)
            return state[0]

        return step

    return start


def on_torch(x: Any) -> Any:
    """Copy an array into a tensor."""
    import torch

    return torch.tensor(x)


def on_jax(x: Any) -> Any:
    """Copy an array to jax."""
    import jax.numpy as jnp

    return jnp.array(x)


def on_jax_blocking(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """Arraygrad on jax arrays, donated; waits for the result as optax's loop does."""
    import jax

    step = ours(on_jax)(name, w, gradients)
    return None if step is None else lambda: jax.block_until_ready(step())


PEERS: dict[str, Updater] = {
    "C loop": floor,
    "naive NumPy": naive_numpy,
    "arraygrad": ours(executor="blocked"),
    "arraygrad, functional": ours(executor="blocked", donate=False),
    "arraygrad, zero gradients": ours(executor="blocked", zero=True),
    "arraygrad[fast]": ours(executor="numba"),
    "arraygrad on torch": ours(on_torch),
    "arraygrad on jax": on_jax_blocking,
    "torch.optim for-loop": torch_optim("for-loop"),
    "torch.optim foreach": torch_optim("foreach"),
    "torch.optim fused": torch_optim("fused"),
    "optax, jax.jit": optax_jit,
    "HIPS autograd": hips,
}
NEEDS = OTHERS_NEED | {
    "arraygrad[fast]": "numba",
    "arraygrad on jax": "jax",
    "torch.optim for-loop": "torch",
}
OURS = {
    "arraygrad": (
        "C loop", "naive NumPy", "torch.optim foreach", "torch.optim fused", "optax, jax.jit",
        "HIPS autograd",
    ),
    "arraygrad, functional": ("C loop",),
    "arraygrad, zero gradients": ("arraygrad",),
    "arraygrad[fast]": ("C loop", "torch.optim fused"),
    "arraygrad on torch": ("torch.optim fused",),
    "arraygrad on jax": ("optax, jax.jit",),
}  # fmt: skip
"""What is divided by what."""
