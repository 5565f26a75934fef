"""Everything that can be wrong with a gradient, looked for at once: `audit`."""

import importlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from random import Random
from typing import Any

from arraygrad._namespace import array_namespace, is_array, is_floating, library_name
from arraygrad._tree import flatten, flatten_with_paths, format_path, unflatten
from arraygrad._typing import Array, Autodiff, Namespace, Tree
from arraygrad._where import place_of
from arraygrad.autodiff import autodiff_named
from arraygrad.errors import DtypeError
from arraygrad.libraries import library_of
from arraygrad.report import Comparison, Finding, Report
from arraygrad.testing import differences
from arraygrad.testing.differences import Differences, FlatCall, to_numpy

__all__ = ["Audit"]

# What gradients are compared with, where it is installed: the module that makes arrays.
_LIBRARIES = {
    "numpy": "numpy",
    "array_api_strict": "array_api_strict",
    "torch": "torch",
    "jax": "jax.numpy",
    "cupy": "cupy",
}


class Audit:
    """One function and its arguments, differentiated in every way there is."""

    def __init__(self, f: Any, args: tuple[Tree, ...], tolerance: float | None, seed: int) -> None:
        # The tape is imported when something is first differentiated.
        from arraygrad.autodiff.tape.watch import NotingWatch

        self.f, self.args, self.given = f, differences.detached(args), tolerance
        self.call = FlatCall(self.body, self.args)
        if not self.call.variables:
            message = "there is no floating array among the arguments: nothing to differentiate"
            raise DtypeError(message)
        self.xp: Namespace = self.call.xp
        self.variables = self.call.variables
        self.along = Differences(self.xp, self.call.constants, Random(seed))
        paths, _, _ = flatten_with_paths(self.args)
        self.names = ["args" + format_path(paths[n]) for n in self.call.variable_places]
        self.outputs = self.call.flat(self.variables, self.call.constants)[0]
        self.cotangents = self.along.like(self.outputs)
        self.notes = NotingWatch()

    def body(self, *args: Tree) -> list[Array]:
        """Return the floating arrays among what `f` returns; numbers become constants."""
        arrays = [x for x in flatten(args)[0] if is_array(x)]
        xp = array_namespace(arrays[0])
        found = differences.lifted(xp, flatten(self.f(*args))[0])
        return [y for y in found if is_array(y) and is_floating(array_namespace(y), y.dtype)]

    def report(self) -> Report:
        """Differentiate, and compare."""
        taped = self.taped()
        own = library_of(self.xp).autodiff
        gradients: Any = taped
        others = []
        if own != "tape":
            gradients = _attempt(self.pulled, autodiff_named(own), self.call)
            others = [self.compared(f"{library_name(self.xp)} by the tape", taped, gradients)]
        others += self.against_libraries(gradients)
        return Report(
            tuple(self.against_differences(gradients)),
            tuple(others),
            tuple(Finding.at(how, how, place) for how, place in self.notes.reads),
            tuple(name for n, name in enumerate(self.names) if n in self.notes.unreached),
            (*self.spoilt_arguments(), *self.spoilt_operations()),
        )

    # --- gradients -------------------------------------------------------------------------------

    def taped(self) -> "list[Array] | str":
        """Return the tape's gradients, and fill the notes."""
        from arraygrad.autodiff.tape.watch import watching

        with watching(self.notes):
            try:
                return self.pulled(autodiff_named("tape"), self.call)
            except Exception as error:
                self.notes.unreached.clear()
                self.notes.reads[_reason(error), place_of(error)] = None
                return _reason(error)

    def pulled(self, autodiff: Autodiff, call: FlatCall) -> list[Array]:
        """Return the gradients of a call by an autodiff."""
        outputs, pullback, _ = autodiff.vjp(call.flat, call.variables, call.constants)
        if call is self.call:
            return pullback(self.cotangents)  # type: ignore[no-any-return]
        pairs = zip(self.cotangents, outputs, strict=True)
        cotangents = [call.xp.asarray(to_numpy(g), dtype=y.dtype) for g, y in pairs]
        return pullback(cotangents)  # type: ignore[no-any-return]

    def elsewhere(self, module: str) -> list[Array]:
        """Return the gradients that another library's autodiff gives, for its arrays."""
        xp = importlib.import_module(module)
        leaves, treedef = flatten(self.args)
        moved = [xp.asarray(to_numpy(x)) if is_array(x) else x for x in leaves]
        call = FlatCall(self.body, unflatten(treedef, moved))
        return self.pulled(autodiff_named(library_of(call.xp).autodiff), call)

    # --- comparisons -----------------------------------------------------------------------------

    def against_differences(self, gradients: "list[Array] | str") -> Iterator[Comparison]:
        """Compare each gradient along a random direction."""
        for n, name in enumerate(self.names):
            if isinstance(gradients, str):
                yield Comparison(name, None, None, gradients)
            else:
                yield self._against_difference(n, name, gradients[n])

    def _against_difference(self, n: int, name: str, gradient: Array) -> Comparison:
        of, (t,) = self.along, self.along.like([self.variables[n]])
        directions = [self.xp.zeros_like(x) for x in self.variables]
        directions[n] = t
        moved = of.difference(self.call.flat, self.variables, directions)
        found, expected = of.inner([gradient], [t]), of.inner(self.cotangents, moved)
        size = of.size([gradient], [t]) + of.size(self.cotangents, moved)
        noise = differences.epsilon(t) / differences.STEP * of.size(self.cotangents, self.outputs)
        limit = self.tolerance(gradient)
        error = abs(found - expected) / max(size + 10 * noise / limit, 1e-300)
        return Comparison(name, error, error <= limit)

    def against_libraries(self, gradients: "list[Array] | str") -> Iterator[Comparison]:
        """Compare all gradients with those of every other library that is installed."""
        for library, module in _LIBRARIES.items():
            if library != library_name(self.xp) and find_spec(library) is not None:
                yield self.compared(library, _attempt(self.elsewhere, module), gradients)

    def compared(self, name: str, found: Any, gradients: Any) -> Comparison:
        """Compare all gradients with others."""
        for reason in (found, gradients):
            if isinstance(reason, str):
                return Comparison(name, None, None, reason)
        pairs = [(to_numpy(a), to_numpy(b)) for a, b in zip(found, gradients, strict=True)]
        limit = max((self.tolerance(x) for x in (*found, *gradients)), default=0.0)
        errors = [differences.relative_difference(a, b) for a, b in pairs]
        return Comparison(name, max(errors), all(error <= limit for error in errors))

    def tolerance(self, x: Array) -> float:
        """Return the largest error that counts as agreement, for an array's precision."""
        return self.given or (1e-6 if differences.epsilon(x) < 1e-12 else 1e-2)

    def spoilt_operations(self) -> Iterator[Finding]:
        """Find the operations that made infinities and NaNs."""
        for what, name, place in self.notes.spoilt:
            yield Finding.at(f"the {what} of {name} turns infinite or NaN", name, place)

    def spoilt_arguments(self) -> Iterator[Finding]:
        """Find the arguments that are infinite or NaN to begin with."""
        for name, x in zip(self.names, self.variables, strict=True):
            if not bool(self.xp.all(self.xp.isfinite(x))):
                yield Finding(f"{name} holds infinities or NaNs", name)


# --- small things ---------------------------------------------------------------------------------


def _attempt(differentiate: Callable[..., list[Array]], *args: Any) -> "list[Array] | str":
    """Return gradients, or why there are none."""
    try:
        return differentiate(*args)
    except Exception as error:  # whatever a function does with arrays that it was not written for
        return _reason(error)


def _reason(error: Exception) -> str:
    message = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {message}"
