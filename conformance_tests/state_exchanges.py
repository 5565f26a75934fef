"""What the tests of states of torch and optax share: how many steps there are, and taking ours."""

from collections.abc import Sequence
from typing import Any

__all__ = ["HALF", "STEPS", "walk"]

STEPS, HALF = 6, 3


def walk(optimizer: Any, params: Any, state: Any, gradients: Sequence[Any]) -> tuple[Any, Any]:
    """Take our steps."""
    for grads in gradients:
        params, state = optimizer.step(params, grads, state)
    return params, state
