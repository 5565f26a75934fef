"""What the tests of states of torch and optax share: how many steps there are, and taking ours."""

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["HALF", "STEPS", "nothing", "walk"]

STEPS, HALF = 6, 3


def nothing(state: Any, grads: Any) -> dict[str, Any]:
    """Pass nothing to a step beside."""
    return {}


def walk(
    optimizer: Any,
    params: Any,
    state: Any,
    gradients: Sequence[Any],
    beside: Callable[[Any, Any], dict[str, Any]] = nothing,
) -> tuple[Any, Any]:
    """Take our steps."""
    for grads in gradients:
        params, state = optimizer.step(params, grads, state, **beside(state, grads))
    return params, state
