"""Rules for functions that a library has beyond the standard: given by whoever knows them.

The tables are imported when they are asked: whoever imports arraygrad need not wait for them.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from arraygrad.errors import ArgumentError

if TYPE_CHECKING:
    from arraygrad.rules.table import Entry

__all__ = ["register_rule", "registered_entry"]

Rules: TypeAlias = Callable[..., Any] | tuple[Callable[..., Any] | None, ...]

_entries: "dict[tuple[str, str], Entry]" = {}
_lock = threading.Lock()


def registered_entry(library: str, name: str) -> "Entry | None":
    """Return what is known of a function that a library has beyond the standard, if anything."""
    from arraygrad.rules.beyond_standard import entry_beyond

    return _entries.get((library, name)) or entry_beyond(name)


def register_rule(
    library: str,
    name: str,
    *,
    derivatives: Rules | None = None,
    linear: Rules | None = None,
    multilinear: Rules | None = None,
    pullbacks: Rules | None = None,
    composition: Callable[..., Any] | None = None,
    constant: bool = False,
) -> None:
    """Tell the tape the derivative of a function that a library has beyond the standard.

    Give exactly one of the keyword arguments: it says what kind of function this is. Where there
    are several rules, they stand in a tuple, one per positional argument of the function, `None`
    for an argument without a gradient.

    Parameters
    ----------
    library : str
        The first component of the `__name__` of the library's namespace.
    name : str
        The function's name in that namespace; dotted, if it is in one of its modules.
    derivatives : callable or tuple, optional
        Of an elementwise function: the derivative for each operand, `(xp, y, *operands)`.
    linear : callable or tuple, optional
        Of a function that is linear in its operands together: its transpose,
        `(xp, g, y, *arguments, **keywords)`, which sees shapes and dtypes, but no values.
    multilinear : callable or tuple, optional
        Of a function that is linear in each operand by itself: the same, with values.
    pullbacks : callable or tuple, optional
        Of any other function: the map of cotangents, `(xp, g, y, *arguments, **keywords)`.
    composition : callable, optional
        The function again, spelt with other functions: `(xp, *arguments, **keywords)`.
    constant : bool, optional
        Whether the derivative is zero wherever it exists.

    Raises
    ------
    ArgumentError
        If not exactly one kind is given, a rule is not callable, the function is one of the
        standard, or it has been given a rule before.

    Notes
    -----
    Rules are for the tape; torch and JAX have their own ways. A rule is written in functions of
    `xp`, which may be the library's namespace or the traced one: so it is differentiable itself.
    Rules other than `derivatives` return the shape of their operand.

    Examples
    --------
    >>> import arraygrad as ag
    >>> ag.register_rule("mylib", "softplus", derivatives=lambda xp, y, x: 1 - xp.exp(-y))
    """
    from arraygrad.rules.beyond_standard import entry_beyond
    from arraygrad.rules.table import Entry, entry_of

    given = {
        "DERIVATIVES": derivatives,
        "LINEAR": linear,
        "MULTILINEAR": multilinear,
        "PULLBACKS": pullbacks,
        "COMPOSITIONS": composition,
        "CONSTANT": constant or None,
    }
    kinds = [kind for kind, rules in given.items() if rules is not None]
    if len(kinds) != 1:
        message = f"a rule for {library}.{name} must be of one kind, got {len(kinds)}"
        raise ArgumentError(message)
    if entry_of(name) is not None:
        message = f"`name` is {name!r}, a function of the standard, which has its rule"
        raise ArgumentError(message)
    if entry_beyond(name) is not None:
        message = f"{library}.{name} has a rule already"
        raise ArgumentError(message)
    rules = () if constant else _checked(f"{library}.{name}", given[kinds[0]])
    _add(library, Entry(name, kinds[0], rules))


def _checked(function: str, rules: Any) -> tuple[Callable[..., Any] | None, ...]:
    """Return rules as a tuple."""
    found: tuple[Any, ...] = rules if isinstance(rules, tuple) else (rules,)
    for rule in found:
        if rule is not None and not callable(rule):
            message = f"a rule for {function} must be callable, got {type(rule).__name__}"
            raise ArgumentError(message)
    if not any(found):
        message = f"a rule for {function} has no operand: say constant=True"
        raise ArgumentError(message)
    return found


def _add(library: str, entry: "Entry") -> None:
    """Add an entry, which must be the first for its function."""
    with _lock:
        if _entries.setdefault((library, entry.name), entry) is not entry:
            message = f"{library}.{entry.name} has a rule already"
            raise ArgumentError(message)
