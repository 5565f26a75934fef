"""Derivatives of the standard's data type functions: a cast is linear, to integers constant."""

from typing import Any

from arraygrad._typing import Array, Namespace

__all__ = ["CONSTANT", "LINEAR", "on_device_of"]


def on_device_of(xp: Namespace, x: Any, g: Array, moved: Any) -> Array:
    """Return the cotangent on the device of `x`, if the function `moved` it at all."""
    return g if moved is None else xp.asarray(g, device=x.device)


def _astype(xp: Namespace, g: Array, y: Any, x: Any, dtype: Any, *, copy: bool = True,
            device: Any = None) -> Array:  # fmt: skip
    """Leave the cast back to the tape, which knows real parts; an integer result is a constant."""
    return on_device_of(xp, x, g, device)


LINEAR = {"astype": (_astype,)}
CONSTANT = frozenset({"can_cast", "finfo", "iinfo", "isdtype", "result_type"})
