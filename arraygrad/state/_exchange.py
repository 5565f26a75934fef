"""What taking over another library's optimizer needs: arrays by name, numbers, our own kernel."""

from collections.abc import Iterable, Mapping
from typing import Any

from arraygrad._namespace import is_array
from arraygrad._tree import unflatten
from arraygrad._typing import Tree
from arraygrad.errors import StateError
from arraygrad.optimizers import Optimizer
from arraygrad.state._arrays import fits, like, saved
from arraygrad.state._paths import named_leaves

__all__ = [
    "agreed",
    "check_convention",
    "check_state",
    "entry_for",
    "moved",
    "nested",
    "number",
    "slots_of",
    "with_slots",
    "words",
]


def entry_for(table: Mapping[str, Any], optimizer: Any, whose: str) -> Any:
    """Return an optimizer's entry in a table.

    Raises
    ------
    StateError
        If it has none.
    """
    name = getattr(optimizer, "name", "") if isinstance(optimizer, Optimizer) else ""
    if name not in table:
        known = ", ".join(table)
        message = (
            f"`optimizer` must be one whose states can be exchanged with {whose}'s ({known}), "
            f"got {optimizer!r}"
        )
        raise StateError(message)
    return table[name]


def check_state(state: Any, optimizer: Optimizer, slots: Iterable[str]) -> None:
    """Make sure that a state is that of an optimizer, and has no slots but these.

    Raises
    ------
    StateError
        If it is another one's.
    """
    fields = {"count", "hyperparameters", *optimizer.nested}
    sound = isinstance(state, tuple) and fields <= {*getattr(state, "_fields", ())}
    if not sound or not slots_of(state, optimizer).keys() <= {*slots}:
        message = f"`state` must be the state of {optimizer!r}, got {type(state).__name__}"
        raise StateError(message)


def slots_of(state: Any, optimizer: Optimizer) -> dict[str, Tree]:
    """Return the slots of a state: what is neither a number of steps nor of optimizers inside."""
    if "slots" in state._fields:
        return dict(state.slots)
    others = {"count", "hyperparameters", *optimizer.nested}
    return {name: value for name, value in state._asdict().items() if name not in others}


def with_slots(state: Any, slots: dict[str, Tree]) -> Any:
    """Return a state with other slots."""
    return state._replace(slots=slots) if "slots" in state._fields else state._replace(**slots)


def nested(state: Any, optimizer: Optimizer) -> list[tuple[str, Optimizer, Any]]:
    """Return the optimizers inside, with the field of the state that holds theirs, if any has."""
    parts = [(field, part, getattr(state, field)) for field, part in optimizer.nested.items()]
    return [part for part in parts if part[2] is not None]


def words(optimizer: Optimizer) -> set[str]:
    """Return the words in the names of an optimizer's kernel and of the form of weight decay.

    Flags that the kernel is given are words, too, and the convention of what is no kernel.
    """
    kernel: Any = getattr(optimizer, "kernel", None)
    found: set[str] = {getattr(optimizer, "convention", "")}
    while hasattr(kernel, "__wrapped__"):
        found.update(kernel.form.__name__.split("_"))
        kernel = kernel.__wrapped__
    found.update(flag for flag, value in getattr(kernel, "keywords", {}).items() if value is True)
    return found | {*getattr(getattr(kernel, "func", kernel), "__name__", "").split("_")}


def check_convention(optimizer: Optimizer, needs: str, never: Iterable[str], whose: str) -> None:
    """Make sure that an optimizer's slots and decay mean what they mean in another library.

    Raises
    ------
    StateError
        If its kernel lacks a word, or has one that it should not have.
    """
    known = words(optimizer)
    if (needs and needs not in known) or known & {*never}:
        message = f'{optimizer!r} is not {whose}\'s: make it with convention="{whose}"'
        raise StateError(message)


def moved(tree: Tree, model: Tree, argument: str, other: str) -> Tree:
    """Return a tree like another: its structure, and of each leaf library, dtype and device.

    Raises
    ------
    StateError
        If the names, shapes or kinds of dtypes of the leaves differ.
    """
    given, _ = named_leaves(tree, argument)
    wanted, treedef = named_leaves(model, other)
    if given.keys() != wanted.keys():
        apart = sorted(given.keys() ^ wanted.keys())
        message = f"`{argument}` and `{other}` differ in their leaves: {', '.join(apart)}"
        raise StateError(message)
    return unflatten(
        treedef, [_moved(given[name], x, name, argument) for name, x in wanted.items()]
    )


def _moved(leaf: Any, model: Any, name: str, argument: str) -> Any:
    where = f"`{argument}` at {name}"
    entry, shape = saved(leaf, where), tuple(model.shape) if is_array(model) else ()
    if entry.values.shape != shape:
        message = f"{where} has shape {entry.values.shape}, expected {shape}"
        raise StateError(message)
    if not fits(entry, model):
        message = f"{where} has dtype {entry.dtype}, expected {model.dtype}"
        raise StateError(message)
    return like(entry, model, where)


def number(value: Any, where: str) -> Any:
    """Return a number, or the one number of an array of any library, as Python's.

    Raises
    ------
    StateError
        If it is neither.
    """
    entry = saved(value, where)
    if entry.values.size != 1:
        message = f"{where} must be one number, got an array of shape {entry.values.shape}"
        raise StateError(message)
    return entry.values.item()


def agreed(values: Iterable[Any], what: str) -> Any:
    """Return the one value that all these are.

    Raises
    ------
    StateError
        If they differ.
    """
    found = list(dict.fromkeys(values))
    if len(found) != 1:
        message = f"{what} must be the same everywhere, got {', '.join(map(repr, found))}"
        raise StateError(message)
    return found[0]
