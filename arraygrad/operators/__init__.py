"""The operators: everything that differentiates, spelt with an autodiff's `vjp` and `jvp`.

=============================  ==========================================================
`grad`, `value_and_grad`       the gradient of a scalar function            gradients.py
`vjp`, `jvp`, `hvp`            products with a derivative, never the whole  products.py
`jac`, `hessian`               derivatives as arrays                        jacobians.py
`elementwise_grad`             the derivative of an elementwise function   elementwise.py
`execute_with_gradients`       a function's value with all its gradients    execute.py
`stop_gradient`                a constant                                   constants.py
=============================  ==========================================================

A call is a `Call`: it takes the arguments, which are trees, apart into arrays that are
differentiated and arrays that are not; what those have in common (`_arrays.py`) says who
differentiates. A `Body` is the function between flat lists that the autodiff sees.
"""

from arraygrad.operators.constants import stop_gradient
from arraygrad.operators.elementwise import elementwise_grad
from arraygrad.operators.execute import execute_with_gradients
from arraygrad.operators.gradients import grad, value_and_grad
from arraygrad.operators.jacobians import hessian, jac
from arraygrad.operators.products import hvp, jvp, vjp

__all__ = [
    "elementwise_grad",
    "execute_with_gradients",
    "grad",
    "hessian",
    "hvp",
    "jac",
    "jvp",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
