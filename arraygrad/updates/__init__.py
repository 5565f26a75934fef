"""The page's updates: one optimizer step, on arrays and on trees of arrays.

`w` holds the weights, `dcdw` the derivatives of a cost, `lr` the learning rate; `mw` and `vw` are
the running means of the gradient and of its square. Each may be an array or a tree; an array in
the place of a tree serves every leaf below it. So do numbers among the hyperparameters.

`_leafwise.py` runs a kernel on every leaf: `_align.py` puts trees side by side, `_leaf.py` checks
what one leaf's arguments are, `_hyperparameters.py` its numbers.
"""

from arraygrad.updates.adam import adam_step, adam_update
from arraygrad.updates.gradient_descent import gradient_descent_update, optimizer_update
from arraygrad.updates.lamb import lamb_update
from arraygrad.updates.lars import lars_update

__all__ = [
    "adam_step",
    "adam_update",
    "gradient_descent_update",
    "lamb_update",
    "lars_update",
    "optimizer_update",
]
