"""Who differentiates: each peer turns a case into a function that returns (value, gradients)."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._cases import Arrays, Case

__all__ = ["DELEGATION", "NEEDS", "PEERS", "Peer"]

Run = Callable[[], tuple[Any, Arrays]]
Peer = Callable[[Case, Arrays, Arrays], Run]


def hand(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """NumPy, the gradient written by hand."""
    return lambda: case.hand(parameters, *data)


def forward(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """NumPy, the value alone."""
    return lambda: (case.function(np, parameters, *data), [])


def agnostic(case: Case) -> Callable[..., Any]:
    """Return a case's function of arrays that bring their namespace."""
    from array_api_compat import array_namespace

    def function(parameters: Arrays, *data: Any) -> Any:
        return case.function(array_namespace(parameters[0]), parameters, *data)

    return function


def arraygrad(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """NumPy arrays, the tape."""
    import arraygrad as ag

    differentiate = ag.value_and_grad(agnostic(case))
    return lambda: differentiate(parameters, *data)


def hips_autograd(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """HIPS autograd, through its own NumPy."""
    import autograd
    import autograd.numpy as anp

    standard = {
        "concat": anp.concatenate,
        "linalg": SimpleNamespace(
            cholesky=anp.linalg.cholesky,
            diagonal=lambda x: anp.diagonal(x, axis1=-1, axis2=-2),
            solve=anp.linalg.solve,
        ),
        "permute_dims": anp.transpose,
    }
    xp = SimpleNamespace(**{**vars(anp), **standard})
    differentiate = autograd.value_and_grad(lambda p, *d: case.function(xp, p, *d))
    return lambda: differentiate(parameters, *data)


def bare_torch() -> SimpleNamespace:
    """Return torch's own functions under the standard's names, without any wrapper."""
    import torch

    return SimpleNamespace(**{**vars(torch), "max": torch.amax, "permute_dims": torch.permute})


def torch_eager(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """PyTorch, eager, as its users write it."""
    import torch

    xp = bare_torch()
    leaves = [torch.asarray(x).requires_grad_() for x in parameters]
    constants = [torch.asarray(x) for x in data]

    def run() -> tuple[Any, Arrays]:
        value = case.function(xp, leaves, *constants)
        return value.detach(), list(torch.autograd.grad(value, leaves))

    return run


def arraygrad_on_torch(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """Arraygrad on torch tensors: the same function as `torch_eager` differentiates."""
    import torch

    import arraygrad as ag

    xp = bare_torch()
    leaves, constants = [torch.asarray(x) for x in parameters], [torch.asarray(x) for x in data]
    differentiate = ag.value_and_grad(lambda p, *d: case.function(xp, p, *d))
    return lambda: differentiate(leaves, *constants)


def jitted(case: Case, parameters: Arrays, data: Arrays, operator: Callable[..., Any]) -> Run:
    """Compile the gradient that an operator makes, once."""
    import jax
    import jax.numpy as jnp

    leaves, constants = [jnp.asarray(x) for x in parameters], [jnp.asarray(x) for x in data]
    differentiate = jax.jit(operator(lambda p, *d: case.function(jnp, p, *d)))
    return lambda: jax.block_until_ready(differentiate(leaves, *constants))


def jax_jit(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """JAX, compiled."""
    import jax

    return jitted(case, parameters, data, jax.value_and_grad)


def arraygrad_in_jit(case: Case, parameters: Arrays, data: Arrays) -> Run:
    """Arraygrad on jax arrays, compiled by the user's jax.jit."""
    import arraygrad as ag

    return jitted(case, parameters, data, ag.value_and_grad)


PEERS: dict[str, Peer] = {
    "forward": forward,
    "hand": hand,
    "arraygrad": arraygrad,
    "autograd": hips_autograd,
    "torch": torch_eager,
    "jax.jit": jax_jit,
}

# who delegates to whom, on which case: what arraygrad adds to a library's own autodiff
DELEGATION: dict[str, tuple[Peer, str]] = {
    "arraygrad on torch": (arraygrad_on_torch, "torch"),
    "arraygrad in jax.jit": (arraygrad_in_jit, "jax.jit"),
}

NEEDS = {"autograd": "autograd", "torch": "torch", "jax.jit": "jax"}
