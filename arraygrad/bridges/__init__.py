"""Bridges: functions of one array library as differentiable operations of another one.

A bridge carries a call from the arrays of one library, `outer`, to a function that knows those of
another, `inner`. Each file is one idea:

- `_border.py`: how an array goes over, and how a function beyond is evaluated or recorded;
- `_flat.py`: the function, its pullback and its tangent, which cross the same way;
- `_torch.py`, `_jax.py`, `_tape.py`: how a call becomes one operation of the outer library's
  autodiff; `_call.py` chooses;
- `outward.py` and `inward.py`: the public functions.
"""

from arraygrad.bridges.inward import from_jax, from_torch
from arraygrad.bridges.outward import to_jax, to_torch

__all__ = ["from_jax", "from_torch", "to_jax", "to_torch"]
