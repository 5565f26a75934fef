"""Who updates: each optimizer of each peer, as a function that takes one more step.

All get the same leaves, gradients and rate, and run in a loop the way their users run them; the
state each one keeps lives in the function's closure. Gradients alternate between two sets of
numbers of size one, so that no moment decays to a denormal number, and no epsilon matters.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "NEEDS", "PEERS", "RATE", "SIZES", "STEPS_OF_HIPS", "Arrays", "Step", "Updater", "draw", "hips",
    "naive_numpy", "optax_jit", "torch_optim", "zeros_like",
]  # fmt: skip

Arrays = list[Any]
Step = Callable[[], Any]
Updater = Callable[[str, Arrays, list[Arrays]], Step | None]

RATE = 1e-3
SIZES = {
    "1e3": (1, 1_000),
    "1e4": (1, 10_000),
    "1e5": (1, 100_000),
    "1e6": (1, 1_000_000),
    "1e7": (1, 10_000_000),
    "5e7": (1, 50_000_000),
    "200 x 1e3": (200, 1_000),
    "1000 x 1e2": (1_000, 100),
}


def draw(size: str, dtype: str) -> tuple[Arrays, list[Arrays]]:
    """Return the leaves, and two sets of gradients."""
    leaves, length = SIZES[size]
    rng = np.random.default_rng(0)

    def numbers() -> Any:
        return (rng.uniform(0.5, 1.5, length) * rng.choice([-1, 1], length)).astype(dtype)

    sets = [[numbers() for _ in range(leaves)] for _ in range(3)]
    return sets[0], sets[1:]


def naive_numpy(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """The formulas, leaf by leaf, as anybody first writes them."""
    update = NAIVE[name]
    state = [(x, np.zeros_like(x), np.zeros_like(x)) for x in w]
    turn, count = itertools.cycle(gradients), itertools.count(1)

    def step() -> Arrays:
        t, g = next(count), next(turn)
        state[:] = [update(*leaf, g, t) for leaf, g in zip(state, g, strict=True)]
        return [w for w, _, _ in state]

    return step


def naive_sgd(w: Any, m: Any, v: Any, g: Any, t: int) -> tuple[Any, Any, Any]:
    """w - rate g."""
    return w - RATE * g, m, v


def adam_direction(m: Any, v: Any, g: Any, t: int) -> tuple[Any, Any, Any]:
    """Adam's direction, with epsilon where the page has it."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g * g
    scale = (1 - 0.999**t) ** 0.5 / (1 - 0.9**t + 1e-7)
    return scale * m / (np.sqrt(v) + 1e-7), m, v


def naive_adam(w: Any, m: Any, v: Any, g: Any, t: int) -> tuple[Any, Any, Any]:
    """w - rate u."""
    u, m, v = adam_direction(m, v, g, t)
    return w - RATE * u, m, v


def naive_lars(w: Any, m: Any, v: Any, g: Any, t: int) -> tuple[Any, Any, Any]:
    """w - rate |w| / |g| g."""
    return w - RATE * float(np.linalg.norm(w) / np.linalg.norm(g)) * g, m, v


def naive_lamb(w: Any, m: Any, v: Any, g: Any, t: int) -> tuple[Any, Any, Any]:
    """w - rate min(|w| / |u|, 10) u."""
    u, m, v = adam_direction(m, v, g, t)
    return w - RATE * float(min(np.linalg.norm(w) / np.linalg.norm(u), 10)) * u, m, v


NAIVE = {"sgd": naive_sgd, "adam": naive_adam, "lars": naive_lars, "lamb": naive_lamb}


def arraygrad_step(name: str, w: Any, gradients: list[Any], zeros: Any, *, into: bool) -> Step:
    """Return a loop of the page's functions; `into` writes the weights into their own memory."""
    import arraygrad as ag

    update = getattr(ag, {"sgd": "gradient_descent"}.get(name, name) + "_update")
    turn, count = itertools.cycle(gradients), itertools.count(1)
    out = w if into else None
    state = [w, *zeros]

    def without_moments() -> Any:
        state[0] = update(state[0], next(turn), RATE, out=out)
        return state[0]

    def with_moments() -> Any:
        w, m, v = state
        state[:] = update(w, next(turn), RATE, m, v, next(count), out=out)
        return state[0]

    return with_moments if name in ("adam", "lamb") else without_moments


def zeros_like(w: Arrays) -> tuple[Arrays, Arrays]:
    """Return two fresh sets of zero moments; NumPy and torch both multiply."""
    return [x * 0 for x in w], [x * 0 for x in w]


def arraygrad(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """Arraygrad on NumPy arrays, new weights every step."""
    return arraygrad_step(name, w, gradients, zeros_like(w), into=False)


def arraygrad_out(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """Arraygrad on NumPy arrays, `out=` the old weights."""
    w = [x.copy() for x in w]
    return arraygrad_step(name, w, gradients, zeros_like(w), into=True)


def arraygrad_torch(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """Arraygrad on torch tensors."""
    import torch

    w = [torch.asarray(x) for x in w]
    gradients = [[torch.asarray(x) for x in each] for each in gradients]
    return arraygrad_step(name, w, gradients, zeros_like(w), into=False)


def torch_optim(kind: str) -> Updater:
    """Return torch.optim with one of its implementations: for-loop, foreach or fused."""

    def start(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
        import torch

        makers = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
        if name not in makers:
            return None
        leaves = [torch.tensor(x) for x in w]
        how = {"foreach": False, "fused": False} if kind == "for-loop" else {kind: True}
        optimizer = makers[name](leaves, lr=RATE, **how)
        turn = itertools.cycle([[torch.asarray(x) for x in each] for each in gradients])

        def step() -> Arrays:
            for leaf, g in zip(leaves, next(turn), strict=True):
                leaf.grad = g
            optimizer.step()
            return leaves

        return step

    return start


def optax_jit(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """Optax, compiled with donated buffers."""
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = {
        "sgd": optax.sgd(RATE),
        "adam": optax.adam(RATE),
        "lars": optax.lars(RATE, trust_coefficient=1.0, momentum=0.0),
        "lamb": optax.lamb(RATE, eps=1e-8),
    }[name]
    leaves = [jnp.array(x) for x in w]
    turn = itertools.cycle([[jnp.asarray(x) for x in each] for each in gradients])
    state = [leaves, optimizer.init(leaves)]

    @jax.jit(donate_argnums=(0, 1))
    def compiled(w: Any, inner: Any, g: Any) -> Any:
        updates, inner = optimizer.update(g, inner, w)
        return optax.apply_updates(w, updates), inner

    def step() -> Arrays:
        state[:] = jax.block_until_ready(compiled(*state, next(turn)))
        return state[0]

    return step


def hips(name: str, w: Arrays, gradients: list[Arrays]) -> Step | None:
    """HIPS autograd's optimizers: a step is a quarter of a run of four."""
    from autograd.misc import optimizers

    if name not in ("sgd", "adam"):
        return None
    run = getattr(optimizers, name)
    keywords = {"mass": 0.0} if name == "sgd" else {}
    turn = itertools.cycle(gradients)

    def step() -> Arrays:
        found = run(lambda w, i: next(turn), w, num_iters=STEPS_OF_HIPS, step_size=RATE, **keywords)
        return list(found)

    return step


STEPS_OF_HIPS = 4
PEERS: dict[str, Updater] = {
    "naive NumPy": naive_numpy,
    "arraygrad": arraygrad,
    "arraygrad, out=w": arraygrad_out,
    "arraygrad on torch": arraygrad_torch,
    "torch.optim foreach": torch_optim("foreach"),
    "torch.optim fused": torch_optim("fused"),
    "optax, jax.jit": optax_jit,
    "HIPS autograd": hips,
}
NEEDS = {
    "arraygrad on torch": "torch",
    "torch.optim foreach": "torch",
    "torch.optim fused": "torch",
    "optax, jax.jit": "optax",
    "HIPS autograd": "autograd",
}
