"""Special functions: their rules, where the libraries' values come from, what refuses."""

import subprocess
import sys

import array_api_strict
import numpy as np
import pytest
import scipy.special

import arraygrad as ag
from arraygrad.errors import MissingExtraError, NoRuleError
from arraygrad.libraries import Library, library_of, special
from arraygrad.rules import special as rules
from arraygrad.rules import table
from arraygrad.testing import check_gradients
from conformance_tests.special_cases import CASES

RULED = [name for kind in table.KINDS for name in getattr(rules, kind, ())]
SMOOTH = sorted(set(CASES) - {"gammasgn"})
ONCE_ONLY = {"bdtri", "betainccinv", "betaincinv"}  # SciPy's inverses are not precise enough
UNKNOWN = sorted(
    (name, n)
    for name, entry in rules.DERIVATIVES.items()
    for n, rule in enumerate(entry)
    if rule is not None and (rule.__doc__ or "").startswith("Raise")
)


def calling(name, args):
    """Return the function of the operands that are arrays, and those."""
    at = [n for n, x in enumerate(args) if isinstance(x, np.ndarray)]

    def f(*arrays):
        operands = list(args)
        for n, x in zip(at, arrays, strict=True):
            operands[n] = x
        special = getattr(arrays[0].__array_namespace__(), "special", scipy.special)
        return getattr(special, name)(*operands)

    return f, [args[n] for n in at]


def test_every_rule_has_a_case():
    assert sorted(RULED) == sorted(f"special.{name}" for name in CASES)


@pytest.mark.parametrize("name", SMOOTH)
def test_rules_agree_with_differences(name):
    f, operands = calling(name, CASES[name])
    check_gradients(f, *operands, order=1 if name in ONCE_ONLY else 2)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"logsumexp", "log_softmax", "softmax"}))
def test_values_are_scipys(name):
    f, operands = calling(name, CASES[name])
    value, _ = ag.vjp(f, *operands)
    np.testing.assert_allclose(value, getattr(scipy.special, name)(*CASES[name]), rtol=1e-14)


@pytest.mark.parametrize("name", SMOOTH)
def test_arrays_of_a_host_library_get_the_same_gradients(name):
    f, operands = calling(name, CASES[name])
    y, pullback = ag.vjp(f, *operands)
    g = np.ones_like(y)
    _, pullback_of_strict = ag.vjp(f, *map(array_api_strict.asarray, operands))
    found = pullback_of_strict(array_api_strict.asarray(g))
    for a, b in zip(pullback(g), found, strict=True):
        np.testing.assert_allclose(np.asarray(b), a, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:non-integer arg n is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "n"), UNKNOWN)
def test_a_parameter_without_a_closed_form_raises_where_it_has_a_gradient(name, n):
    short = name.removeprefix("special.")
    args = list(CASES[short])
    args[n] = np.asarray(float(args[n]))
    f, operands = calling(short, args)
    y, pullback = ag.vjp(f, *operands)
    with pytest.raises(NoRuleError, match="no closed form"):
        pullback(np.ones_like(y))


def test_a_function_without_a_rule_says_so():
    with pytest.raises(NoRuleError, match=r"special\.struve has no derivative rule"):
        ag.grad(lambda x: x.__array_namespace__().special.struve(1.0, x))(np.asarray(1.5))


def test_scipys_own_ufuncs_are_differentiated_without_its_array_api_switch():
    x = np.asarray([0.2, 0.7])
    ufunc = scipy.special._ufuncs.betainc
    found = ag.grad(lambda x: np.sum(ufunc(2.0, 3.0, x)))(x)
    np.testing.assert_allclose(found, 12 * x * (1 - x) ** 2, rtol=1e-13)


@pytest.mark.parametrize("name", ["erf", "gammasgn", "xlogy"])
def test_an_operand_too_many_is_not_written_into(name):
    x = np.asarray([0.5, 1.5])

    def f(x):
        return getattr(x.__array_namespace__().special, name)(2.0 * x, x, x)

    with pytest.raises(TypeError, match=f"{name} takes . operands, got 3"):
        ag.vjp(f, x)
    np.testing.assert_array_equal(x, [0.5, 1.5])


def test_points_where_a_formula_has_a_limit():
    zero = np.asarray(0.0)
    special = lambda x: x.__array_namespace__().special
    assert ag.grad(lambda x: special(x).i1(x))(zero) == 0.5
    assert ag.grad(lambda x: special(x).sinc(x))(zero) == 0.0
    assert ag.grad(lambda x: special(x).exprel(x))(zero) == 0.5
    assert ag.grad(lambda x: special(x).spence(1 - x))(zero) == 1.0
    assert ag.grad(lambda x: special(x).xlogy(zero, x))(zero) == 0.0


def test_a_zero_cotangent_wins_at_a_singular_point():
    x = np.asarray([0.0, 0.5])
    f = lambda x: np.sum(np.where(x > 0, x.__array_namespace__().special.entr(x), 0.0))
    np.testing.assert_allclose(ag.grad(f)(x), [0.0, np.log(2) - 1], rtol=1e-14)


def test_a_library_without_special_functions_has_no_such_module():
    assert library_of(np).special == "scipy.special"
    assert Library().special is None


def test_a_missing_module_names_the_extra():
    with pytest.raises(MissingExtraError, match=r"arraygrad\[special\]"):
        special._imported("no_such_module.special")


def test_scipy_is_imported_only_when_a_special_function_is_asked_for():
    program = """
import sys, numpy as np, arraygrad as ag
ag.grad(lambda x: np.sum(np.exp(x)))(np.ones(2))
assert "scipy" not in sys.modules
ag.grad(lambda x: x.__array_namespace__().special.erf(x))(np.ones(()))
assert "scipy.special" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
