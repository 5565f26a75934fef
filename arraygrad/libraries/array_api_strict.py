"""array-api-strict: mutable, and nothing beyond the standard; SciPy lends its special functions."""

from arraygrad.libraries.generic import Library, quiet_numpy

__all__ = ["LIBRARY"]

LIBRARY = Library(
    mutable=True,
    readable=True,
    special="arraygrad.libraries.through_scipy",
    quiet=quiet_numpy,
)
