"""array-api-strict: mutable, and nothing beyond the standard."""

from arraygrad.libraries.generic import Library, quiet_numpy

__all__ = ["LIBRARY"]

LIBRARY = Library(mutable=True, readable=True, quiet=quiet_numpy)
