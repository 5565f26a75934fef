"""Some leaves and not others: masks, frozen parameters, groups with optimizers of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from arraygrad._namespace import array_namespace
from arraygrad._tree import broadcast_prefix, flatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.kernels.gradients import set_to_zero as zero_kernel
from arraygrad.optimizers._checked import keywords_of
from arraygrad.optimizers._protocol import Optimizer
from arraygrad.optimizers._trees import leaves_like
from arraygrad.transformations._kernel_transformation import KernelTransformation
from arraygrad.transformations._members import checked_member, step_of, update_of
from arraygrad.transformations._parts import extra_part, merged, part
from arraygrad.transformations._paths import Mask, first_matches, paths_of, selection

__all__ = ["Groups", "Labels", "Masked", "freeze", "groups", "masked", "set_to_zero"]

Labels = Callable[[str, Array], Any] | Tree
"""A function of the path and the leaf, or a tree; either gives the keys of optimizers."""

Selected = tuple[bool, ...]


class _Parted(Optimizer):
    """Optimizers of parts of the parameters; the leaves in no part are `_rest`."""

    _state = Mapping

    def _parts(self, tree: Tree) -> list[tuple[Any, Any, Selected]]:
        """Return each part's key, optimizer and leaves."""
        raise NotImplementedError

    def _rest(self, grads: Sequence[Array]) -> Sequence[Array]:
        """Return the updates of leaves that are in no part."""
        return grads

    def init(self, params: Tree, /) -> Any:
        """Return the states before the first step, by the parts' keys."""
        leaves, treedef = _leaves(params)
        return {
            key: member.init(part(leaves, treedef, chosen))
            for key, member, chosen in self._parts(params)
        }

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what to add to the parameters, and the next states."""
        self._check(state, extra)
        model = grads if params is None else params
        leaves, treedef = flatten(model)
        gradients = leaves_like(treedef, grads, argument="grads", other="params")
        found, states = [], {}
        for key, member, chosen in self._parts(model):
            ours = part(gradients, treedef, chosen)
            weights = None if params is None else part(leaves, treedef, chosen)
            some = extra_part(extra, treedef, chosen)
            updates, states[key] = update_of(member, ours, _of(key, state), weights, some)
            found.append((chosen, updates))
        return merged(treedef, self._rest(gradients), found, argument="updates"), states

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after the steps of all parts, and the next states."""
        self._check(state, extra)
        leaves, treedef = _leaves(params)
        gradients = leaves_like(treedef, grads, argument="grads", other="params")
        found, states = [], {}
        for key, member, chosen in self._parts(params):
            weights, ours = part(leaves, treedef, chosen), part(gradients, treedef, chosen)
            some = extra_part(extra, treedef, chosen)
            old = _of(key, state)
            new, states[key] = step_of(member, weights, ours, old, some, donate=donate)
            found.append((chosen, new))
        return merged(treedef, leaves, found, argument="params"), states


def _of(key: Any, state: Mapping[Any, Any]) -> Any:
    """Return the state of a part."""
    if key not in state:
        message = f"`state` has no {key!r}: it is not one of this optimizer"
        raise StructureError(message)
    return state[key]


def _leaves(params: Tree) -> tuple[list[Array], Any]:
    """Return leaves of any dtype: what is frozen may be of integers."""
    if params is None:
        message = "`params` must be an array or a tree of arrays, got None"
        raise StructureError(message)
    return flatten(params)


class Masked(_Parted):
    """A transformation of some leaves: see `masked` and `freeze`."""

    def __init__(self, inner: Any, mask: Mask, *, inverted: bool = False) -> None:
        self.inner, self.mask = checked_member(inner, "inner"), mask
        self._inverted, self.takes = inverted, keywords_of(self.inner)

    def __repr__(self) -> str:
        return f"<{'frozen' if self._inverted else 'masked'} {self.inner!r}, mask={self.mask!r}>"

    def _parts(self, tree: Tree) -> list[tuple[Any, Any, Selected]]:
        meant = selection(self.mask, tree, "mask")
        chosen = tuple(x is not self._inverted for x in meant)
        return [("inner", self.inner, chosen)]

    def _rest(self, grads: Sequence[Array]) -> Sequence[Array]:
        if not self._inverted:
            return grads
        return [array_namespace(g).zeros_like(g) for g in grads]

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after one step, and the next state."""
        if self._inverted:
            return super().step(params, grads, state, donate=donate, **extra)
        # What passes by unchanged is an update too.
        return Optimizer.step(self, params, grads, state, donate=donate, **extra)


def masked(inner: Any, mask: Mask) -> Masked:
    """Transform some leaves; the others pass unchanged.

    Parameters
    ----------
    inner
        A transformation, ours or optax's. Of the others it sees nothing: they are `None`.
    mask : str, sequence of str, callable or tree of bool
        Which leaves: patterns of their paths, as `fnmatch` reads them, of which one must match
        (`"*bias"`, `"layers/0/*"`); a function of the path and the leaf; or a tree of truth
        values, of which one may stand for all leaves below it. A path is spelt as keys, indices
        and field names with slashes between: `layers/0/weight`.

    Returns
    -------
    Masked
        A transformation. Its state is that of `inner`, in a dict under "inner".

    Raises
    ------
    HyperparameterError
        If `inner` is no transformation.
    StructureError
        In use, if a pattern matches no path, or the tree has another structure.

    Notes
    -----
    optax's `masked`.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import clip_by_value, masked
    >>> g = {"bias": np.asarray([3.0]), "weight": np.asarray([3.0])}
    >>> clip = masked(clip_by_value(1.0), "weight")
    >>> clip.update(g, clip.init(g))[0]
    {'bias': array([3.]), 'weight': array([1.])}
    """
    return Masked(inner, mask)


def freeze(inner: Any, mask: Mask) -> Masked:
    """Leave some parameters as they are; an optimizer neither sees them nor remembers anything.

    Parameters
    ----------
    inner
        The optimizer of the others, ours or optax's.
    mask : str, sequence of str, callable or tree of bool
        Which parameters are frozen: as for `masked`.

    Returns
    -------
    Masked
        An optimizer. Its state is that of `inner`, in a dict under "inner".

    Raises
    ------
    HyperparameterError
        If `inner` is no optimizer.
    StructureError
        In use, if a pattern matches no path, or the tree has another structure.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import freeze
    >>> w = {"head": np.asarray([1.0]), "trunk": np.asarray([1.0])}
    >>> optimizer = freeze(adam(0.1), "trunk*")
    >>> w, state = optimizer.step(w, w, optimizer.init(w))
    >>> w["head"].round(3), w["trunk"], state["inner"].slots["mu"]
    (array([0.9]), array([1.]), {'head': array([0.1]), 'trunk': None})
    """
    return Masked(inner, mask, inverted=True)


class Groups(_Parted):
    """Optimizers of groups of parameters: see `groups`."""

    def __init__(self, optimizers: Mapping[str, Any], labels: Labels | None) -> None:
        self.optimizers = {
            key: checked_member(x, f"optimizers[{key!r}]") for key, x in optimizers.items()
        }
        self.labels, self.takes = labels, keywords_of(*self.optimizers.values())

    def __repr__(self) -> str:
        return f"<groups {self.optimizers!r}>"

    def _parts(self, tree: Tree) -> list[tuple[Any, Any, Selected]]:
        keys = self._keys(tree)
        return [
            (key, member, tuple(x == key for x in keys)) for key, member in self.optimizers.items()
        ]

    def _keys(self, tree: Tree) -> list[Any]:
        """Return the key of each leaf's optimizer."""
        leaves, treedef = flatten(tree)
        paths = paths_of(treedef)
        if self.labels is None:
            known = tuple(self.optimizers)
            numbers = first_matches(known, treedef, "optimizers")
            keys = [None if n is None else known[n] for n in numbers]
        elif callable(self.labels):
            keys = [self.labels(path, x) for path, x in zip(paths, leaves, strict=True)]
        else:
            keys = broadcast_prefix(self.labels, tree, argument="labels", other="params")
        for path, key in zip(paths, keys, strict=True):
            if key not in self.optimizers:
                named = "matches no pattern of" if key is None else f"has the label {key!r}, not in"
                message = f"the parameter {path!r} {named} {list(self.optimizers)}"
                raise StructureError(message)
        return keys


def groups(optimizers: Mapping[str, Any], labels: Labels | None = None) -> Groups:
    """Give groups of parameters optimizers, or hyperparameters, of their own.

    Parameters
    ----------
    optimizers : mapping of str to optimizer
        The optimizer of each group, ours or optax's. Without `labels`, the keys are patterns of
        paths as `fnmatch` reads them, and the first that matches is taken: let the last be "*".
    labels : callable or tree of str, optional
        A function of the path and the leaf, or a tree, of which a leaf may stand for all below
        it; either gives the keys. A path is spelt as for `masked`: `layers/0/weight`.

    Returns
    -------
    Groups
        An optimizer. Its state is a dict of its optimizers' states; what is not in a group is
        `None` there. `global_norm` and the like see their group only.

    Raises
    ------
    HyperparameterError
        If there is no optimizer, or something else in its place.
    StructureError
        In use, if a parameter is in no group, or a pattern matches no path.

    Notes
    -----
    optax's `partition`, torch's parameter groups.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import groups
    >>> optimizer = groups({"*bias": adam(0.2), "*": adam(0.1)})
    >>> w = [{"bias": np.asarray([1.0]), "weight": np.asarray([1.0])}]
    >>> w, state = optimizer.step(w, w, optimizer.init(w))
    >>> w[0]["bias"].round(3), w[0]["weight"].round(3)
    (array([0.8]), array([0.9]))
    """
    if not isinstance(optimizers, Mapping):
        message = f"`optimizers` must be a mapping of optimizers, got {optimizers!r}"
        raise HyperparameterError(message)
    if not optimizers:
        message = "`optimizers` must have one optimizer at least, got none"
        raise HyperparameterError(message)
    return Groups(optimizers, labels)


def set_to_zero() -> KernelTransformation:
    """Replace updates by zeros: the optimizer of what does not move.

    Returns
    -------
    KernelTransformation

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.transformations import set_to_zero
    >>> zero, g = set_to_zero(), np.asarray([1.0, 2.0])
    >>> zero.update(g, zero.init(g))[0]
    array([0., 0.])
    """
    return KernelTransformation("set_to_zero", zero_kernel, hyperparameters={})
