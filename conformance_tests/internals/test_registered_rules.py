"""Rules that users register for functions which their library has beyond the standard."""

import types
from concurrent.futures import ThreadPoolExecutor

import array_api_strict
import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad.autodiff.tape import traced_namespace
from arraygrad.rules import registered
from arraygrad.rules.registered import registered_entry
from arraygrad.testing import check_gradients

X = np.asarray([0.5, -2.0, 3.0])


def softplus(x):
    """Return log(1 + exp(x))."""
    return np.log1p(np.exp(x))


def scaled_sum(x, y, /, *, scale=1.0):
    """Return scale · Σ (x + y), broadcast."""
    return np.sum(x + y) * scale


def extended():
    """Return NumPy's namespace under another name, with functions of its own."""
    space = types.ModuleType("mylib")
    vars(space).update({k: v for k, v in vars(np).items() if not k.startswith("__")})
    space.softplus, space.scaled_sum = softplus, scaled_sum
    space.weigh = lambda w, x: w @ x
    space.double = lambda x: 2 * x
    space.half = lambda x: x / 2
    space.steps = np.floor
    space.extra = types.ModuleType("mylib.extra")
    space.extra.cube = lambda x: x**3
    return space


@pytest.fixture
def space(monkeypatch):
    """Return a traced namespace of a library of one's own; what is registered does not stay."""
    monkeypatch.setattr(registered, "_entries", {})
    return traced_namespace(extended())


def slope(space, f, *args):
    """Return gradients of Σ f by all arguments, recorded in a namespace."""
    from arraygrad.autodiff import tape

    def body(leaves, constants):
        leaves = [space.wrap(x._value, x._index, x._tape) for x in leaves]
        return [space.sum(f(*leaves))], []

    _, pullback, _ = tape.vjp(body, list(args), [])
    return pullback([np.asarray(1.0)])


def test_without_a_rule_it_says_how_to_give_one(space):
    with pytest.raises(errors.NoRuleError, match=r"mylib.softplus .*register_rule"):
        slope(space, space.softplus, X)


def test_derivatives_serve_a_function_that_was_met_before(space):
    function = space.softplus
    with pytest.raises(errors.NoRuleError):
        slope(space, function, X)
    ag.register_rule("mylib", "softplus", derivatives=lambda xp, y, x: 1 - xp.exp(-y))
    (gradient,) = slope(space, function, X)
    np.testing.assert_allclose(gradient, 1 / (1 + np.exp(-X)), rtol=1e-14)


def test_every_kind(space):
    ag.register_rule("mylib", "double", linear=lambda xp, g, y, x: 2 * g)
    ag.register_rule("mylib", "half", composition=lambda xp, x: xp.multiply(x, 0.5))
    ag.register_rule("mylib", "steps", constant=True)
    ag.register_rule(
        "mylib",
        "weigh",
        multilinear=(
            lambda xp, g, y, w, x: xp.expand_dims(g, axis=1) * x,
            lambda xp, g, y, w, x: xp.matrix_transpose(w) @ g,
        ),
    )
    ag.register_rule("mylib", "extra.cube", pullbacks=lambda xp, g, y, x: 3 * x**2 * g)
    np.testing.assert_array_equal(slope(space, space.double, X)[0], [2.0] * 3)
    np.testing.assert_array_equal(slope(space, space.half, X)[0], [0.5] * 3)
    np.testing.assert_array_equal(slope(space, space.steps, X)[0], [0.0] * 3)
    np.testing.assert_array_equal(slope(space, space.extra.cube, X)[0], 3 * X**2)
    w = np.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    by_w, by_x = slope(space, space.weigh, w, X)
    np.testing.assert_array_equal(by_w, [X, X])
    np.testing.assert_array_equal(by_x, [5.0, 7.0, 9.0])


def test_keywords_reach_the_rule(space):
    def pull(xp, g, y, x, other, /, *, scale=1.0):
        return xp.broadcast_to(g * scale, x.shape)

    ag.register_rule("mylib", "scaled_sum", pullbacks=(pull, None))
    (gradient,) = slope(space, lambda x: space.scaled_sum(x, 1.0, scale=3.0), X)
    np.testing.assert_array_equal(gradient, [3.0] * 3)


def test_the_rule_is_of_its_library_alone(space):
    ag.register_rule("otherlib", "softplus", derivatives=lambda xp, y, x: x)
    with pytest.raises(errors.NoRuleError):
        slope(space, space.softplus, X)
    assert registered_entry("otherlib", "softplus").kind == "DERIVATIVES"


def test_a_rule_for_a_function_of_strict_in_all_orders(monkeypatch):
    monkeypatch.setattr(registered, "_entries", {})
    monkeypatch.setattr(array_api_strict, "cubed", lambda x: x * x * x, raising=False)
    ag.register_rule("array_api_strict", "cubed", derivatives=lambda xp, y, x: 3 * x * x)

    def f(x):
        xp = x.__array_namespace__()
        return xp.sum(xp.cubed(x))

    check_gradients(f, array_api_strict.asarray(X), order=2)


@pytest.mark.parametrize("name", ["exp", "sum", "linalg.cholesky", "matmul", "zeros"])
def test_functions_of_the_standard_cannot_be_given_another_rule(space, name):
    with pytest.raises(ValueError, match="of the standard"):
        ag.register_rule("mylib", name, derivatives=lambda xp, y, x: x)


def test_a_function_has_one_rule(space):
    ag.register_rule("mylib", "softplus", derivatives=lambda xp, y, x: x)
    with pytest.raises(ValueError, match="has a rule already"):
        ag.register_rule("mylib", "softplus", constant=True)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({}, ValueError, "one kind, got 0"),
        ({"constant": True, "linear": len}, ValueError, "one kind, got 2"),
        ({"derivatives": 3}, errors.ArgumentError, "callable, got int"),
        ({"pullbacks": (len, "text")}, errors.ArgumentError, "callable, got str"),
        ({"pullbacks": (None, None)}, ValueError, "no operand"),
        ({"pullbacks": ()}, ValueError, "no operand"),
    ],
)
def test_what_is_no_rule_is_refused(space, given, error, text):
    with pytest.raises(error, match=text):
        ag.register_rule("mylib", "softplus", **given)
    assert registered_entry("mylib", "softplus") is None


def test_of_many_threads_one_registers(space):
    def attempt(_):
        try:
            ag.register_rule("mylib", "softplus", derivatives=lambda xp, y, x: x)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(32))) == 1
