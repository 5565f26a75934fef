"""Transformations one after the other."""

from typing import Any

from arraygrad._typing import Tree
from arraygrad.errors import StructureError
from arraygrad.optimizers._checked import keywords_of
from arraygrad.optimizers._protocol import Optimizer
from arraygrad.transformations._members import checked_member, step_of, update_of

__all__ = ["Chain", "chain"]


class Chain(Optimizer):
    """Transformations one after the other: see `chain`.

    Parameters
    ----------
    *members
        What has `init` and `update`.
    """

    _state = (tuple, list)

    def __init__(self, *members: Any) -> None:
        self.members = tuple(checked_member(x, f"members[{n}]") for n, x in enumerate(members))
        self.takes = keywords_of(*self.members)

    def __repr__(self) -> str:
        return f"<chain of {', '.join(map(repr, self.members)) or 'nothing'}>"

    def init(self, params: Tree, /) -> tuple[Any, ...]:
        """Return the states before the first step."""
        return tuple(member.init(params) for member in self.members)

    def update(
        self, grads: Tree, state: Any, params: Tree | None = None, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return what the last member makes of the gradients, and the next states."""
        self._check(state, extra)
        return self._updates(len(self.members), grads, state, params, extra)

    def step(
        self, params: Tree, grads: Tree, state: Any, *, donate: bool = False, **extra: Any
    ) -> tuple[Tree, Any]:
        """Return the parameters after the last member's step, and the next states."""
        self._check(state, extra)
        if not self.members:
            return super().step(params, grads, state, donate=donate, **extra)
        before = len(self.members) - 1
        grads, states = self._updates(before, grads, state, params, extra)
        last = self.members[-1]
        params, new = step_of(last, params, grads, state[-1], extra, donate=donate)
        return params, (*states, new)

    def _updates(
        self, number: int, grads: Tree, state: Any, params: Tree | None, extra: dict[str, Any]
    ) -> tuple[Tree, tuple[Any, ...]]:
        """Return what the first members make of the gradients, and their next states."""
        if len(state) != len(self.members):
            message = f"`state` has {len(state)} states for a chain of {len(self.members)}"
            raise StructureError(message)
        states = []
        for member, old in zip(self.members[:number], state, strict=False):
            grads, new = update_of(member, grads, old, params, extra)
            states.append(new)
        return grads, tuple(states)


def chain(*members: Any) -> Chain:
    """Put transformations one after the other; the last may be an optimizer.

    Parameters
    ----------
    *members
        Ours or, on jax arrays, optax's: what has `init` and `update`. Each is given what the one
        before returned. The chain in turn can be a member of `optax.chain`.

    Returns
    -------
    Chain
        An optimizer; its state is the tuple of its members' states.

    Raises
    ------
    HyperparameterError
        If a member has no `init` or `update`.

    Notes
    -----
    `step` gives the transformed gradients to the last member's own `step`, so that an optimizer
    at the end runs as it does alone, `donate` included. Extra arguments reach every member that
    takes any; `optax.chain` does not pass them to ours.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import adam
    >>> from arraygrad.transformations import chain, clip_by_global_norm
    >>> optimizer, w = chain(clip_by_global_norm(1.0), adam(0.1)), np.asarray([1.0, 2.0])
    >>> state = optimizer.init(w)
    >>> w, state = optimizer.step(w, np.asarray([30.0, 40.0]), state)
    >>> w.round(3), state[1].slots["mu"].round(3)
    (array([0.9, 1.9]), array([0.06, 0.08]))
    """
    return Chain(*members)
