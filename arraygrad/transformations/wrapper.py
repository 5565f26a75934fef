"""Optimizers around an optimizer."""

from typing import Any

from arraygrad.optimizers._checked import keywords_of
from arraygrad.optimizers._protocol import Optimizer
from arraygrad.transformations._members import checked_member

__all__ = ["Wrapper"]


class Wrapper(Optimizer):
    """An optimizer around an optimizer, ours or optax's.

    Parameters
    ----------
    inner
        What has `init` and `update`.
    **settings
        For `repr`.
    """

    def __init__(self, inner: Any, **settings: Any) -> None:
        self.inner = checked_member(inner, "inner")
        self._settings, self.takes = settings, keywords_of(self.inner)

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value!r}" for name, value in self._settings.items())
        return f"<{type(self).__name__}({self.inner!r}{settings})>"
