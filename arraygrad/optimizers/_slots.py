"""How slots start, beside those of `_kernel_optimizer`."""

import functools
from typing import Any

from arraygrad._namespace import array_namespace, device_of, lift_constants
from arraygrad._typing import Array, Namespace
from arraygrad.optimizers._kernel_optimizer import Slot, real_zeros

__all__ = ["one", "real_filled"]


def real_filled(value: Any) -> Slot:
    """Start from a number everywhere, real where the parameter is complex."""
    return functools.partial(_real_filled, value=value)


def _real_filled(xp: Namespace, w: Array, *, value: Any) -> Array:
    zeros = real_zeros(xp, w)
    both = lift_constants({"zeros": zeros, "value": value})
    total = both["zeros"] + both["value"]
    filled = array_namespace(total).astype(total, zeros.dtype)  # an array does not promote
    return filled if filled.shape else filled[...]  # an array, where NumPy makes scalars


def one(xp: Namespace, w: Array) -> Array:
    """Start from a single 1, in single precision at least: a product over all steps."""
    real = xp.real(w) if xp.isdtype(w.dtype, "complex floating") else w
    return xp.ones((), dtype=xp.result_type(xp.float32, real.dtype), device=device_of(w))
