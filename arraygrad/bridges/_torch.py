"""A function of another library as one operation in torch's graphs and transforms.

Beyond the border nothing is known of torch's levels, so no array of theirs may get there. What
comes to `evaluate` and `record` is plain: torch peels off the levels of `torch.func`, and a batch
of `vmap` goes over row by row.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

from arraygrad._typing import Leaves
from arraygrad.autodiff._torch_function import Application, Function, apply, transformed
from arraygrad.bridges._border import Border
from arraygrad.bridges._flat import Flat, chosen, parted, pulled, pushed
from arraygrad.errors import GraphBreakError

__all__ = ["cross"]


def cross(
    f: Flat, border: Border, leaves: Leaves, constants: Leaves
) -> tuple[list[Tensor], list[Tensor]]:
    """Call a function beyond the border, as part of a graph where a leaf is."""
    everything = transformed()
    wanted = [everything or _in_a_graph(x) for x in leaves]
    if not everything and not any(wanted):
        return border.evaluate(f, _plain(leaves), _plain(constants))
    active, passive = parted(leaves, wanted)  # passive on every level: torch has one graph
    application = _Crossing(chosen(f, wanted), border, keeps=not everything)
    found = apply(application, active, [*passive, *constants], _RowByRow)
    return [y for y in found if _floats(y)], [y for y in found if not _floats(y)]


class _Crossing(Application):
    """One call; `keeps` says whether a pullback of plain values may serve the backward pass."""

    def __init__(self, f: Flat, border: Border, *, keeps: bool) -> None:
        super().__init__(self._evaluate, self._again, self._push)
        self._f, self._border, self._keeps = f, border, keeps

    def _evaluate(self, leaves: Leaves, constants: Leaves) -> tuple[list[Tensor], Any]:
        constants = _plain(constants)
        if not self._keeps:
            outputs, aux = self._border.evaluate(self._f, leaves, constants)
            return [*outputs, *aux], None
        outputs, aux, pullback = self._border.record(self._f, leaves, constants)

        def pull(cotangents: Leaves) -> list[Tensor]:
            if transformed():  # a batch of cotangents
                return self._again(leaves, constants, cotangents)
            return pullback(_plain(cotangents[: len(outputs)]))

        return [*outputs, *aux], pull

    def _again(self, leaves: Leaves, constants: Leaves, cotangents: Leaves) -> list[Tensor]:
        """Pull cotangents back, as part of a graph."""
        back = pulled(self._f, self._border.inner, [True] * len(leaves))
        moved = [g for g in cotangents if g is not None and _floats(g)]
        return cross(back, self._border, [*leaves, *moved], constants)[0]

    def _push(
        self, leaves: Leaves, constants: Leaves, outputs: Leaves, tangents: Leaves
    ) -> list[Any]:
        """Push tangents forward, as part of a graph."""
        forth = pushed(self._f, self._border.inner, [True] * len(leaves))
        rates = cross(forth, self._border, [*leaves, *tangents], constants)[0]
        return [*rates, *[None] * (len(outputs) - len(rates))]

    def rows(self, size: int, axes: Leaves, tensors: Leaves) -> tuple[Tensor, ...]:
        """Apply the function to every element of a batch, one after the other."""
        found = []
        for n in range(max(size, 1)):
            row = [
                x if axis is None else x.select(axis, n) if size else _ones(x, axis)
                for x, axis in zip(tensors, axes, strict=True)
            ]
            outputs, aux = cross(self._f, self._border, row[: self.count], row[self.count :])
            found.append([*outputs, *aux])
        return tuple(torch.stack(column)[:size] for column in zip(*found, strict=True))


class _RowByRow(Function):
    """The same `Function` for `vmap`, where no tensor of a batch may reach the function."""

    generate_vmap_rule = False

    @staticmethod
    def vmap(
        info: Any, axes: tuple[Any, ...], application: _Crossing, *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        """Return batches, and where their axis is."""
        found = application.rows(info.batch_size, axes[1:], tensors)
        return found, (0,) * len(found)


def _in_a_graph(x: Tensor) -> bool:
    """Say whether a tensor's derivative is wanted, backwards or forwards."""
    if torch.is_grad_enabled() and x.requires_grad:
        return True
    return unpack_dual(x).tangent is not None  # type: ignore[no-untyped-call]


def _ones(x: Tensor, axis: int) -> Tensor:
    """Return a row of a batch that has none: its shape is what matters."""
    return x.new_ones([n for k, n in enumerate(x.shape) if k != axis])


def _plain(tensors: Leaves) -> list[Tensor]:
    """Return tensors outside of every graph."""
    try:
        return [x.detach() for x in tensors]
    except RuntimeError as error:  # the older vmap, of which nobody can tell
        message = (
            "is_grads_batched=True and vectorize=True of torch.autograd show no values to a "
            "function of another library: use torch.func"
        )
        raise GraphBreakError(message) from error


def _floats(x: Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()
