"""PyTorch differentiates its own tensors.

Two engines of torch serve here. `torch.autograd` is twice as fast on small models, but a gradient
taken with it inside another one silently ends the outer graph. So it is used only where nothing
is above us: no call of ours, no graph of the caller's that the tensors belong to, no transform of
`torch.func`. There the results are detached as well, lest a parameter that `f` closes over drag
its graph along. Everywhere else `torch.func` does the work, and the results stay connected.
A pullback looks above itself once more when it is called.

A new thread starts outside every call: a gradient taken in a thread pool inside `f` is connected
to the gradient around it only if the pool runs its tasks in a copy of the context.
"""

from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from itertools import chain
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

from arraygrad._typing import Leaves, Pullback
from arraygrad.autodiff._once import once as only_once
from arraygrad.autodiff._once import refuse_second
from arraygrad.autodiff._torch_function import Application, apply, transformed, transposed
from arraygrad.errors import GraphBreakError

__all__ = ["checkpoint", "custom", "jvp", "keep_graph", "seed", "stop_gradient", "vjp", "vmap"]

_graph_of, _is_recorded = attrgetter("grad_fn"), attrgetter("requires_grad")
_inside: ContextVar[bool] = ContextVar("arraygrad_inside_torch", default=False)
_mapping: ContextVar[bool] = ContextVar("arraygrad_mapping_torch", default=False)
"""Whether the one transform above us is our own `vmap`, which has no graph."""


def vjp(
    f: Callable[..., Any], leaves: Leaves, constants: Leaves, *, once: bool = False
) -> tuple[list[Tensor], Pullback, list[Any]]:
    """Evaluate `f` and return its pullback: see `arraygrad.autodiff`."""
    fresh = _fresh(leaves, constants)
    if fresh is not None:
        return _graph_vjp(f, fresh, constants, once=once)
    outputs, pullback, aux = _functional_vjp(f, leaves, constants)
    return outputs, only_once(pullback) if once else pullback, aux


def jvp(
    f: Callable[..., Any], leaves: Leaves, tangents: Leaves, constants: Leaves
) -> tuple[list[Tensor], list[Tensor], list[Any]]:
    """Push tangents through `f`: see `arraygrad.autodiff`."""
    outermost = _outermost(leaves, tangents, constants)
    body = _Functional(f, constants)
    found, moved, traced = torch.func.jvp(  # type: ignore[misc]  # three, with has_aux
        body, tuple(leaves), tuple(tangents), has_aux=True
    )
    outputs, rates, aux = body.real(found), body.real(moved), body.whole_aux(traced)
    if outermost:
        return _detach(outputs), _detach(rates), _detach(aux)
    return outputs, rates, aux


def seed(y: Tensor) -> Tensor | None:
    """Leave the cotangent of a scalar to torch: it looks long and hard at given ones."""
    return None if y.ndim == 0 else torch.ones_like(y)


def stop_gradient(x: Tensor) -> Tensor:
    """Return the same values outside every graph; the memory is shared, as torch does."""
    return x.detach()


class keep_graph:  # noqa: N801  # used like a function
    """Let results of the calls in here stay part of the caller's own graphs."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _inside.set(True)

    def __exit__(self, *error: object) -> None:
        _inside.reset(self._token)


def _fresh(leaves: Leaves, constants: Leaves) -> list[Tensor] | None:
    """Return the leaves as those of a new graph, or None where something is above us."""
    if _connected(leaves, constants):
        return None
    try:
        return [x.detach().requires_grad_() for x in leaves]
    except RuntimeError:  # inside a transform of torch.func
        return None


def _outermost(*tensors: Leaves) -> bool:
    """Say whether nothing is above us, but perhaps our own `vmap`, which has no graph."""
    return not _connected(*tensors) and (_mapping.get() or not transformed())


def _connected(*tensors: Leaves) -> bool:
    """Say whether we are in a call of ours, or tensors belong to a graph."""
    if torch.is_inference_mode_enabled():
        message = "torch.inference_mode() records no gradients: leave it, or use torch.no_grad()"
        raise GraphBreakError(message)
    return _inside.get() or any(map(_graph_of, chain(*tensors)))


def custom(
    f: Callable[..., Any], push: Callable[..., Any] | None, leaves: Leaves, constants: Leaves
) -> list[Tensor]:
    """Apply a function that brings its own derivative: see `arraygrad.autodiff`."""

    def pull(leaves: Leaves, constants: Leaves, cotangents: Leaves) -> list[Tensor | None]:
        with keep_graph():
            found: list[Tensor | None] = f(leaves, constants)[1](cotangents)
        return found

    return apply(Application(f, pull, push or transposed(pull)), leaves, constants)


def checkpoint(f: Callable[..., Any], leaves: Leaves, constants: Leaves) -> list[Tensor]:
    """Apply a function, and run it again for the pullback: see `arraygrad.autodiff`.

    Where it closes over tensors with gradients, and inside a transform of `torch.func`, it is
    recorded as usual.
    """
    if not torch.is_grad_enabled() or transformed():
        return f(leaves, constants)[0]  # type: ignore[no-any-return]
    with keep_graph():
        outputs: list[Tensor] = f([x.detach() for x in leaves], constants)[0]
    if any(y.requires_grad for y in outputs):
        return f(leaves, constants)[0]  # type: ignore[no-any-return]

    def pull(leaves: Leaves, constants: Leaves, cotangents: Leaves) -> list[Tensor]:
        connected = torch.is_grad_enabled()
        with keep_graph() if connected else nullcontext():
            kept = leaves if connected else _detach(list(leaves))
            return vjp(f, kept, constants, once=True)[1](cotangents)

    again = Application(lambda *_: (outputs, None), pull, transposed(pull))
    return apply(again, leaves, constants)


def vmap(f: Callable[[Leaves], Leaves], batches: Leaves) -> list[Tensor]:
    """Apply a function to each element of a batch at once: see `arraygrad.autodiff`."""
    token = _mapping.set(_outermost(batches))
    try:
        return list(torch.func.vmap(lambda *row: tuple(f(row)), randomness="same")(*batches))
    finally:
        _mapping.reset(token)


def _graph_vjp(
    f: Callable[..., Any], fresh: list[Tensor], constants: Leaves, *, once: bool
) -> tuple[list[Tensor], Pullback, list[Any]]:
    """Record with torch.autograd."""
    token = _inside.set(True)
    try:
        with nullcontext() if torch.is_grad_enabled() else torch.enable_grad():
            outputs, aux = f(fresh, constants)
    finally:
        _inside.reset(token)

    held = [outputs]

    def pullback(cotangents: Leaves) -> list[Tensor]:
        if not held:
            refuse_second()
        ys, seeds = held.pop() if once else held[0], cotangents
        if not all(map(_is_recorded, ys)):
            live = [n for n, y in enumerate(ys) if y.requires_grad]
            if not live:
                return [torch.zeros_like(x) for x in fresh]
            ys, seeds = [ys[n] for n in live], [cotangents[n] for n in live]
        nested = not once and not _outermost(cotangents)
        found = torch.autograd.grad(ys, fresh, seeds, not once, nested, allow_unused=True)
        pairs = zip(found, fresh, strict=True)
        return [torch.zeros_like(x) if g is None else g for g, x in pairs]

    return [y.detach() for y in outputs], pullback, _detach(aux) if aux else aux


def _functional_vjp(
    f: Callable[..., Any], leaves: Leaves, constants: Leaves
) -> tuple[list[Tensor], Pullback, list[Any]]:
    """Record with torch.func, which nests."""
    body = _Functional(f, constants)
    found, pull, traced = torch.func.vjp(body, *leaves, has_aux=True)  # type: ignore[misc]

    def pullback(cotangents: Leaves) -> list[Tensor]:
        pairs = zip(cotangents, body.real(found), strict=True)
        given = [torch.ones_like(y) if g is None else g for g, y in pairs]
        return list(pull(given or [body.nothing]))

    return body.real(found), pullback, body.whole_aux(traced)


def _detach(values: list[Any]) -> list[Any]:
    return [x.detach() if isinstance(x, Tensor) else x for x in values]


class _Functional:
    """A function as torch.func wants it: at least one output, nothing but tensors in aux."""

    def __init__(self, f: Callable[..., Any], constants: Leaves) -> None:
        self.f = f
        self.constants = constants
        self.nothing = torch.zeros(())
        self.empty = False
        self.aux: list[Any] = []

    def __call__(self, *leaves: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        with keep_graph():
            outputs, self.aux = self.f(list(leaves), self.constants)
        self.empty = not outputs
        return outputs or [self.nothing], [x for x in self.aux if isinstance(x, Tensor)]

    def real(self, found: list[Tensor]) -> list[Tensor]:
        """Drop the stand-in for no output."""
        return [] if self.empty else list(found)

    def whole_aux(self, traced: list[Tensor]) -> list[Any]:
        """Put the tensors of aux, freed of their level, back between the rest."""
        tensors = iter(traced)
        return [next(tensors) if isinstance(x, Tensor) else x for x in self.aux]
