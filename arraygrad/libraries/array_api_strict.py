"""array-api-strict: mutable, and nothing beyond the standard."""

from arraygrad.libraries.generic import Library

__all__ = ["LIBRARY"]

LIBRARY = Library(mutable=True, readable=True)
