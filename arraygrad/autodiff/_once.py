"""A pullback that may be called a single time: what `once=True` of the protocol promises."""

from typing import Any

from arraygrad._typing import Leaves, Pullback
from arraygrad.errors import SpentTapeError

__all__ = ["once"]


def once(pullback: Pullback) -> Pullback:
    """Return a pullback that lets go of everything at its first call, and refuses a second."""
    live = [pullback]

    def single(cotangents: Leaves) -> list[Any]:
        try:
            only = live.pop()
        except IndexError:
            message = "this pullback was made for a single call: use `arraygrad.vjp` for several"
            raise SpentTapeError(message) from None
        return only(cotangents)

    return single
