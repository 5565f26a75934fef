"""A pullback that may be called a single time: what `once=True` of the protocol promises."""

from typing import Any, NoReturn

from arraygrad._typing import Leaves, Pullback
from arraygrad.errors import SpentTapeError

__all__ = ["once", "refuse_second"]


def once(pullback: Pullback) -> Pullback:
    """Return a pullback that lets go of everything at its first call, and refuses a second."""
    live = [pullback]

    def single(cotangents: Leaves) -> list[Any]:
        if not live:
            refuse_second()
        return live.pop()(cotangents)

    return single


def refuse_second() -> NoReturn:
    """Raise what a second call raises."""
    message = "this pullback was made for a single call: use `arraygrad.vjp` for several"
    raise SpentTapeError(message)
