"""Training in half precision: scaled costs, and parameters kept in single precision."""

from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace, is_array, lift_constants
from arraygrad._tree import flatten, map_leaves, unflatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import HyperparameterError
from arraygrad.optimizers._hyperparameters import at_least_one, positive, within
from arraygrad.optimizers._protocol import checked_leaves
from arraygrad.optimizers._trees import leaves_like
from arraygrad.transformations._choice import all_finite, chosen, wide_dtype, widened
from arraygrad.transformations._members import step_of
from arraygrad.transformations.finite import step_if, update_if
from arraygrad.transformations.wrapper import Wrapper

__all__ = ["LossScaleState", "MasterState", "keep_master_weights", "scale_loss"]


class LossScaleState(NamedTuple):
    """What `scale_loss` remembers.

    Attributes
    ----------
    scale : float or 0-d array
        By what the next cost is to be multiplied.
    good_steps : int or 0-d array
        How many steps were taken since the scale changed.
    finite : bool or 0-d array
        Whether the last step was taken.
    inner
        The optimizer's state.
    """

    scale: Any
    good_steps: Any
    finite: Any
    inner: Any


class _LossScaler(Wrapper):
    """See `scale_loss`."""

    _state = LossScaleState

    def __init__(
        self, inner: Any, init_scale: float, growth: float, backoff: float, interval: int
    ) -> None:
        super().__init__(inner, init_scale=init_scale)
        self.init_scale, self.interval = init_scale, interval
        self.growth, self.backoff = growth, backoff

    def init(self, params: Tree, /) -> LossScaleState:
        """Return the state before the first step."""
        return LossScaleState(self.init_scale, 0, True, self.inner.init(params))

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, or zeros, and the next state."""
        self._check(state, extra)
        grads, new = self._judged(grads, state)
        updates, inner = update_if(new.finite, self.inner, grads, state.inner, params, extra)
        return updates, new._replace(inner=inner)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after one step, or the same, and the next state."""
        self._check(state, extra)
        grads, new = self._judged(grads, state)
        params, inner = step_if(new.finite, self.inner, params, grads, state.inner, extra)
        return params, new._replace(inner=inner)

    def _judged(self, grads: Tree, state: LossScaleState) -> tuple[Tree, LossScaleState]:
        """Return the gradients of the cost itself, and the state with the next scale."""
        grads = map_leaves(lambda g: _divided(g, state.scale), grads)
        finite, good = all_finite(grads), state.good_steps + 1
        grows = good >= self.interval
        scale = chosen(grows, state.scale * self.growth, state.scale)
        scale = chosen(finite, scale, state.scale * self.backoff)
        good = chosen(finite, chosen(grows, 0, good), 0)
        return grads, LossScaleState(scale, good, finite, state.inner)


def _divided(g: Array, scale: Any) -> Array:
    """Return an array divided by a number, in single precision at least."""
    found = lift_constants({"g": g, "scale": scale})
    xp, wide = array_namespace(found["g"]), wide_dtype(array_namespace(g), g)
    wider, inverse = xp.astype(found["g"], wide), 1 / found["scale"]
    if is_array(inverse):
        inverse = xp.astype(inverse, xp.real(wider).dtype if _complex(xp, wide) else wide)
    return wider * inverse


def _complex(xp: Any, dtype: Any) -> bool:
    return bool(xp.isdtype(dtype, "complex floating"))


def scale_loss(
    inner: Any,
    *,
    init_scale: float = 2.0**16,
    growth: float = 2.0,
    backoff: float = 0.5,
    interval: int = 2000,
) -> Wrapper:
    """Expect gradients of a cost that was multiplied by `state.scale`, and adapt the scale.

    In float16, small gradients would vanish. Multiply the cost by `state.scale` before it is
    differentiated; the optimizer is given the gradients divided by it, in single precision.

    Parameters
    ----------
    inner
        An optimizer, ours or optax's.
    init_scale : float
        The first scale.
    growth, backoff : float
        By what the scale is multiplied after `interval` steps, and after gradients which are not
        finite: for these no step is taken.
    interval : int
        How many steps in a row must be taken until the scale grows.

    Returns
    -------
    Wrapper
        An optimizer.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, or `inner` no optimizer.

    Notes
    -----
    torch's `GradScaler`. No value is read, so it works inside `jax.jit`. Nothing is donated.

    References
    ----------
    Micikevicius et al. 2017, arXiv:1710.03740, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import keep_master_weights, scale_loss
    >>> optimizer = scale_loss(keep_master_weights(adam(0.1)))
    >>> w = np.asarray([1.0], dtype="float16")
    >>> state = optimizer.init(w)
    >>> w, state = optimizer.step(w, w * np.inf, state)  # too large: nothing but the scale changes
    >>> w, float(state.scale)
    (array([1.], dtype=float16), 32768.0)
    """
    positive(init_scale=init_scale)
    at_least_one(growth=growth, interval=interval)
    within("in (0, 1]", lambda x: 0 < x <= 1, backoff=backoff)
    return _LossScaler(inner, init_scale, growth, backoff, interval)


class MasterState(NamedTuple):
    """What `keep_master_weights` remembers.

    Attributes
    ----------
    master : tree of arrays
        The parameters in single precision at least.
    inner
        The optimizer's state.
    """

    master: Tree
    inner: Any


class _MasterKeeper(Wrapper):
    """See `keep_master_weights`."""

    _state = MasterState

    def init(self, params: Tree, /) -> MasterState:
        """Return the state before the first step."""
        checked_leaves(params, "params")
        master = widened(params, copy=True)
        return MasterState(master, self.inner.init(master))

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, in single precision, and the next state."""
        if params is None:
            message = "copies of the parameters need them: pass `params`"
            raise HyperparameterError(message)
        self._check(state, extra)
        new = self._moved(grads, state, extra, donate=False)
        leaves, treedef = flatten(params)
        masters = leaves_like(treedef, new.master, argument="state.master", other="params")
        pairs = zip(masters, leaves, strict=True)
        return unflatten(treedef, [x - _as(w, x) for x, w in pairs]), new

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters, rounded from the copies after one step, and the next state."""
        self._check(state, extra)
        leaves, treedef = checked_leaves(params, "params")
        new = self._moved(grads, state, extra, donate=donate)
        masters = leaves_like(treedef, new.master, argument="state.master", other="params")
        pairs = zip(masters, leaves, strict=True)
        return unflatten(treedef, [_as(x, w) for x, w in pairs]), new

    def _moved(
        self, grads: Tree, state: Any, extra: dict[str, Any], *, donate: bool
    ) -> MasterState:
        """Return the state after a step of the copies."""
        grads = widened(grads)
        return MasterState(
            *step_of(self.inner, state.master, grads, state.inner, extra, donate=donate)
        )


def _as(x: Array, model: Array) -> Array:
    """Return a copy in the dtype of another array."""
    return array_namespace(x).astype(x, model.dtype)


def keep_master_weights(inner: Any) -> Wrapper:
    """Let an optimizer move copies of the parameters in single precision.

    Parameters
    ----------
    inner
        An optimizer, ours or optax's. It sees parameters and gradients in float32 at least.

    Returns
    -------
    Wrapper
        An optimizer. The parameters are always the copies in `state.master`, rounded: small
        steps add up that would be lost on parameters in float16 or bfloat16.

    Raises
    ------
    HyperparameterError
        If `inner` is no optimizer.

    Notes
    -----
    Changes that are made to the parameters between steps are lost.

    References
    ----------
    Micikevicius et al. 2017, arXiv:1710.03740, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import keep_master_weights, scale
    >>> optimizer, w = keep_master_weights(scale(-1e-4)), np.ones(1, dtype="float16")
    >>> state = optimizer.init(w)
    >>> for _ in range(10):
    ...     w, state = optimizer.step(w, np.ones(1, dtype="float16"), state)
    >>> w, state.master.round(5)
    (array([0.999], dtype=float16), array([0.999], dtype=float32))
    """
    return _MasterKeeper(inner)
