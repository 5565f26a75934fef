"""Optimizers that can shrink the parameters beside following the gradient."""

from collections.abc import Callable, Mapping, Sequence

from arraygrad._numbers import is_number
from arraygrad.kernels.weight_decay import Kernel, coupled
from arraygrad.optimizers._hyperparameters import at_least_zero
from arraygrad.optimizers._kernel_optimizer import KernelOptimizer, Slot
from arraygrad.optimizers._protocol import Hyperparameter

__all__ = ["decaying"]


def decaying(
    name: str,
    kernel: Kernel,
    *,
    weight_decay: Hyperparameter,
    form: Callable[[Kernel], Kernel] = coupled,
    slots: Mapping[str, Slot] | None = None,
    hyperparameters: Mapping[str, Hyperparameter],
    needs_params: bool = False,
    arrays: Sequence[str] = (),
) -> KernelOptimizer:
    """Return a kernel's optimizer with weight decay, and without where that is the number 0.

    So what does not decay does not look at its parameters, and has no such hyperparameter.
    """
    at_least_zero(weight_decay=weight_decay)
    if is_number(weight_decay) and weight_decay == 0:
        return KernelOptimizer(
            name,
            kernel,
            slots=slots,
            hyperparameters=hyperparameters,
            needs_params=needs_params,
            arrays=arrays,
        )
    return KernelOptimizer(
        name,
        form(kernel),
        slots=slots,
        hyperparameters={**hyperparameters, "weight_decay": weight_decay},
        needs_params=True,
        arrays=arrays,
    )
