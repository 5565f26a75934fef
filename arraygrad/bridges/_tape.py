"""A function of another library as one operation on the tape."""

from typing import Any

from arraygrad._typing import Array, Leaves
from arraygrad.autodiff.tape import custom
from arraygrad.autodiff.tape.general import strip, top_tape, traced_arrays
from arraygrad.autodiff.tape.record import CONSTANTS
from arraygrad.bridges._border import Border
from arraygrad.bridges._flat import Flat, chosen, parted, pulled, pushed

__all__ = ["cross"]


def cross(
    f: Flat, border: Border, leaves: Leaves, constants: Leaves
) -> tuple[list[Array], list[Array]]:
    """Call a function beyond the border, recorded where a leaf is."""
    wanted = [top_tape([x]) is not CONSTANTS for x in leaves]
    if not any(wanted):
        outputs, aux = border.evaluate(f, *map(strip, (list(leaves), list(constants))))
        return _lifted(outputs, [leaves, constants]), _lifted(aux, [leaves, constants])
    active, passive = parted(leaves, wanted)  # passive on every level
    return _recorded(chosen(f, wanted), border, active, [*passive, *constants])


def _recorded(
    f: Flat, border: Border, leaves: list[Array], constants: list[Array]
) -> tuple[list[Array], list[Array]]:
    aux: list[Array] = []

    def body(leaves: Leaves, constants: Leaves) -> tuple[list[Array], Any]:
        if traced_arrays([leaves]):  # only the pullback is asked for, to be differentiated
            return [], lambda cotangents: pull(leaves, constants, cotangents)
        outputs, aux[:], pullback = border.record(f, leaves, constants)
        return outputs, pullback

    def pull(leaves: Leaves, constants: Leaves, cotangents: Leaves) -> list[Array]:
        back = pulled(f, border.inner, [True] * len(leaves))
        return cross(back, border, [*leaves, *cotangents], constants)[0]

    def push(leaves: Leaves, constants: Leaves, _: Leaves, tangents: Leaves) -> list[Array]:
        forth = pushed(f, border.inner, [True] * len(leaves))
        return cross(forth, border, [*leaves, *tangents], constants)[0]

    outputs = custom(body, push, leaves, constants)
    return outputs, _lifted(aux, [leaves])


def _lifted(arrays: list[Array], like: Any) -> list[Array]:
    """Return arrays as constants of the traced namespace, if there is one in the call."""
    traced = traced_arrays(like)
    return traced[0]._space.lift_all(arrays) if traced else arrays
