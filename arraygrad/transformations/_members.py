"""What takes part in a chain or in a wrapper: ours, or a transformation of optax."""

from typing import Any

from arraygrad._typing import Tree
from arraygrad.optimizers._checked import checked_optimizer, keywords_of
from arraygrad.optimizers._protocol import Optimizer, Transformation, apply_updates

__all__ = ["checked_member", "step_of", "update_of"]


def checked_member(member: Any, argument: str) -> Transformation:
    """Return what has `init` and `update`: see `checked_optimizer`."""
    return checked_optimizer(member, argument, "init", "update")  # type: ignore[no-any-return]


def update_of(
    member: Any, grads: Tree, state: Any, params: Tree | None, extra: dict[str, Any]
) -> tuple[Tree, Any]:
    """Call a member's `update`, with the extra arguments that it takes."""
    extra = _taken(member, extra)
    return member.update(grads, state, params, **extra)  # type: ignore[no-any-return]


def _taken(member: Any, extra: dict[str, Any]) -> dict[str, Any]:
    """Return the extra arguments that a member takes: the others are for other members."""
    names = keywords_of(member) if extra else None
    return extra if names is None else {x: extra[x] for x in extra if x in names}


def step_of(
    member: Any, params: Tree, grads: Tree, state: Any, extra: dict[str, Any], *, donate: bool
) -> tuple[Tree, Any]:
    """Take a member's step: its own, where it has one."""
    if isinstance(member, Optimizer):
        return member.step(params, grads, state, donate=donate, **_taken(member, extra))
    updates, state = update_of(member, grads, state, params, extra)
    return apply_updates(params, updates), state
