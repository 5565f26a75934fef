"""Calls of every function and operator of the standard, for operands of any data type.

A call is written for any namespace, `call(xp, a)`: `a(2, 3)` is an operand of that shape, of the
data type that is being tested, whose values are tricky for it. See `operands.py`.
"""

from conformance_tests.namespace_calls.extensions import EXTENSIONS
from conformance_tests.namespace_calls.functions import FUNCTIONS
from conformance_tests.namespace_calls.operands import Operands, dtypes_of
from conformance_tests.namespace_calls.operators import METHODS, OPERATORS

__all__ = ["CALLS", "METHODS", "OPERATORS", "Operands", "dtypes_of"]

CALLS = {**FUNCTIONS, **EXTENSIONS}
