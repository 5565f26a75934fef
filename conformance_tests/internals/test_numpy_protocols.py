"""How NumPy's functions treat traced arrays: dtypes, constants, and what is refused."""

from typing import Any

import array_api_strict
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff.tape import TracedArray
from arraygrad.errors import GraphBreakError, NoRuleError
from conformance_tests.internals import traced_checks

X = np.asarray([[0.31, 0.72, 0.15, 0.58], [0.86, 0.24, 0.67, 0.43], [0.52, 0.91, 0.36, 0.79]])
W = np.asarray([[1.2, -0.4, 0.3, 0.9], [0.1, 2.0, -1.1, 0.6], [-0.7, 0.5, 1.4, -0.2]])


def inside(f: Any, x: Any = X) -> Any:
    """Return what `f` gives for a live traced array."""
    return traced_checks.inside(f, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_results_have_numpys_dtype(dtype: Any) -> None:
    """Single precision stays single; integers and truth values are NumPy's."""
    for f in (np.sin, np.square, np.sum, np.mean, np.var, np.cumsum, np.sort, np.abs, np.ravel):
        assert inside(f, X.astype(dtype)).dtype == f(X.astype(dtype)).dtype
    for f in (np.argmax, np.argsort, np.isfinite, np.logical_not, np.count_nonzero, np.any):
        found, expected = inside(f, X.astype(dtype)), f(X.astype(dtype))
        assert np.asarray(found).dtype == np.asarray(expected).dtype  # NumPy 2.1 counts in `int`


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.allclose(x, X),
        lambda x: np.array_equal(x, W),
        lambda x: np.array_repr(x),
        lambda x: np.iscomplexobj(x),
        lambda x: np.may_share_memory(x, W),
        lambda x: np.ndim(x),
        lambda x: np.result_type(x, np.float32),
        lambda x: np.shape(x),
        lambda x: np.size(x, 1),
    ],
)
def test_question_is_answered_as_for_the_values(f: Any) -> None:
    """What is no array stays what it is."""
    assert inside(f) == f(X)
    assert type(inside(f)) is type(f(X))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.argmax(x, axis=1),
        lambda x: np.argsort(x),
        lambda x: np.isclose(x, 0.72),
        lambda x: np.isnan(x),
        lambda x: np.less(x, W),
        lambda x: np.nonzero(x > 0.5)[0],
        lambda x: np.ones_like(x),
        lambda x: np.searchsorted(np.sort(x[0]), [0.3, 0.6]),
        lambda x: np.sin(np.floor(x) * W),
        lambda x: np.unique_inverse(x).inverse_indices,
        lambda x: np.where(x > 0.5)[1],
        lambda x: np.zeros_like(x),
    ],
)
def test_constant_result_is_a_traced_array_with_numpys_values(f: Any) -> None:
    """Namespaces never mix: what depends on no input is traced too."""
    assert isinstance(inside(f), TracedArray)
    values = inside(lambda x: np.asarray(f(x)))  # constants may be read
    np.testing.assert_array_equal(values, f(X), strict=True)


def test_function_beyond_the_standard_serves_constants() -> None:
    """Without a gradient to lose, NumPy's own function is taken."""
    x = inside(lambda x: ag.vjp(lambda x: np.percentile(ag.stop_gradient(x), 30), X)[0])
    assert x == np.percentile(X, 30)
    gradient = ag.grad(lambda x: np.sum(x * np.gcd(ag.stop_gradient(np.argsort(x)), 2)))(X)
    np.testing.assert_array_equal(gradient, np.gcd(np.argsort(X), 2))


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: np.polyfit(W[0], x[0], 2), "polyfit"),
        (lambda x: np.roots(x[0]), "roots"),
        (lambda x: np.spacing(x), "spacing"),
        (lambda x: np.add.reduceat(x, [0, 1]), "add.reduceat"),
        (lambda x: np.frompyfunc(lambda a: a, 1, 1)(x), "lambda"),
    ],
)
def test_function_without_a_rule_says_its_name(f: Any, name: str) -> None:
    """Nothing is differentiated wrongly."""
    with pytest.raises(NoRuleError, match=name):
        inside(f)


def test_ufunc_of_somebody_else_is_not_taken_for_numpys() -> None:
    """Even if it has the name of one."""
    sin = np.frompyfunc(lambda a: 2 * a, 1, 1)
    special = pytest.importorskip("scipy.special")
    for ufunc in (sin, special.struve):
        with pytest.raises(NoRuleError, match="no derivative rule"):
            inside(lambda x, ufunc=ufunc: ufunc(*(x,) * ufunc.nin))


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        (lambda x: np.sin(x, out=np.empty(x.shape)), "`out` of sin"),
        (lambda x: np.sum(x, out=np.empty(())), "`out` of numpy.sum"),
        (lambda x: np.sum(x, None, None, np.empty(())), "`out` of sum"),
        (lambda x: x.mean(out=np.empty(())), "`out` of mean"),
        (lambda x: np.concatenate([x, x], out=np.empty((6, 4))), "`out` of numpy.concatenate"),
        (lambda x: np.ones(x.shape).__iadd__(x), "x = x \\+ y"),
        (lambda x: np.add.at(np.zeros(3), [0, 1], x[0, :2]), r"x\[key\] = value"),
        (lambda x: np.copyto(np.zeros(x.shape), x), r"x\[key\] = value"),
        (lambda x: np.putmask(np.zeros(x.shape), x > 0.5, x), r"x\[key\] = value"),
        (lambda x: np.place(np.zeros(x.shape), x > 0.5, x), r"x\[key\] = value"),
        (lambda x: np.asarray(x), "stop_gradient"),
        (lambda x: np.array([x[0, 0], x[0, 1]]), "stop_gradient"),
        (lambda x: np.ascontiguousarray(x), "stop_gradient"),
    ],
)
def test_lost_gradient_raises_and_says_what_to_do(f: Any, advice: str) -> None:
    """Writing into a raw array, or reading values, would lose it."""
    with pytest.raises(GraphBreakError, match=advice):
        inside(f)


def test_writing_into_a_raw_array_raises() -> None:
    """NumPy asks for a number, and hides our error behind its own."""
    with pytest.raises(ValueError, match="setting an array element") as caught:
        inside(lambda x: np.zeros(4).__setitem__(0, x[0, 0]))
    assert isinstance(caught.value.__cause__, GraphBreakError)


def test_raw_array_is_unchanged_when_adding_to_it_in_place_raises() -> None:
    """`raw += traced` is refused before anything happens."""
    raw = np.ones(X.shape)

    def f(x: Any) -> Any:
        nonlocal raw
        raw += x
        return np.sum(raw)

    with pytest.raises(GraphBreakError, match="x = x"):
        ag.grad(f)(X)
    np.testing.assert_array_equal(raw, np.ones(X.shape))


def test_option_without_a_rule_raises() -> None:
    """`where=` of an elementwise function, unknown keywords of others."""
    with pytest.raises(NoRuleError, match=r"sin with 'where'"):
        inside(lambda x: np.sin(x, where=x > 0.5))
    with pytest.raises(NoRuleError, match=r"numpy\.std .*'mean'"):
        inside(lambda x: np.std(x, mean=x[:1]))
    with pytest.raises(NoRuleError, match="order"):
        inside(lambda x: np.reshape(x, (4, 3), order="F"))


def test_complex_gradient_points_uphill() -> None:
    """The gradient of Σ|z|² is 2z, however it is spelt."""
    z = X + 1j * W
    for f in (
        lambda z: np.sum(np.abs(z) ** 2),
        lambda z: np.real(np.vdot(z, z)),
        lambda z: np.sum(np.square(z.real) + np.square(np.imag(z))),
        lambda z: np.sum(np.real(np.conjugate(z) * z)),
        lambda z: np.real(np.sum(z * z.conj())),
    ):
        np.testing.assert_allclose(ag.grad(f)(z), 2 * z, rtol=1e-14)


def test_numpys_functions_refuse_arrays_of_other_libraries() -> None:
    """They would turn them into arrays of NumPy, gradients lost."""
    x = array_api_strict.asarray(X)
    for f in (np.sin, np.sum, lambda x: np.multiply(x, W), lambda x: np.add.reduce(x)):
        with pytest.raises(GraphBreakError, match="own namespace"):
            ag.vjp(f, x)
    asked = []
    ag.vjp(lambda x: (asked.extend([np.ndim(x), np.shape(x)]), x)[1], x)
    assert asked == [2, (3, 4)]


def test_scalars_of_numpy_are_numbers_for_every_library() -> None:
    """`np.float64(2) * x` and its kin, comparisons too."""
    x = array_api_strict.asarray(X)
    two = np.float64(2.0)
    y, pullback = ag.vjp(lambda x: two * x - two**x + (two - x), x)
    np.testing.assert_allclose(np.asarray(y), X + 2 - 2**X, rtol=1e-15)
    (g,) = pullback(array_api_strict.ones_like(x))
    np.testing.assert_allclose(np.asarray(g), 1 - np.log(2) * 2**X, rtol=1e-13)
    masks = []
    ag.vjp(lambda x: (masks.append(ag.stop_gradient(np.float64(0.5) < x)), x)[1], x)
    assert repr(masks[0]) == f"TracedArray({x > 0.5!r})"


def test_cupys_elementwise_functions_are_recorded() -> None:
    """They ask arguments that are no `cupy.ndarray` what to do; the names are NumPy's."""
    cupy = pytest.importorskip("cupy")
    check = {
        lambda x: cupy.sin(x): np.sin,
        lambda x: cupy.multiply(x, cupy.exp(x)): lambda x: x * np.exp(x),
        lambda x: cupy.power(cupy.absolute(x), 2): lambda x: np.abs(x) ** 2,
        lambda x: cupy.true_divide(1.0, cupy.arctan2(x, 2.0)): lambda x: 1 / np.arctan2(x, 2.0),
    }
    for ours, theirs in check.items():
        got, pullback = ag.vjp(ours, X)
        expected, other = ag.vjp(theirs, X)
        np.testing.assert_allclose(got, expected, rtol=1e-15)
        np.testing.assert_allclose(pullback(W)[0], other(W)[0], rtol=1e-14)
    with pytest.raises(NoRuleError, match="i0"):
        inside(lambda x: cupy.i0(x))


def test_cupys_functions_that_call_methods_are_recorded() -> None:
    """`cupy.sum(x)` is `x.sum(…)`, with CuPy's own spelling of the arguments."""
    cupy = pytest.importorskip("cupy")
    names = "sum prod max min mean std var ravel transpose squeeze trace diagonal argsort".split()
    for name in names:
        ours, theirs = getattr(cupy, name), getattr(np, name)
        np.testing.assert_allclose(
            inside(lambda x, f=ours: ag.stop_gradient(f(x))._value), theirs(X), rtol=1e-15
        )
    gradient = ag.grad(lambda x: cupy.sum(cupy.mean(x * x, axis=1, keepdims=True)))(X)
    np.testing.assert_allclose(gradient, X / 2, rtol=1e-15)
