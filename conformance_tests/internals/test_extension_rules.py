"""Linear algebra and Fourier transforms: several results, singular points, others' rules."""

import array_api_compat.numpy as xp
import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import NoRuleError
from arraygrad.testing import check_gradients
from conformance_tests import backends
from conformance_tests.case_values import complexes, reals
from conformance_tests.extension_cases import hermitian, matrix
from conformance_tests.products import all_products, direction
from conformance_tests.ruled_calls import NUMPY, RULED_CALLS
from conformance_tests.trees import assert_close, to_numpy

A = hermitian(3, low=0.5)


def namespace_of(x):
    """Return the namespace of an array."""
    return x.__array_namespace__()


# --- the rules of others ---


GENERAL = ("linalg.eig", "linalg.eigvals")
CALLS = [call for call in RULED_CALLS if call.name.startswith(("linalg.", "fft."))]
PAIRS = [
    *(("torch", call) for call in CALLS if "torch" not in call.case.refused_by),
    # JAX compiles every call, and differentiates no spectrum that is not Hermitian.
    *(("jax", call) for call in CALLS if call.first and call.name not in GENERAL),
]


@pytest.mark.parametrize(("library", "call"), PAIRS, ids=str)
def test_torch_and_jax_have_the_same_derivatives(library, call):
    pytest.importorskip(library)
    backend, t = backends.load(library), direction(call.args)
    theirs = all_products(call.f, call.args_in(backend), library, call.args_in(backend, t))
    ours = all_products(call.f, call.args_in(NUMPY), "tape", call.args_in(NUMPY, t))
    assert_close(ours, to_numpy(backend, theirs), 1e-11)


# --- functions of several results ---

RESULTS = {
    "eig": ("eigenvalues", "eigenvectors"),
    "eigh": ("eigenvalues", "eigenvectors"),
    "qr": ("Q", "R"),
    "slogdet": ("sign", "logabsdet"),
    "svd": ("U", "S", "Vh"),
}


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("library", backends.installed())
def test_results_are_named_as_in_the_standard(library, name):
    backend = backends.load(library)
    kinds = []

    def f(x):
        result = getattr(namespace_of(x).linalg, name)(x)
        kinds.append(type(result))
        assert result._fields == RESULTS[name]
        return namespace_of(x).sum(namespace_of(x).abs(result[0]))

    gradient = ag.grad(f, autodiff="tape")(backend.asarray(A))
    assert gradient.shape == (3, 3)
    assert kinds[0]._make([1] * len(RESULTS[name])) is not None


@pytest.mark.parametrize("name", RESULTS)
def test_constants_have_named_results_too(name):
    def f(x):
        result = getattr(namespace_of(x).linalg, name)(ag.stop_gradient(x))
        assert result._fields == RESULTS[name]
        return namespace_of(x).sum(x * namespace_of(x).real(result[1] * (1 + 0j)))

    expected = np.real(getattr(xp.linalg, name)(A)[1])
    np.testing.assert_array_equal(ag.grad(f)(A), np.broadcast_to(expected, (3, 3)))


def test_results_keep_their_type_outside():
    y, pullback = ag.vjp(lambda x: namespace_of(x).linalg.eigh(x), A)
    assert type(y) is type(xp.linalg.eigh(A))
    found = pullback(y._replace(eigenvalues=np.ones(3), eigenvectors=np.zeros((3, 3))))[0]
    np.testing.assert_allclose(found, np.eye(3), atol=1e-14)


@pytest.mark.parametrize("used", [[0], [1], [2], [0, 2], [2, 1]])
def test_each_result_has_its_own_gradient(used):
    def f(x):
        parts = namespace_of(x).linalg.svd(x, full_matrices=False)
        return [parts[n] for n in used]

    check_gradients(f, matrix(4, 3))


def test_an_unused_function_of_several_results_is_no_burden():
    def f(x):
        namespace_of(x).linalg.eigh(x)
        return namespace_of(x).sum(x)

    np.testing.assert_array_equal(ag.grad(f)(A), np.ones((3, 3)))
    y, tangent = ag.jvp(f, (A,), (A,))
    assert (y, tangent) == (np.sum(A), np.sum(A))


def test_results_meet_again():
    def f(x):
        q, r = namespace_of(x).linalg.qr(x)
        values, v = namespace_of(x).linalg.eigh(q @ r + (q @ r).mT)
        return (v * namespace_of(x).exp(values)) @ v.mT

    check_gradients(f, matrix(3, 3) + np.eye(3))


def test_selections_of_results_keep_zeros_zero():
    def f(x):
        space = namespace_of(x)
        values, v = space.linalg.eigh(x)
        return space.sum(space.where(values > 1, space.sqrt(values - 1), 0.0)) + v[0, 0] ** 2

    with np.errstate(invalid="ignore"):
        check_gradients(lambda x: f(x + x.mT), A / 2)


def test_derivatives_of_third_order():
    def f(t):
        space = namespace_of(t)
        return space.linalg.slogdet(space.eye(3) + t * space.asarray(A)).logabsdet

    third = ag.grad(ag.grad(ag.grad(f)))(np.asarray(0.3))
    values = np.linalg.eigvalsh(A)
    np.testing.assert_allclose(third, np.sum(2 * (values / (1 + 0.3 * values)) ** 3), rtol=1e-12)


# --- spectra that coincide, norms of zero ---


@pytest.mark.parametrize("name", ["eigvalsh", "svdvals"])
def test_equal_values_move_together(name):
    f = lambda x: namespace_of(x).sum(getattr(namespace_of(x).linalg, name)(x) ** 2)
    np.testing.assert_allclose(ag.grad(f)(2 * np.eye(4)), 4 * np.eye(4), atol=1e-14)
    assert np.isfinite(ag.hvp(f, (2 * np.eye(4),), (reals(4, 4),))).all()


def test_equal_eigenvalues_do_not_mix_their_vectors():
    degenerate = np.diag([1.0, 1.0, 3.0])
    f = lambda x: namespace_of(x).linalg.eigh(x).eigenvectors[0, 0]
    assert not ag.grad(f)(degenerate)[:2, :2].any()
    turned = np.linalg.qr(reals(3, 3))[0]  # where rounding parts them
    assert np.max(np.abs(ag.grad(f)(turned @ degenerate @ turned.T))) < 10


@pytest.mark.parametrize("x", [np.zeros((3, 3)), np.outer([1.0, 2, 3], [1.0, 1, 1]), np.eye(3)])
def test_vectors_of_singular_matrices_have_finite_gradients(x):
    def f(x):
        u, s, vh = namespace_of(x).linalg.svd(x)
        return namespace_of(x).sum(u * s) + namespace_of(x).sum(vh)

    assert np.max(np.abs(ag.grad(f)(x))) < 100


@pytest.mark.parametrize("ord", [0, 0.5, 1, 2, 3, -1, np.inf, -np.inf])
def test_a_norm_of_zero_has_derivative_zero(ord):
    f = lambda x: namespace_of(x).sum(namespace_of(x).linalg.vector_norm(x, axis=1, ord=ord))
    with np.errstate(divide="ignore"):
        for zeros in (np.zeros((2, 3)), np.zeros((2, 3), dtype=np.float32)):
            assert not ag.grad(f)(zeros).any()


def test_extremes_of_a_norm_share_evenly():
    f = lambda x: namespace_of(x).linalg.vector_norm(x, ord=np.inf)
    np.testing.assert_array_equal(ag.grad(f)(np.asarray([3.0, -3.0, 1.0])), [0.5, -0.5, 0])


def test_norms_neither_overflow_nor_underflow():
    f = lambda x: namespace_of(x).linalg.vector_norm(x, ord=3)
    for size in (1e100, 1e-100):
        np.testing.assert_allclose(ag.grad(f)(np.asarray([size, 0.0])), [1, 0])


# --- the rest ---


@pytest.mark.parametrize("name", ["det", "inv", "slogdet", "eigh", "eigvalsh", "qr", "svdvals"])
def test_empty_matrices_have_empty_gradients(name):
    def f(x):
        result = getattr(namespace_of(x).linalg, name)(x)
        return namespace_of(x).sum(result[-1] if isinstance(result, tuple) else result)

    assert ag.grad(f)(np.zeros((0, 0))).shape == (0, 0)


@pytest.mark.parametrize(
    ("name", "keywords", "remedy"),
    [("qr", {"mode": "complete"}, "mode='reduced'"), ("svd", {}, "full_matrices=False")],
)
def test_arbitrary_vectors_have_no_derivative(name, keywords, remedy):
    f = lambda x: namespace_of(x).sum(getattr(namespace_of(x).linalg, name)(x, **keywords)[0])
    with pytest.raises(NoRuleError, match=f"linalg.{name}.*{remedy}"):
        ag.grad(f)(matrix(3, 2))
    with pytest.raises(NoRuleError, match=f"linalg.{name}.*{remedy}"):
        ag.jvp(f, (matrix(3, 2),), (matrix(3, 2),))


def test_an_unknown_norm_has_no_rule():
    with pytest.raises(NoRuleError, match=r"matrix_norm\(ord=3\)"):
        ag.grad(lambda x: namespace_of(x).linalg.matrix_norm(x, ord=3))(A)


def test_gradients_of_hermitian_matrices_are_hermitian():
    f = lambda x: namespace_of(x).real(namespace_of(x).linalg.cholesky(x)[2, 0])
    gradient = ag.grad(f)(hermitian(3, complexes, low=0.5))
    np.testing.assert_allclose(gradient, np.conj(gradient.T), atol=1e-15)


def test_the_sign_of_a_real_determinant_is_flat():
    assert not ag.grad(lambda x: namespace_of(x).linalg.slogdet(x).sign)(A).any()


def test_functions_of_an_extension_are_made_once():
    def f(x):
        space = namespace_of(x)
        assert space.linalg.det is space.linalg.det
        assert {"det", "svd"} <= set(dir(space.linalg))
        assert space.linalg.det.__name__ == "det"
        return space.linalg.det(x)

    np.testing.assert_allclose(ag.grad(f)(A), np.linalg.det(A) * np.linalg.inv(A).T)


@pytest.mark.parametrize("name", ["diagonal", "trace"])
def test_what_is_off_the_diagonal_has_no_influence(name):
    f = lambda x: namespace_of(x).sum(
        getattr(namespace_of(x).linalg, name)(namespace_of(x).sqrt(x))
    )
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(ag.grad(f)(np.eye(2)), np.eye(2) / 2)


def test_a_rank_and_frequencies_are_constants():
    def f(x):
        space = namespace_of(x)
        return space.linalg.matrix_rank(x) * space.sum(x) + space.sum(space.fft.fftfreq(4, d=0.5))

    np.testing.assert_array_equal(ag.grad(f)(A), np.full((3, 3), 3.0))


def test_a_real_signal_has_a_real_gradient():
    f = lambda x: namespace_of(x).sum(namespace_of(x).abs(namespace_of(x).fft.fft(x)) ** 2)
    for dtype in (np.float32, np.float64):
        x = reals(5).astype(dtype)
        gradient = ag.grad(f)(x)
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, 10 * x, rtol=1e-5)


# --- transforms of single precision take other norms, with a factor ---


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("n", [None, 5, 8])
def test_transforms_of_single_precision_have_the_derivatives_of_double(name, norm, n):
    real = name in ("rfft", "ihfft")
    x = np.asarray((reals if real else complexes)(3, 7))

    def f(x):
        transform = getattr(namespace_of(x).fft, name)
        return transform(x, n=n, axis=0, norm=norm)

    y, pullback = ag.vjp(f, x)
    single, pull_single = ag.vjp(f, x.astype(np.float32 if real else np.complex64))
    g = direction((y,))[0]
    (ours,) = pull_single(g.astype(single.dtype))
    assert ours.dtype == (np.float32 if real else np.complex64)
    np.testing.assert_allclose(ours, pullback(g)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@pytest.mark.parametrize("s", [None, (4, 5)])
def test_transforms_of_several_axes_have_them_too(name, norm, s):
    real = name == "rfftn"
    x = np.asarray((reals if real else complexes)(3, 4, 5))

    def f(x):
        return getattr(namespace_of(x).fft, name)(x, s=s, axes=(0, 2), norm=norm)

    y, pullback = ag.vjp(f, x)
    single, pull_single = ag.vjp(f, x.astype(np.float32 if real else np.complex64))
    g = direction((y,))[0]
    (ours,) = pull_single(g.astype(single.dtype))
    np.testing.assert_allclose(ours, pullback(g)[0], rtol=1e-5, atol=1e-5)
