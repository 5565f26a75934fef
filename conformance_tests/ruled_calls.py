"""The cases of the functions that have rules, as functions of trees that can be differentiated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from arraygrad._namespace import is_array
from arraygrad.rules.table import names_of
from conformance_tests import backends
from conformance_tests.backends import Backend
from conformance_tests.case_values import Case, in_library
from conformance_tests.extension_cases import seen_through
from conformance_tests.products import is_floating
from conformance_tests.rule_cases import CASES
from conformance_tests.trees import leaves

__all__ = ["RULED_CALLS", "RuledCall"]

KINDS = ("DERIVATIVES", "LINEAR", "MULTILINEAR", "PULLBACKS", "COMPOSITIONS")
NAMES = sorted({name for kind in KINDS for name in names_of(kind)} & set(CASES))
NUMPY = backends.load("numpy")


@dataclass(frozen=True)
class RuledCall:
    """One call of a function of the standard, as a function of all its arrays."""

    name: str
    case: Case
    first: bool
    """Whether it is the first of its function: the sample where all would take too long."""

    def __str__(self) -> str:
        """Spell name and shapes, for the tests' ids."""
        return f"{self.name}({self.case})"

    @property
    def args(self) -> tuple[Any, ...]:
        """Its arguments in NumPy, the keywords last."""
        return (*self.case.args, self.case.kwargs)

    @property
    def f(self) -> Callable[..., Any]:
        """The function of these arguments, in the namespace of its arrays."""

        def f(*args: Any) -> Any:
            first = next(x for x in leaves(args) if is_array(x))
            result = seen_through(array_namespace(first), self.name)(*args[:-1], **args[-1])
            return list(result) if isinstance(result, tuple) else result

        return f

    def args_in(self, backend: Backend, args: Any = None) -> tuple[Any, ...]:
        """Return its arguments, or others like them, in a library."""
        chosen = self.args if args is None else args
        return in_library(backend.xp, chosen, backend.device)  # type: ignore[no-any-return]

    def is_differentiable(self) -> bool:
        """Say whether floating arrays come in and go out."""
        args = self.args_in(NUMPY)
        return any(map(is_floating, leaves(args))) and any(map(is_floating, leaves(self.f(*args))))

    @property
    def is_double(self) -> bool:
        """Whether all its floating arrays are in double precision."""
        singles = (np.float32, np.complex64)
        return not any(is_array(x) and x.dtype in singles for x in leaves(self.args))


RULED_CALLS = [
    call
    for name in NAMES
    for call in (RuledCall(name, case, n == 0) for n, case in enumerate(CASES[name]))
    if call.is_differentiable()
]
