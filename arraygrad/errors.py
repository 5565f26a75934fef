"""Every error that arraygrad raises on purpose.

Each one is an `ArraygradError` and a built-in exception, so both `except ArraygradError`
and `except ValueError` do what they say::

    ArraygradError
    ├── ArgumentError        (ValueError)           an argument that is none of those known
    ├── StructureError       (ValueError)           trees that should match do not
    ├── ShapeError           (ValueError)           a shape that does not fit
    ├── MixedLibraryError    (ValueError)           arrays of several libraries in one call
    ├── DeviceError          (ValueError)           arrays on several devices in one call
    ├── HyperparameterError  (ValueError)           a hyperparameter out of its range
    ├── StateError           (ValueError)           a state that cannot be saved or loaded
    ├── DtypeError           (TypeError)            a data type that cannot be used here
    ├── GraphBreakError      (TypeError)            a gradient would be lost
    ├── OutError             (TypeError)            `out` is read-only, or does not fit
    ├── NotScalarError       (TypeError)            a real scalar was expected
    ├── NoRuleError          (NotImplementedError)  a function without a derivative rule
    ├── ExportError          (NotImplementedError)  what cannot be written as an ONNX graph
    ├── SpentTapeError       (RuntimeError)         a tape used after its sweep
    ├── MissingExtraError    (ImportError)          an optional library is not installed
    └── NonFiniteError       (FloatingPointError)   a gradient is infinite or not a number

Those of a lost gradient, `GraphBreakError` and `NoRuleError`, carry a note with the line of the
user's code where that happened.
"""

from typing import Any

from arraygrad._where import users_place

__all__ = [
    "ArgumentError",
    "ArraygradError",
    "DeviceError",
    "DtypeError",
    "ExportError",
    "GraphBreakError",
    "HyperparameterError",
    "MissingExtraError",
    "MixedLibraryError",
    "NoRuleError",
    "NonFiniteError",
    "NotScalarError",
    "OutError",
    "ShapeError",
    "SpentTapeError",
    "StateError",
    "StructureError",
]


class ArraygradError(Exception):
    """The root of every error that arraygrad raises on purpose."""


class ArgumentError(ArraygradError, ValueError):
    """An option, a name or a position is none of those that there are."""


class StructureError(ArraygradError, ValueError):
    """Two trees that should have the same structure do not."""


class ShapeError(ArraygradError, ValueError):
    """An array has a shape that does not fit the others."""


class MixedLibraryError(ArraygradError, ValueError):
    """Arrays of several libraries meet in one call."""


class DeviceError(ArraygradError, ValueError):
    """Arrays on several devices meet in one call."""


class HyperparameterError(ArraygradError, ValueError):
    """A hyperparameter lies outside its range."""


class StateError(ArraygradError, ValueError):
    """A state cannot be saved, loaded, or taken over from another library.

    Attributes
    ----------
    report : StateReport or None
        How the file differs from what was expected, where that is known.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class DtypeError(ArraygradError, TypeError):
    """An array has a data type that cannot be used here."""


class _LocatedError(ArraygradError):
    """An error that notes the user's line: the traceback's last one is deep inside of ours."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.place = users_place()
        if self.place is not None:
            self.add_note(f"at {self.place}")


class GraphBreakError(_LocatedError, TypeError):
    """An operation would silently lose the gradient."""


class OutError(ArraygradError, TypeError):
    """`out` cannot receive the result."""


class NotScalarError(ArraygradError, TypeError):
    """A function that must return a real scalar returned something else."""


class NoRuleError(_LocatedError, NotImplementedError):
    """A function has no derivative rule."""


class ExportError(ArraygradError, NotImplementedError):
    """A function asks for a value, or for what ONNX lacks."""


class SpentTapeError(ArraygradError, RuntimeError):
    """A tape is used after its sweep, or a traced array outside its function."""


class MissingExtraError(ArraygradError, ImportError):
    """An optional library is not installed."""


class NonFiniteError(ArraygradError, FloatingPointError):
    """A gradient holds an infinity or a NaN."""
