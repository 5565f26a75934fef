"""Weight decay joined to any kernel: in the gradient, or beside it."""

import functools
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from arraygrad._typing import Array, Namespace

__all__ = ["Kernel", "coupled", "decoupled", "decoupled_from_rate"]

Kernel = Callable[..., tuple[Array, ...]]

# Each is cached: for one kernel there is one function, which fusion knows again.


@functools.cache
def coupled(kernel: Kernel) -> Kernel:
    """Return a kernel whose gradient is g + λw: what the cost λ|w|²/2 adds."""

    def with_decay(
        xp: Namespace, w: Array, g: Array, *slots: Array, weight_decay: Array, **scalars: Any
    ) -> tuple[Array, ...]:
        return kernel(xp, w, g + weight_decay * w, *slots, **scalars)

    return _Decaying(coupled, kernel, with_decay)


@functools.cache
def decoupled(kernel: Kernel) -> Kernel:
    """Return a kernel whose update has -lr·λw beside."""

    def with_decay(
        xp: Namespace,
        w: Array,
        g: Array,
        *slots: Array,
        weight_decay: Array,
        learning_rate: Array,
        **scalars: Any,
    ) -> tuple[Array, ...]:
        update, *new = kernel(xp, w, g, *slots, learning_rate=learning_rate, **scalars)
        return update - (learning_rate * weight_decay) * w, *new

    return _Decaying(decoupled, kernel, with_decay)


@functools.cache
def decoupled_from_rate(kernel: Kernel) -> Kernel:
    """Return a kernel whose update has -λw beside, whatever the learning rate."""

    def with_decay(
        xp: Namespace, w: Array, g: Array, *slots: Array, weight_decay: Array, **scalars: Any
    ) -> tuple[Array, ...]:
        update, *new = kernel(xp, w, g, *slots, **scalars)
        return update - weight_decay * w, *new

    return _Decaying(decoupled_from_rate, kernel, with_decay)


class _Decaying:
    """A kernel made by one of these functions, of another: an object, so that it can be pickled."""

    def __init__(self, form: Callable[[Kernel], Kernel], kernel: Kernel, call: Kernel) -> None:
        self.form, self._kernel, self._call = form, kernel, call
        functools.update_wrapper(self, kernel)
        own, extra = signature(kernel), Parameter("weight_decay", Parameter.KEYWORD_ONLY)
        self.__signature__ = own.replace(parameters=[*own.parameters.values(), extra])

    def __call__(self, *arrays: Any, **scalars: Any) -> tuple[Array, ...]:
        return self._call(*arrays, **scalars)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.form, (self._kernel,)
