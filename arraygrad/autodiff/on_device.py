"""An autodiff where its arrays lie, for libraries whose results go to the *current* device.

What such a library computes of arrays on another device lands on the current one, or fails. So the
function, and every pullback later, run while the device of the leaves is current.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from arraygrad._namespace import to_device
from arraygrad._typing import Array, Autodiff, Leaves, Pullback

__all__ = ["OnDevice"]

Enter = Callable[[Any], AbstractContextManager[Any]]


class OnDevice:
    """Another autodiff, on the device of the first leaf."""

    def __init__(self, autodiff: Autodiff, enter: Enter) -> None:
        self._autodiff, self._enter = autodiff, enter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._autodiff, name)

    def vjp(
        self, f: Any, leaves: Leaves, constants: Leaves, *, once: bool = False
    ) -> tuple[list[Array], Pullback, list[Any]]:
        """Evaluate, and return a pullback that finds its device again."""
        device = leaves[0].device
        with self._enter(device):
            outputs, pullback, aux = self._autodiff.vjp(f, leaves, constants, once=once)
        devices = [y.device for y in outputs]

        def there(cotangents: Any) -> list[Array]:
            with self._enter(device):
                found: list[Array] = pullback(_moved(cotangents, devices))
                return found

        return outputs, there, aux

    def jvp(
        self, f: Any, leaves: Leaves, tangents: Leaves, constants: Leaves
    ) -> tuple[list[Array], list[Array], list[Any]]:
        """Evaluate forwards."""
        with self._enter(leaves[0].device):
            moved = _moved(tangents, [x.device for x in leaves])
            outputs, rates, aux = self._autodiff.jvp(f, leaves, moved, constants)
        return outputs, rates, aux


def _moved(given: Any, devices: list[Any]) -> list[Array]:
    """Return cotangents or tangents, of which ours were made on the current device."""
    pairs = zip(given, devices, strict=True)
    return [x if x.device == device else to_device(x, device) for x, device in pairs]
