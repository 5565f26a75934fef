"""The tape: differentiates arrays of any library of the standard.

`vjp` lifts the arrays of a call to traced ones, runs the function, and keeps what was recorded;
the pullback sweeps the records backwards. `jvp` does the same and reads them forwards.

    array.py, methods.py, flat.py, numpy_*.py  the traced array, and how NumPy's code reaches it
    classes.py                          its quick classes, one for each library and dtype
    namespace.py, creation.py, special.py  the traced namespace
    record.py, recording.py, sweep.py   tapes, one run of a function, backwards and forwards
    elementwise.py                      rules compiled from the tables' formulas
    structural.py, pairs.py             quick forms of what moves, sums, multiplies and chooses
    outer_products.py                   what a matrix gets from one vector after another
    general.py, general_rule.py         the path for everything else, right for any mixture
    derivatives.py                      `vjp` and `jvp`
    custom.py                           functions that bring their own derivative, or run again
    watch.py                            recordings that somebody watches
"""

from arraygrad._typing import Array
from arraygrad.autodiff.tape.array import TracedArray
from arraygrad.autodiff.tape.custom import checkpoint, custom
from arraygrad.autodiff.tape.derivatives import jvp, vjp
from arraygrad.autodiff.tape.namespace import traced_namespace

__all__ = [
    "TracedArray",
    "checkpoint",
    "custom",
    "jvp",
    "stop_gradient",
    "traced_namespace",
    "vjp",
]


def stop_gradient(x: Array) -> Array:
    """Return the same values without a gradient, on every level."""
    if not isinstance(x, TracedArray):
        return x
    constant: Array = x._space.lift_innermost(x)
    return constant
