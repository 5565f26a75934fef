"""A function with a derivative of its own, as a `torch.autograd.Function`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import _set_fwd_grad_enabled, unpack_dual

from arraygrad._typing import Leaves, Pullback

__all__ = ["Application", "Function", "apply", "transformed", "transposed"]

Evaluate = Callable[[Leaves, Leaves], tuple[list[Tensor], Pullback | None]]
Pull = Callable[[Leaves, Leaves, Leaves], list[Any]]
Push = Callable[[Leaves, Leaves, Leaves, Leaves], list[Tensor]]


class Application:
    """One call of a function: how to evaluate it, pull cotangents back, and push tangents.

    A pullback of plain values serves while no graph is wanted. Otherwise `pull` runs the function
    again, on tensors that belong to the graph.
    """

    def __init__(self, evaluate: Evaluate, pull: Pull, push: Push) -> None:
        self.evaluate, self._pull, self.push = evaluate, pull, push
        self.count = 0  # of leaves; constants come after them
        self._pullback: Pullback | None = None

    def run(self, leaves: Leaves, constants: Leaves) -> tuple[Tensor, ...]:
        """Return the outputs."""
        outputs, pullback = self.evaluate([x.detach() for x in leaves], constants)
        if not transformed():
            self._pullback = pullback
        return tuple(outputs)

    def pull(self, leaves: Leaves, constants: Leaves, cotangents: Leaves) -> list[Any]:
        """Return the cotangents of the leaves."""
        if self._pullback is None or torch.is_grad_enabled():
            return self._pull(leaves, constants, cotangents)
        return self._pullback(cotangents)


class Function(torch.autograd.Function):
    """The function as torch wants it; `inputs` are the application, leaves and constants."""

    generate_vmap_rule = True

    @staticmethod
    def forward(application: Application, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs."""
        count = application.count
        return application.run(tensors[:count], tensors[count:])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """Keep the same for both directions: torch's `vmap` wants it so."""
        ctx.application, *tensors = inputs
        ctx.save_for_backward(*tensors, *output)
        ctx.save_for_forward(*tensors, *output)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        """Pull cotangents back: for the application, the leaves, and the constants."""
        leaves, constants, _ = _kept(ctx, len(cotangents))
        found = ctx.application.pull(leaves, constants, cotangents)
        return (None, *found, *[None] * len(constants))

    @staticmethod
    def jvp(ctx: Any, _: None, *tangents: Tensor | None) -> tuple[Tensor, ...]:
        """Push tangents forward.

        torch calls this with forward mode off, which would end the derivatives of outer levels
        in silence. On again, it is ours to leave out those of this very level.
        """
        with _set_fwd_grad_enabled(True):
            leaves, constants, outputs = _kept(ctx, len(ctx.saved_tensors) - len(tangents))
            moved = [
                torch.zeros_like(x) if t is None else _primal(t)
                for x, t in zip(leaves, tangents, strict=False)  # constants have none
            ]
            saved = [[*map(_primal, part)] for part in (leaves, constants, outputs)]
            return tuple(ctx.application.push(*saved, moved))


def apply(
    application: Application, leaves: Leaves, constants: Leaves, function: type[Function] = Function
) -> list[Tensor]:
    """Apply a function to tensors."""
    application.count = len(leaves)
    outputs = function.apply(application, *leaves, *constants)  # type: ignore[no-untyped-call]
    return list(outputs)


def transformed() -> bool:
    """Say whether a transform of torch.func is above us: there this call is refused."""
    try:
        torch.empty(0).requires_grad_()
    except RuntimeError:
        return True
    return False


def transposed(pull: Pull) -> Push:
    """Return the forward rule that belongs to a pullback, which is linear: its transpose."""

    def push(leaves: Leaves, constants: Leaves, outputs: Leaves, tangents: Leaves) -> list[Tensor]:
        def pullback(*cotangents: Tensor) -> tuple[Tensor, ...]:
            found = pull(leaves, constants, cotangents)
            pairs = zip(found, leaves, strict=True)
            return tuple(torch.zeros_like(x) if c is None else c for c, x in pairs)

        zeros = [torch.zeros_like(y) for y in outputs]
        _, transpose, *_ = torch.func.vjp(pullback, *zeros)
        return list(transpose(tuple(tangents)))

    return push


def _primal(x: Tensor) -> Tensor:
    """Return a tensor without its tangent at the innermost level of forward mode."""
    primal: Tensor = unpack_dual(x).primal  # type: ignore[no-untyped-call]
    return primal


def _kept(ctx: Any, outputs: int) -> tuple[Leaves, Leaves, Leaves]:
    """Return leaves, constants and outputs."""
    saved, count = ctx.saved_tensors, ctx.application.count
    stop = len(saved) - outputs
    return saved[:count], saved[count:stop], saved[stop:]
