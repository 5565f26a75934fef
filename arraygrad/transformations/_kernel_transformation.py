"""Transformations that are one kernel, run on every leaf."""

from typing import Any

from arraygrad._typing import Tree
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer
from arraygrad.optimizers._protocol import State, checked_leaves

__all__ = ["KernelTransformation"]


class KernelTransformation(KernelOptimizer):
    """A transformation of gradients or updates that is one kernel, run on every leaf.

    Its updates have the dtype of the gradients, unless it looks at the parameters.
    """

    def update(
        self, grads: Tree, state: State, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the transformed updates, and the next state."""
        checked_leaves(grads, "grads")
        return super().update(grads, state, params if self._needs_params else None, **extra)
