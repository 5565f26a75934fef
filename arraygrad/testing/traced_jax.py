"""JAX through the tape, as a namespace that suites for the standard can test.

ARRAY_API_TESTS_MODULE=arraygrad.testing.traced_jax pytest array_api_tests
"""

from typing import Any

from arraygrad.testing._live import live_namespace

_space = live_namespace("jax.numpy", "arraygrad[jax]")


def __getattr__(name: str) -> Any:
    return getattr(_space, name)


def __dir__() -> list[str]:
    return dir(_space)
