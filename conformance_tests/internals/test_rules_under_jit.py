"""The rules can be compiled and differentiated by JAX, and agree with its own, to second order."""

from typing import Any

import array_api_compat.numpy as numpy
import pytest

from conformance_tests.case_values import Case, function_named, in_library
from conformance_tests.internals.rule_calls import (
    as_numpy,
    assert_close,
    calls,
    cotangents,
    like,
    operands_of,
)
from conformance_tests.rule_cases import CASES

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy

# All of these, a sample of the others: compiling is slow.
DELICATE = ("cumulative_prod", "prod", "std")
CALLS = [call for n, call in enumerate(calls(CASES)) if n % 4 == 0 or call.values[0] in DELICATE]


def conj(tree: Any) -> Any:
    """Return the conjugates: JAX's cotangents are the conjugates of ours."""
    return jax.tree.map(jnp.conj, tree)


@pytest.mark.parametrize(("name", "case"), CALLS)
def test_rule_is_jax_s_own_to_second_order_under_jit(name: str, case: Case) -> None:
    at = operands_of(name, case)
    args = in_library(jnp, case.args)
    function, kwargs = function_named(jnp, name), in_library(jnp, case.kwargs)

    def call(*operands: Any) -> Any:
        filled = list(args)
        for n, operand in zip(at, operands, strict=True):
            filled[n] = operand
        return function(*filled, **kwargs), filled

    def pullbacks(*operands: Any) -> Any:
        y, pullback, filled = jax.vjp(call, *operands, has_aux=True)
        ours = cotangents(jnp, name, g, y, filled, kwargs, at)
        return ours, list(conj(pullback(conj(g))))

    y = function_named(numpy, name)(*case.args, **in_library(numpy, case.kwargs))
    g = in_library(jnp, like(as_numpy(y), 7))  # shaped by NumPy, which compiles nothing
    operands = [args[n] for n in at]
    tangents = [in_library(jnp, like(case.args[n], 11 + n)) for n in at]
    found = jax.jit(lambda *o: jax.jvp(pullbacks, o, tuple(tangents)))(*operands)
    for ours, theirs in as_numpy(found):
        assert_close(ours, theirs)
