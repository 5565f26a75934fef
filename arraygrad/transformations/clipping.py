"""Clipping of gradients: by value, by norm, by the norm of everything, by the parameter's norm."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace, is_array
from arraygrad._typing import Array, Tree
from arraygrad.kernels import clipping
from arraygrad.kernels.norms import abs_squared
from arraygrad.optimizers._hyperparameters import at_least_zero, axes, chosen
from arraygrad.optimizers._protocol import Hyperparameter, State, checked_leaves
from arraygrad.transformations._kernel_transformation import KernelTransformation

__all__ = [
    "GlobalNormState",
    "adaptive_clip",
    "clip_by_block_rms",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "global_norm",
]


def clip_by_value(max_value: Hyperparameter) -> KernelTransformation:
    """Clip every element to [-max_value, max_value].

    Parameters
    ----------
    max_value : float, 0-d array or schedule
        The bound.

    Returns
    -------
    KernelTransformation

    Raises
    ------
    HyperparameterError
        If a number is negative.

    Notes
    -----
    Complex elements keep their direction: their magnitude is clipped. optax's `clip`, torch's
    `clip_grad_value_`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import clip_by_value
    >>> clip, g = clip_by_value(1.0), np.asarray([-3.0, 0.5])
    >>> clip.update(g, clip.init(g))[0]
    array([-1. ,  0.5])
    """
    at_least_zero(max_value=max_value)
    return KernelTransformation(
        "clip_by_value", clipping.clip_by_value, hyperparameters={"max_value": max_value}
    )


_BY_NORM = {
    "paper": clipping.clip_by_norm,
    "optax": clipping.clip_by_norm,
    "torch": clipping.clip_by_norm_torch,
}


def clip_by_norm(max_norm: Hyperparameter, *, convention: str = "paper") -> KernelTransformation:
    """Scale each array whose 2-norm is greater than a bound to that norm.

    Parameters
    ----------
    max_norm : float, 0-d array or schedule
        The bound.
    convention : {"paper", "optax", "torch"}
        torch adds 1e-6 to the norm by which it divides.

    Returns
    -------
    KernelTransformation

    Raises
    ------
    HyperparameterError
        If a number is negative, or the convention unknown.

    See Also
    --------
    clip_by_global_norm : By the norm of all arrays together.

    References
    ----------
    Pascanu, Mikolov & Bengio 2012, arXiv:1211.5063, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import clip_by_norm
    >>> clip, g = clip_by_norm(1.0), np.asarray([3.0, 4.0])
    >>> clip.update(g, clip.init(g))[0].round(3)
    array([0.6, 0.8])
    """
    at_least_zero(max_norm=max_norm)
    kernel = chosen(convention, _BY_NORM)
    return KernelTransformation("clip_by_norm", kernel, hyperparameters={"max_norm": max_norm})


def clip_by_block_rms(max_rms: Hyperparameter) -> KernelTransformation:
    """Scale each array whose root mean square is greater than a bound to it.

    Parameters
    ----------
    max_rms : float, 0-d array or schedule
        The bound.

    Returns
    -------
    KernelTransformation

    Raises
    ------
    HyperparameterError
        If a number is negative.

    References
    ----------
    Shazeer & Stern 2018, arXiv:1804.04235, section 6; optax's `clip_by_block_rms`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import clip_by_block_rms
    >>> clip, g = clip_by_block_rms(1.0), np.asarray([2.0, -2.0])
    >>> clip.update(g, clip.init(g))[0]
    array([ 1., -1.])
    """
    at_least_zero(max_rms=max_rms)
    return KernelTransformation(
        "clip_by_block_rms", clipping.clip_by_block_rms, hyperparameters={"max_rms": max_rms}
    )


def adaptive_clip(
    clipping_ratio: Hyperparameter,
    *,
    epsilon: Hyperparameter = 1e-3,
    axis: int | Sequence[int] | None = None,
) -> KernelTransformation:
    """Scale units of a gradient that are long beside those of their parameter (AGC).

    Parameters
    ----------
    clipping_ratio : float, 0-d array or schedule
        The greatest ratio of the two norms.
    epsilon : float, 0-d array or schedule
        The least norm that a unit of a parameter counts for.
    axis : int or sequence of int, optional
        The axes over which the norm of a unit is taken. By default, all of a vector; the first
        axis of a matrix or a 3-d array; all but the last of the others: weights whose last axis
        is that of the outputs, as jax's. For torch's, give `axis=1` or `(1, 2, 3)`.

    Returns
    -------
    KernelTransformation
        One that needs the parameters.

    Raises
    ------
    HyperparameterError
        If a number is negative.

    Notes
    -----
    For each unit of the gradient G, of which the parameter's is W::

        G ← λ max(‖W‖, ε) / ‖G‖ · G   where ‖G‖ ≥ λ max(‖W‖, ε)

    optax's `adaptive_grad_clip`.

    References
    ----------
    Brock et al. 2021, arXiv:2102.06171, section 4, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import adaptive_clip
    >>> clip, w, g = adaptive_clip(0.1), np.asarray([3.0, 4.0]), np.asarray([0.0, 2.0])
    >>> clip.update(g, clip.init(w), w)[0]
    array([0. , 0.5])
    """
    at_least_zero(clipping_ratio=clipping_ratio, epsilon=epsilon)
    return KernelTransformation(
        "adaptive_clip",
        functools.partial(clipping.clip_adaptively, axis=axes(axis)),
        hyperparameters={"clipping": clipping_ratio, "epsilon": epsilon},
        needs_params=True,
    )


def global_norm(tree: Tree) -> Array:
    """Return the 2-norm of all elements of a tree, in float32 at least.

    Parameters
    ----------
    tree : tree of arrays
        Real or complex floating, of one library.

    Returns
    -------
    0-d array
        Real; the number 0 if there is no array.

    Raises
    ------
    DtypeError
        If a leaf is no floating array.

    Notes
    -----
    Its derivative is 0 where all elements are.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import global_norm
    >>> float(global_norm({"a": np.asarray([3.0]), "b": np.asarray(4.0)}))
    5.0
    """
    leaves, _ = checked_leaves(tree, "tree")
    if not leaves:
        return 0.0
    xp = array_namespace(*leaves)
    total = functools.reduce(lambda x, y: x + y, [_sum_of_squares(x) for x in leaves])
    zero = xp.astype(total == 0, total.dtype)
    return (xp.sqrt(total + zero) - zero)[...]


def _sum_of_squares(x: Array) -> Array:
    xp = array_namespace(x)
    square = abs_squared(xp, xp.astype(x, xp.result_type(x.dtype, xp.float32), copy=False))
    return xp.sum(square)


def clip_by_global_norm(
    max_norm: Hyperparameter, *, convention: str = "paper"
) -> KernelTransformation:
    """Scale all gradients if their norm, taken together, is greater than a bound.

    Parameters
    ----------
    max_norm : float, 0-d array or schedule
        The bound.
    convention : {"paper", "optax", "torch"}
        torch adds 1e-6 to the norm by which it divides.

    Returns
    -------
    KernelTransformation
        Its state has the norm before clipping: `state.norm`.

    Raises
    ------
    HyperparameterError
        If a number is negative, or the convention unknown.

    Notes
    -----
    With ‖g‖ over all arrays: `g ← g · max_norm / ‖g‖` where ‖g‖ > max_norm. optax's
    `clip_by_global_norm`, torch's `clip_grad_norm_`.

    References
    ----------
    Pascanu, Mikolov & Bengio 2012, arXiv:1211.5063, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import clip_by_global_norm
    >>> clip, g = clip_by_global_norm(1.0), {"a": np.asarray([3.0]), "b": np.asarray(4.0)}
    >>> clip.update(g, clip.init(g))[0]
    {'a': array([0.6]), 'b': array(0.8)}
    """
    at_least_zero(max_norm=max_norm)
    return _GlobalNormClip(max_norm, chosen(convention, _BY_GLOBAL_NORM))


def _clip(xp: Any, w: Array, g: Array, *, length: Array, max_norm: Array) -> tuple[Array]:
    return (clipping.clipped(xp, g, length, max_norm),)


def _clip_like_torch(xp: Any, w: Array, g: Array, *, length: Array, max_norm: Array) -> Any:
    ratio = max_norm / (length + 1e-6)
    return (g * xp.minimum(ratio, xp.ones_like(ratio)),)


_BY_GLOBAL_NORM = {"paper": _clip, "optax": _clip, "torch": _clip_like_torch}


class GlobalNormState(NamedTuple):
    """What `clip_by_global_norm` remembers.

    Attributes
    ----------
    norm : 0-d array
        The norm of the last gradients, before they were clipped.
    inner : State
        The number of steps, and the bound.
    """

    norm: Any
    inner: State


class _GlobalNormClip(KernelTransformation):
    """See `clip_by_global_norm`."""

    takes = frozenset()

    _state = GlobalNormState

    def __init__(self, max_norm: Hyperparameter, kernel: Any) -> None:
        super().__init__(
            "clip_by_global_norm",
            kernel,
            hyperparameters={"max_norm": max_norm},
            values=("length",),
        )

    def init(self, params: Tree, /) -> Any:
        """Return the state before the first step."""
        norm = global_norm(params)
        none = array_namespace(norm).zeros_like(norm) if is_array(norm) else 0.0
        return GlobalNormState(none, super().init(params))

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the clipped gradients, and the next state."""
        self._check(state, extra)
        length = global_norm(grads)
        updates, inner = super().update(grads, state.inner, params, length=length)
        return updates, GlobalNormState(length, inner)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters with the clipped gradients added, and the next state."""
        self._check(state, extra)
        length = global_norm(grads)
        params, inner = super().step(params, grads, state.inner, donate=donate, length=length)
        return params, GlobalNormState(length, inner)
