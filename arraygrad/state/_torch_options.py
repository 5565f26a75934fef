"""Hyperparameters and options in torch's `param_groups`."""

from collections.abc import Mapping
from typing import Any

from arraygrad.errors import StateError
from arraygrad.optimizers import Optimizer
from arraygrad.state._exchange import agreed, number, words
from arraygrad.state._torch_table import DECOUPLED, Entry

__all__ = ["check_options", "hyperparameters", "options_of"]


def hyperparameters(
    entry: Entry, groups: list[dict[str, Any]], fresh: Any, optimizer: Optimizer
) -> dict[str, Any]:
    """Return torch's values of our hyperparameters; ours where torch has none."""
    check_options(entry, groups, fresh.hyperparameters, optimizer)
    taken = {
        name: agreed((_read(group, entry.options[name]) for group in groups), f"torch's {name}")
        for name in fresh.hyperparameters
        if name in entry.options
    }
    return {**fresh.hyperparameters, **taken}


def check_options(
    entry: Entry, groups: list[dict[str, Any]], ours: Mapping[str, Any], optimizer: Optimizer
) -> None:
    """Make sure that torch's options say nothing that our optimizer does not do.

    Raises
    ------
    StateError
        If one does.
    """
    known, absent = words(optimizer), entry.options.keys() - ours.keys()
    expected = dict.fromkeys((*(entry.options[name] for name in absent), *entry.off), False)
    expected |= dict.fromkeys(entry.on, True)
    expected |= {flag: flag.partition("_")[0] in known for flag in entry.flags}
    if "weight_decay" not in ours:
        expected.pop(DECOUPLED, None)  # no decay has no form
    keywords = getattr(getattr(optimizer, "kernel", None), "keywords", {})
    for group in groups:  # torch has not always had all options
        wrong = [option for option, x in expected.items() if bool(group.get(option, x)) != x]
        wrong += [
            option
            for option in entry.same
            if option in group and not _is_same(entry, option, group[option], keywords, ours)
        ]
        for option in wrong:
            found = f"{option}={group[option]!r}"
            message = f"torch's optimizer has {found}, which {optimizer!r} has not"
            raise StateError(message)


def _is_same(entry: Entry, option: str, value: Any, *given: Mapping[str, Any]) -> bool:
    try:
        return entry.same[option](value, *given)
    except (IndexError, TypeError):  # no such thing as it should be
        return False


def _spelt(option: Any) -> tuple[str, int | None, int]:
    """Return an option's key, its index where it is one of several, and its sign."""
    key, index = option if isinstance(option, tuple) else (option, None)
    return key.removeprefix("-"), index, -1 if key.startswith("-") else 1


def _read(group: dict[str, Any], option: Any) -> Any:
    """Return an option as a number.

    Raises
    ------
    StateError
        If the group does not have it.
    """
    name, index, sign = _spelt(option)
    try:
        value = group[name] if index is None else group[name][index]
    except (IndexError, KeyError, TypeError):
        message = f"a group of torch's parameters has no {name!r}, or not all of it"
        raise StateError(message) from None
    return sign * number(value, f"torch's {name}")


def options_of(entry: Entry, group: dict[str, Any], state: Any) -> dict[str, Any]:
    """Return a group with our hyperparameters."""
    group = dict(group)
    for name in state.hyperparameters.keys() & entry.options.keys():
        option, value = entry.options[name], number(state.hyperparameters[name], f"`{name}`")
        key, index, sign = _spelt(option)
        if index is None:
            group[key] = sign * value
        else:
            _read(group, option)
            values = list(group[key])
            values[index] = sign * value
            group[key] = tuple(values)
    return group
