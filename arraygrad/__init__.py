"""Gradients and optimizers for any array library that speaks the Python Array API standard.

>>> import numpy as np
>>> import arraygrad as ag
>>> loss = lambda w: np.sum((w - 3.0) ** 2)
>>> w = np.zeros(2)
>>> ag.gradient_descent_update(w, ag.grad(loss)(w), 0.5)
array([3., 3.])

The operators differentiate (`grad`, `value_and_grad`, `vjp`, `jvp`, `jac`, `hessian`, `hvp`,
`elementwise_grad`, `execute_with_gradients`, `stop_gradient`), functions may bring their own
derivative (`custom_gradient`) or be run again for it (`checkpoint`), or cross over to another
library (`to_torch`, `to_jax`, `from_torch`, `from_jax`); the updates optimize (`adam_update` and
its kin), for arrays and trees of arrays. No array library is imported before its arrays arrive.

Larger rooms open when they are first entered: `ag.optimizers` and `ag.transformations` (init,
update and step), `ag.schedules`, `ag.state` (files, and states of other libraries), `ag.fusion`,
`ag.onnx` (models that run without Python).
"""

import importlib
import typing

from arraygrad import errors
from arraygrad.audit import audit
from arraygrad.autodiff import register_autodiff
from arraygrad.bridges import from_jax, from_torch, to_jax, to_torch
from arraygrad.checkpoint import checkpoint
from arraygrad.container import Container
from arraygrad.custom import custom_gradient
from arraygrad.debug import debug_nonfinite
from arraygrad.libraries import Library, register_library
from arraygrad.operators import (
    elementwise_grad,
    execute_with_gradients,
    grad,
    hessian,
    hvp,
    jac,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from arraygrad.rules.registered import register_rule
from arraygrad.updates import (
    adam_step,
    adam_update,
    gradient_descent_update,
    lamb_update,
    lars_update,
    optimizer_update,
)

if typing.TYPE_CHECKING:  # the rooms that `__getattr__` opens
    from arraygrad import fusion as fusion
    from arraygrad import onnx as onnx
    from arraygrad import optimizers as optimizers
    from arraygrad import schedules as schedules
    from arraygrad import state as state
    from arraygrad import transformations as transformations

__version__ = "0.1.0"

__all__ = [
    "Container",
    "Library",
    "__version__",
    "adam_step",
    "adam_update",
    "audit",
    "checkpoint",
    "custom_gradient",
    "debug_nonfinite",
    "elementwise_grad",
    "errors",
    "execute_with_gradients",
    "from_jax",
    "from_torch",
    "grad",
    "gradient_descent_update",
    "hessian",
    "hvp",
    "jac",
    "jvp",
    "lamb_update",
    "lars_update",
    "optimizer_update",
    "register_autodiff",
    "register_library",
    "register_rule",
    "stop_gradient",
    "to_jax",
    "to_torch",
    "value_and_grad",
    "vjp",
]

_ROOMS = frozenset({"fusion", "onnx", "optimizers", "schedules", "state", "transformations"})


if not typing.TYPE_CHECKING:  # a type checker knows the rooms, and refuses other names

    def __getattr__(name: str) -> object:
        """Import a room when it is first asked for."""
        if name in _ROOMS:
            return importlib.import_module(f"arraygrad.{name}")
        message = f"module 'arraygrad' has no attribute {name!r}"
        raise AttributeError(message)


def __dir__() -> list[str]:
    """Return the public names, rooms included."""
    return sorted({*__all__, *_ROOMS})
