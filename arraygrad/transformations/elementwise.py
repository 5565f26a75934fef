"""What is done to every element, or every array: scaled, centred, decayed, perturbed."""

import functools
from collections.abc import Sequence
from typing import Any

from arraygrad._namespace import array_namespace, device_of, is_complex
from arraygrad._tree import flatten, unflatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import HyperparameterError
from arraygrad.kernels import gradients
from arraygrad.optimizers._hyperparameters import at_least_zero, axes, real
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer, State
from arraygrad.transformations._kernel_transformation import KernelTransformation
from arraygrad.transformations._paths import Mask
from arraygrad.transformations.masking import masked

__all__ = [
    "add_decayed_weights",
    "add_noise",
    "centralize",
    "decouple_weight_decay",
    "scale",
    "zero_nans",
]


def scale(factor: Hyperparameter) -> KernelTransformation:
    """Multiply by a factor.

    Parameters
    ----------
    factor : float, 0-d array or schedule
        The factor. At the end of a chain without an optimizer, minus the learning rate.

    Returns
    -------
    KernelTransformation

    Raises
    ------
    HyperparameterError
        If it is no number.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import chain, clip_by_norm, scale
    >>> optimizer, w = chain(clip_by_norm(1.0), scale(-0.5)), np.asarray([3.0, 4.0])
    >>> optimizer.step(w, w, optimizer.init(w))[0].round(3)
    array([2.7, 3.6])
    """
    real(factor=factor)
    return KernelTransformation("scale", gradients.scale, hyperparameters={"factor": factor})


def zero_nans() -> KernelTransformation:
    """Replace NaN by 0.

    Returns
    -------
    KernelTransformation

    Notes
    -----
    Infinities stay; optax's `zero_nans`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import zero_nans
    >>> zero, g = zero_nans(), np.asarray([1.0, np.nan])
    >>> zero.update(g, zero.init(g))[0]
    array([1., 0.])
    """
    return KernelTransformation("zero_nans", gradients.zero_nans, hyperparameters={})


def centralize(axis: int | Sequence[int] | None = None) -> KernelTransformation:
    """Take from gradients of matrices their mean.

    Parameters
    ----------
    axis : int or sequence of int, optional
        Over what the mean is taken; by default all axes but the first, as torch's weights, whose
        first axis is that of the outputs, want it. Vectors stay as they are.

    Returns
    -------
    KernelTransformation

    Raises
    ------
    HyperparameterError
        If an axis is no integer.

    Notes
    -----
    optax's `centralize`.

    References
    ----------
    Yong et al. 2020, arXiv:2004.01461, equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import centralize
    >>> centre, g = centralize(), np.asarray([[1.0, 3.0], [5.0, 5.0]])
    >>> centre.update(g, centre.init(g))[0]
    array([[-1.,  1.],
           [ 0.,  0.]])
    """
    kernel = functools.partial(gradients.centralize, axis=axes(axis))
    return KernelTransformation("centralize", kernel, hyperparameters={})


def add_decayed_weights(weight_decay: Hyperparameter, *, mask: Mask | None = None) -> Optimizer:
    """Add a multiple of the parameters: L2 regularization, if an optimizer follows.

    Parameters
    ----------
    weight_decay : float, 0-d array or schedule
        The factor.
    mask : str, sequence of str, callable or tree of bool, optional
        Which parameters decay, all by default: as for `masked`.

    Returns
    -------
    Optimizer
        A transformation that needs the parameters.

    Raises
    ------
    HyperparameterError
        If a number is negative.

    See Also
    --------
    decouple_weight_decay : What AdamW does, after an optimizer.

    Notes
    -----
    `g ← g + weight_decay · w`. optax's `add_decayed_weights`; `weight_decay` of torch's
    optimizers, but of AdamW.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import add_decayed_weights
    >>> decay, w = add_decayed_weights(0.1), np.asarray([1.0, 2.0])
    >>> decay.update(np.asarray([0.0, 1.0]), decay.init(w), w)[0]
    array([0.1, 1.2])
    """
    at_least_zero(weight_decay=weight_decay)
    decay = KernelTransformation(
        "add_decayed_weights",
        gradients.add_decayed_weights,
        hyperparameters={"weight_decay": weight_decay},
        needs_params=True,
    )
    return decay if mask is None else masked(decay, mask)


def decouple_weight_decay(
    weight_decay: Hyperparameter,
    *,
    learning_rate: Hyperparameter = 1.0,
    mask: Mask | None = None,
) -> Optimizer:
    """Let the parameters shrink, whatever the gradients are: after an optimizer, in a chain.

    Parameters
    ----------
    weight_decay, learning_rate : float, 0-d array or schedule
        Each step takes their product, times the parameter, from it.
    mask : str, sequence of str, callable or tree of bool, optional
        Which parameters decay, all by default: as for `masked`.

    Returns
    -------
    Optimizer
        A transformation that needs the parameters.

    Raises
    ------
    HyperparameterError
        If a number is negative.

    Notes
    -----
    `u ← u - learning_rate · weight_decay · w`: with Adam before it, AdamW. In the paper the
    factors are λ and the schedule's multiplier η, not the learning rate; torch's and optax's
    AdamW have the learning rate in η's place, as here.

    References
    ----------
    Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import chain, decouple_weight_decay
    >>> adamw = chain(adam(0.1), decouple_weight_decay(0.01, learning_rate=0.1, mask="weight"))
    >>> w = {"bias": np.asarray([1.0]), "weight": np.asarray([1.0])}
    >>> w, state = adamw.step(w, w, adamw.init(w))
    >>> w["bias"].round(3), w["weight"].round(3)
    (array([0.9]), array([0.899]))
    """
    at_least_zero(weight_decay=weight_decay, learning_rate=learning_rate)
    decay = KernelTransformation(
        "decouple_weight_decay",
        gradients.decouple_weight_decay,
        hyperparameters={"learning_rate": learning_rate, "weight_decay": weight_decay},
        needs_params=True,
    )
    return decay if mask is None else masked(decay, mask)


def add_noise(eta: Hyperparameter, gamma: Hyperparameter, rng: Any = None) -> "NoiseAdder":
    """Add Gaussian noise, less with every step.

    Parameters
    ----------
    eta : float, 0-d array or schedule
        The variance of the noise of the first step.
    gamma : float, 0-d array or schedule
        The exponent of its decay; the paper's is 0.55.
    rng : numpy.random.Generator, optional
        Draws the noise. Without, each step needs `noise=...`, a tree like the parameters of
        numbers of variance 1: inside of `jax.jit`, where a generator would draw but once, or to
        have the noise of the library's own generator.

    Returns
    -------
    NoiseAdder
        A transformation.

    Raises
    ------
    HyperparameterError
        If a number is negative, or `rng` no generator; in use, if nobody draws noise.

    Notes
    -----
    In step t, from 1: `g ← g + √(η / tᵞ) · noise`. optax's `add_noise`.

    References
    ----------
    Neelakantan et al. 2015, arXiv:1511.06807, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import add_noise
    >>> noise, g = add_noise(0.25, 0.55), np.asarray([1.0, 2.0])
    >>> noise.update(g, noise.init(g), noise=np.asarray([1.0, -1.0]))[0]
    array([1.5, 1.5])
    """
    at_least_zero(eta=eta, gamma=gamma)
    if not (rng is None or hasattr(rng, "standard_normal")):
        message = f"`rng` must be a `numpy.random.Generator`, got {rng!r}"
        raise HyperparameterError(message)
    return NoiseAdder(eta, gamma, rng)


class NoiseAdder(KernelTransformation):
    """See `add_noise`."""

    def __init__(self, eta: Hyperparameter, gamma: Hyperparameter, rng: Any) -> None:
        super().__init__(
            "add_noise",
            gradients.add_noise,
            hyperparameters={"eta": eta, "gamma": gamma},
            arrays=("noise",),
        )
        self._rng = rng

    def update(
        self, grads: Tree, state: State, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the gradients with noise, and the next state."""
        return super().update(grads, state, params, **self._with_noise(grads, extra))

    def step(
        self, params: Tree, grads: Tree, state: State, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, State]:
        """Return the parameters with what `update` returns added, and the next state."""
        extra = self._with_noise(grads, extra)
        return super().step(params, grads, state, donate=donate, **extra)

    def _with_noise(self, grads: Tree, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the extra arguments, noise among them if there is a generator."""
        self._check_keywords(extra)
        if self._rng is None or "noise" in extra:
            return extra
        leaves, treedef = flatten(grads)
        return {**extra, "noise": unflatten(treedef, [_drawn(self._rng, g) for g in leaves])}


def _drawn(rng: Any, g: Array) -> Array:
    """Return noise of variance 1 like an array; half of it in each part of complex numbers."""
    xp = array_namespace(g)
    noise = rng.standard_normal(g.shape)
    if is_complex(xp, g.dtype):
        noise = (noise + 1j * rng.standard_normal(g.shape)) * 0.5**0.5
    return xp.asarray(noise, dtype=g.dtype, device=device_of(g))
