"""Systems of equations that a pullback solves: triangular ones, on every library."""

import sys

import array_api_compat
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.libraries import library_of
from arraygrad.libraries.generic import solve_adjoint as solve_any
from arraygrad.libraries.numpy import triangular
from arraygrad.rules.table import entry_of
from arraygrad.testing import check_gradients
from conformance_tests import backends
from conformance_tests.case_values import complexes, in_library, reals
from conformance_tests.products import all_products, direction
from conformance_tests.ruled_calls import NUMPY
from conformance_tests.trees import assert_close, to_numpy

N = 40  # large enough for LAPACK's own solver
DTYPES = ["float32", "float64", "complex64", "complex128"]
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": lambda x: np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2),
    "neither": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
}


def drawn(*shape, dtype="float64", seed=0):
    """Draw numbers of a dtype."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if dtype.startswith("c") else x).astype(dtype)


def factor(*shape, dtype="float64", triangle="lower", seed=0):
    """Draw a triangular matrix that is far from singular."""
    x = drawn(*shape, dtype=dtype, seed=seed) / N + np.eye(shape[-1], dtype=dtype)
    return {"lower": np.tril, "upper": np.triu, None: lambda x: x}[triangle](x)


def expected(a, b):
    """Solve with the conjugate transpose, in double precision."""
    wide = np.result_type(a, np.float64)
    return np.linalg.solve(np.conj(a.swapaxes(-1, -2)).astype(wide), b)


# --- the solvers ---


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("triangle", ["lower", "upper", None])
def test_numpy_solves_matrices_of_every_kind_and_layout(triangle, known, layout, dtype):
    a = LAYOUTS[layout](factor(N, N, dtype=dtype, triangle=triangle))
    b = LAYOUTS[layout](drawn(N, 3, dtype=dtype, seed=1))
    found = triangular.solve_adjoint(np, a, b, triangle if known else None)
    assert found.dtype == dtype
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-12
    np.testing.assert_allclose(found, expected(a, b), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "shapes", [((2,), (2,)), ((2,), ()), ((), (3,)), ((2, 1), (3,)), ((0,), ())]
)
def test_numpy_broadcasts_stacks(shapes):
    a, b = factor(*shapes[0], N, N), drawn(*shapes[1], N, 2, seed=1)
    found = triangular.solve_adjoint(np, a, b, "lower")
    np.testing.assert_allclose(found, expected(a, b), rtol=1e-12, atol=1e-12)


def test_a_stack_is_triangular_if_all_its_matrices_are():
    mixed = np.stack([factor(N, N), factor(N, N, triangle="upper")])
    b = drawn(2, N, 2)
    found = triangular.solve_adjoint(np, mixed, b)
    np.testing.assert_allclose(found, expected(mixed, b), rtol=1e-12, atol=1e-12)


def test_a_zero_in_a_corner_makes_no_triangle():
    for row in (0, -1):
        a = factor(N, N, triangle=None)
        a[row] = np.eye(N)[row]
        b = drawn(N, 2)
        found = triangular.solve_adjoint(np, a, b)
        np.testing.assert_allclose(found, expected(a, b), rtol=1e-12, atol=1e-12)


def test_a_matrix_promotes_to_the_dtype_of_the_other_side():
    a, b = factor(N, N, dtype="float32"), drawn(N, 2, dtype="complex128")
    for n in (1, 2):
        found = triangular.solve_adjoint(np, np.stack([a] * n), b, "lower")
        np.testing.assert_allclose(found[0], expected(a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("triangle", ["lower", None])
def test_a_singular_matrix_is_refused_as_numpy_does(triangle):
    a = factor(N, N)
    a[7, 7] = 0
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        triangular.solve_adjoint(np, a, drawn(N, 2), triangle)


def test_without_scipy_numpy_solves_all_the_same(monkeypatch):
    triangular._solver.cache_clear()
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    try:
        assert triangular._solver("d") is None
        a, b = factor(N, N), drawn(N, 2)
        found = triangular.solve_adjoint(np, a, b, "lower")
        assert np.array_equal(found, solve_any(np, a, b))
    finally:
        triangular._solver.cache_clear()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("triangle", ["lower", "upper", None])
@pytest.mark.parametrize("library", backends.installed())
def test_every_library_solves(library, triangle, dtype):
    backend = backends.load(library)
    a, b = factor(2, 4, 4, dtype=dtype, triangle=triangle), drawn(2, 4, 3, dtype=dtype)
    given = in_library(backend.xp, (a, b), backend.device)
    found = library_of(backend.xp).solve_adjoint(backend.xp, *given, triangle)
    np.testing.assert_allclose(to_numpy(backend, found), expected(a, b), rtol=1e-12, atol=1e-12)


# --- derivatives of what is large enough ---


def adjoint(xp, x):
    """Return the conjugate transpose."""
    return xp.conj(xp.matrix_transpose(x))


def positive(xp, x):
    """Return a positive definite matrix."""
    eye = xp.eye(x.shape[-1], dtype=x.dtype)
    return x @ adjoint(xp, x) / x.shape[-1] + eye


def likelihood(x, b):
    """Whiten with a Cholesky factor, as Gaussian processes do."""
    xp = array_api_compat.array_namespace(x)
    return xp.linalg.solve(xp.linalg.cholesky(positive(xp, x)), b)


def whiten_above(x, b):
    """Do the same with the factor above the diagonal."""
    xp = array_api_compat.array_namespace(x)
    return xp.linalg.solve(xp.linalg.cholesky(positive(xp, x), upper=True), b)


def solve_dense(x, b):
    """Solve with a matrix that is not triangular."""
    xp = array_api_compat.array_namespace(x)
    return xp.linalg.solve(positive(xp, x), b)


def triangle_of_qr(x, b):
    """Multiply by a factor whose pullback divides by it."""
    xp = array_api_compat.array_namespace(x)
    return xp.linalg.qr(positive(xp, x)).R @ b


FUNCTIONS = [likelihood, whiten_above, solve_dense, triangle_of_qr]


@pytest.mark.parametrize("draw", [reals, complexes])
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("f", FUNCTIONS)
def test_torch_has_the_same_derivatives_of_large_matrices(f, batch, draw):
    pytest.importorskip("torch")
    args = (draw(*batch, N, N), draw(*batch, N, 2, seed=1))
    t, backend = direction(args), backends.load("torch")
    theirs = all_products(f, in_library(backend.xp, args), "torch", in_library(backend.xp, t))
    ours = all_products(f, in_library(NUMPY.xp, args), "tape", in_library(NUMPY.xp, t))
    assert_close(ours, to_numpy(backend, theirs), 1e-8)


@pytest.mark.parametrize("draw", [reals, complexes])
@pytest.mark.parametrize("f", FUNCTIONS)
def test_finite_differences_of_large_matrices_agree(f, draw):
    x, b = draw(N, N), draw(N, 2, seed=1)

    def loss(x, b):
        y = f(x, b)
        xp = y.__array_namespace__()
        return xp.sum(xp.real(y * xp.conj(y)))

    check_gradients(loss, x, b, order=2)


@pytest.mark.parametrize("n", [3, N])
def test_a_vector_on_the_right_has_the_derivatives_of_a_column(n):
    a, b = factor(n, n, triangle=None), drawn(n, seed=1)
    solve = lambda a, b: a.__array_namespace__().linalg.solve(a, b)
    y, pullback = ag.vjp(solve, a, b)
    columns, pull_columns = ag.vjp(solve, a, b[:, None])
    np.testing.assert_allclose(y, columns[:, 0], rtol=1e-12)
    g_a, g_b = pullback(y)
    also_a, also_b = pull_columns(y[:, None])
    np.testing.assert_allclose(g_a, also_a, rtol=1e-12)
    np.testing.assert_allclose(g_b, also_b[:, 0], rtol=1e-12)


# --- one pullback to both operands ---


def test_one_system_is_solved_for_both_operands(monkeypatch):
    solved = []

    def counted(*args, **kwargs):
        solved.append(args)
        return solve(*args, **kwargs)

    a, b = factor(3, 3, triangle=None), drawn(3, 2)
    _, pullback = ag.vjp(lambda a, b: a.__array_namespace__().linalg.solve(a, b), a, b)
    solve = NUMPY.xp.linalg.solve
    monkeypatch.setattr(NUMPY.xp.linalg, "solve", counted)
    pullback(b)
    assert len(solved) == 1


def test_a_joint_pullback_gives_what_the_single_ones_give():
    entry = entry_of("linalg.solve")
    a, b, g = factor(2, 3, 3, triangle=None), drawn(3, 2), drawn(2, 3, 2, seed=1)
    y = np.linalg.solve(a, b)
    joint = entry.joint(np, g, y, a, b)
    assert len(joint) == len(entry.rules)
    for found, rule in zip(joint, entry.rules, strict=True):
        assert np.array_equal(found, rule(np, g, y, a, b))
