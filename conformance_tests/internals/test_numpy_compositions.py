"""NumPy's functions beyond the standard: their values, and derivatives of two orders."""

from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.autodiff.tape.numpy_compositions import writing
from arraygrad.autodiff.tape.numpy_functions import FUNCTIONS
from arraygrad.errors import NoRuleError
from conformance_tests.internals import test_numpy_functions
from conformance_tests.internals.traced_checks import check_derivatives, inside

X = np.asarray([[0.31, 0.72, 0.15, 0.58], [0.86, 0.24, 0.67, 0.43], [0.52, 0.91, 0.36, 0.79]])
W = np.asarray([[1.2, -0.4, 0.3, 0.9], [0.1, 2.0, -1.1, 0.6], [-0.7, 0.5, 1.4, -0.2]])
ROW, PLACES = W[0], np.asarray([0.2, 0.5, 0.9, 1.6])
CUBE = np.sin(np.arange(24.0)).reshape(2, 3, 4)
HOLES = np.where(W > 1, np.nan, 1.0)
SQUARE = np.asarray([[2.0, 0.3, -0.4], [0.1, 1.5, 0.6], [-0.2, 0.5, 1.8]])


def square(x: Any) -> Any:
    """Return a matrix far from singular."""
    return SQUARE + 0.3 * x[:, :3]


def positive(x: Any) -> Any:
    """Return a positive definite matrix with eigenvalues far apart."""
    return x @ x.T + np.diag(np.asarray([1.0, 3.0, 7.0]))


EINSUM = {
    "product": lambda x: np.einsum("ij,kj->ik", x, W),
    "itself": lambda x: np.einsum("ij,ik", x, x),
    "implied order": lambda x: np.einsum("ba", x * x),
    "implied sum": lambda x: np.einsum("ij,ij", x, W),
    "spaces": lambda x: np.einsum(" i j , j -> i ", x, x[1]),
    "trace": lambda x: np.einsum("ii", x[:, :3] * x[0, 0]),
    "diagonal": lambda x: np.einsum("ii->i", x[:, :3] * x[0, 0]),
    "diagonal beside": lambda x: np.einsum("iji,j->i", x[:, :, None] * x[None, 0, :3], ROW),
    "thrice": lambda x: np.einsum("iii->i", np.multiply.outer(x[:, :3], x[0, :3])),
    "summed alone": lambda x: np.einsum("ij,k->k", x, x[0]),
    "ellipsis": lambda x: np.einsum("...j,jk->...k", CUBE, x.T),
    "ellipsis both": lambda x: np.einsum("i...,i...", x, W),
    "ellipsis of unequal length": lambda x: np.einsum("...i,...i->...", CUBE, x),
    "ellipsis first": lambda x: np.einsum("...,j...->...j", x[0], x),
    "broadcast": lambda x: np.einsum("ij,ij->ij", x[:1], W) + np.einsum("...,...", x[:, :1], W),
    "three": lambda x: np.einsum("ij,kj,k->i", x, W, x[:, 0]),
    "three optimized": lambda x: np.einsum("ij,kj,k->i", x, W, x[:, 0], optimize=True),
    "a path": lambda x: np.einsum(
        "ij,kj,kl->il", x, W, x, optimize=["einsum_path", (0, 1), (0, 1)]
    ),
    "numbers": lambda x: np.einsum(x, [0, 1], W, [2, 1], [2, 0]),
    "numbers implied": lambda x: np.einsum(x, [1, 0], ROW, [0]),
    "numbers and ellipsis": lambda x: np.einsum(x, [..., 1], ROW, [1], [...]),
    "complex": lambda x: np.einsum("ij,kj->ik", x * (1 + 2j), W * (0.3 - 1j)),
    "dtype": lambda x: np.einsum("ij->j", x * x, dtype=np.complex128),
}
PRODUCTS = {
    "convolve": lambda x: [np.convolve(x[0], x[1] * x[1, 0])]
    + [np.convolve(x[0, :n], ROW[:m], mode) for mode in ("full", "same", "valid")
       for n, m in ((4, 3), (3, 4), (4, 2), (2, 4), (4, 4), (1, 3))],
    "convolve complex": lambda x: np.convolve(x[0] * (1 + 2j), x[1] * (0.5 - 1j), "same"),
    "correlate": lambda x: [np.correlate(x[0], x[1] * x[1, 0])]
    + [np.correlate(x[0, :n], x[1, :m], mode) for mode in ("full", "same", "valid")
       for n, m in ((4, 3), (3, 4), (4, 2), (2, 4), (4, 4))],
    "correlate complex": lambda x: np.correlate(x[0] * (1 + 2j), x[1, :3] * (0.5 - 1j), "full"),
    "cross": lambda x: np.cross(x[:, :3], W[:, 1:]),
    "dot": lambda x: [np.dot(x, x[0]), np.dot(2.0, x), np.dot(CUBE, x.T), np.dot(x, CUBE.mT)],
    "inner": lambda x: [np.inner(x, CUBE), np.inner(x[0], x[1])],
    "kron": lambda x: [np.kron(x, x[0]), np.kron(CUBE, x)],
    "outer": lambda x: np.outer(x, x[0]),
    "polyval": lambda x: [np.polyval(x[0], x[1]), np.polyval(ROW, x), np.polyval(x[0], 0.3)],
    "tensordot": lambda x: [np.tensordot(CUBE, x, ([1, 2], [0, 1])), np.tensordot(x, ROW, 1)],
    "vander": lambda x: [np.vander(x[0]), np.vander(x[0], 2), np.vander(ROW * x[0], 3, True)],
    "vdot": lambda x: np.vdot(x * (1 + 1j), W),
}  # fmt: skip
STATISTICS = {
    "average": lambda x: [np.average(x), np.average(x, 1, weights=ROW),
                          np.average(CUBE, (2, 1), weights=x.T * x.T)],
    "corrcoef": lambda x: [np.corrcoef(x * x), np.corrcoef(x[0], x[1]), np.corrcoef(x[0])],
    "corrcoef complex": lambda x: np.corrcoef(x * (1 + 2j) + 1j * W),
    "cov": lambda x: [np.cov(x), np.cov(x[0]), np.cov(x, W), np.cov(x, rowvar=False)],
    "cov biased": lambda x: [np.cov(x, bias=True), np.cov(x, ddof=0), np.cov(x[0], W[0])],
    "cov weighted": lambda x: [np.cov(W, aweights=x[0]), np.cov(x, fweights=[1, 2, 3, 1]),
                               np.cov(x, fweights=[1, 2, 3, 1], aweights=x[0])],
    "cov complex": lambda x: np.cov(x * (1 + 2j) + 1j * W),
    "max": lambda x: [np.max(x, initial=0.6), np.max(x, 1, initial=0.2, where=W > 0)],
    "mean": lambda x: [np.mean(x * x, where=W > 0), np.mean(x, 1, keepdims=True, where=W > 0)],
    "median": lambda x: [np.median(x), np.median(x, 1), np.median(x * x, axis=0, keepdims=True),
                         np.median(CUBE * x, axis=(0, -1)), np.median(x[0, :1])],
    "min": lambda x: [np.min(x, initial=0.3), np.min(x, 1, initial=0.9, where=W > 0)],
    "nancumprod": lambda x: [np.nancumprod(x * HOLES), np.nancumprod(x * HOLES, axis=1)],
    "nancumsum": lambda x: [np.nancumsum(x * HOLES), np.nancumsum(x * x * HOLES, axis=0)],
    "nanmax": lambda x: [np.nanmax(x * HOLES), np.nanmax(x * HOLES, 1, keepdims=True)],
    "nanmean": lambda x: np.nanmean(x * x * HOLES, axis=0),
    "nanmedian": lambda x: [np.nanmedian(x * HOLES), np.nanmedian(x * x * HOLES, axis=1)],
    "nanmin": lambda x: [np.nanmin(x * HOLES), np.nanmin(x * HOLES, axis=0)],
    "nanpercentile": lambda x: np.nanpercentile(x * HOLES, [10, 65], axis=1),
    "nanprod": lambda x: np.nanprod(x * HOLES, axis=1),
    "nanquantile": lambda x: np.nanquantile(x * HOLES, 0.35, axis=1, keepdims=True),
    "nanstd": lambda x: [np.nanstd(x * HOLES), np.nanstd(x * HOLES, axis=1, ddof=1)],
    "nansum": lambda x: np.nansum(x * x * HOLES, 1, keepdims=True),
    "nanvar": lambda x: [np.nanvar(x * HOLES), np.nanvar((x + 1j * W) * HOLES, axis=0)],
    "percentile": lambda x: [np.percentile(x, 30), np.percentile(x, [0, 17, 100], axis=1)],
    "prod": lambda x: [np.prod(x, initial=2.0), np.prod(x, axis=0, where=W > 0)],
    "ptp": lambda x: [np.ptp(x * x), np.ptp(x, axis=1, keepdims=True)],
    "quantile": lambda x: [np.quantile(x, 0.3), np.quantile(x * x, [[0.1, 0.8]], axis=0),
                           np.quantile(CUBE + x, 0.4, axis=(1, 2), keepdims=True),
                           np.quantile(W, x[0, :2] / 2, axis=0)],
    "sum": lambda x: [np.sum(x * x, where=W > 0), np.sum(x, axis=1, initial=2.0)],
    "histogram": lambda x: [np.histogram(W, 5, weights=x)[0], np.histogram(x, 3)[1],
                            np.histogram(x, [0.0, 0.4, 1.0], weights=x * x, density=True)[0]],
    "histogram_bin_edges": lambda x: np.histogram_bin_edges(x, 4),
    "bincount": lambda x: np.bincount([0, 2, 2, 1], x[0] * x[1], minlength=5),
}  # fmt: skip
CALCULUS = {
    "diff": lambda x: np.diff(x * x, axis=0, append=0.5),
    "ediff1d": lambda x: [np.ediff1d(x * x), np.ediff1d(x, x[0], [1.0, 2.0])],
    "geomspace": lambda x: [np.geomspace(x[0], x[1] + 1, 5), np.geomspace(x[0, 0], 3.0, 4, False)],
    "geomspace below 0": lambda x: np.geomspace(-x[0], -2.0, 5, axis=-1),
    "gradient": lambda x: [np.gradient(x * x), np.gradient(x, 0.5, axis=1), np.gradient(x[0])],
    "gradient to second order": lambda x: np.gradient(x, x[0, 0], PLACES, edge_order=2),
    "gradient by places": lambda x: np.gradient(W[0], PLACES * x[0, 0] + x[0] ** 2, edge_order=2),
    "i0": lambda x: np.i0(x * 3),
    "interp": lambda x: np.interp(x * 2, PLACES, ROW),
    "interp by knots": lambda x: np.interp([0.1, 0.55, 0.8, 2.0], PLACES + 0.1 * x[0], x[1]),
    "interp outside": lambda x: np.interp(x * 3, PLACES, x[0], left=x[0, 0] ** 2, right=0.0),
    "interp with a period": lambda x: np.interp(x * 3, PLACES, x[0], period=1.3),
    "interp complex": lambda x: np.interp(x * 2, PLACES, x[0] * (1 + 2j)),
    "interp one knot": lambda x: np.interp(x, [0.5], x[0, :1], left=x[0, 0], right=x[0, 1] ** 2),
    "linspace": lambda x: [np.linspace(x[0], 2.0, 5, axis=1),
                           np.linspace(x[0], x[1] ** 2, 5, endpoint=False, retstep=True)],
    "logspace": lambda x: [np.logspace(x[0], 2.0, 5), np.logspace(0, x[0, 0], 4, base=x[0, 1])],
    "sinc": lambda x: [np.sinc(x), np.sinc(W * x), np.sinc(0 * x), np.sinc(0.16 * x)],
    "trapezoid": lambda x: [np.trapezoid(x), np.trapezoid(x * x, PLACES), np.trapezoid(x, x**2)],
    "unwrap": lambda x: [np.unwrap(x * 20), np.unwrap(x * 20, axis=0, period=4),
                         np.unwrap(x * 20, 5.0), np.unwrap(x * 9, period=3 + x[0, 0])],
}  # fmt: skip
JOINING = {
    "append": lambda x: np.append(x, x * x, axis=1),
    "block": lambda x: [np.block([[x, W], [x[:1], x[1:2] ** 2]]), np.block([x[0], 2.0, ROW])],
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, CUBE),
    "delete": lambda x: [np.delete(x, 1, 0), np.delete(x, [0, -1], 1), np.delete(x * x, slice(3))],
    "diag": lambda x: [np.diag(x * x), np.diag(x[0] * x[1])],
    "diagflat": lambda x: np.diagflat(x * x, -1),
    "diagonal": lambda x: np.diagonal(x * x, 1),
    "dsplit": lambda x: np.dsplit(CUBE * x, [1]),
    "flip": lambda x: [np.flip(x * x), np.fliplr(x * x), np.flipud(x * x)],
    "hsplit": lambda x: np.hsplit(x * x, 2),
    "insert": lambda x: [np.insert(x, 1, x[0] * x[1], axis=0), np.insert(x, [0, 2], x[0, 0], 1),
                         np.insert(x, 2, x[1]), np.insert(x, slice(0, 2), ROW, axis=0),
                         np.insert(x, [1], x[:, :2] ** 2, axis=1)],
    "pad": lambda x: [np.pad(x * x, ((1, 2), (0, 3)), mode)
                      for mode in ("constant", "edge", "reflect", "symmetric", "wrap")],
    "pad far": lambda x: [np.pad(x, 9, mode) for mode in ("reflect", "symmetric", "wrap")],
    "pad constants": lambda x: [np.pad(x * x, (1, 2), constant_values=((1, 2), (3, 4))),
                                np.pad(x, [[2], [0]]), np.pad(x, 1, constant_values=x[0, 0])],
    "resize": lambda x: np.resize(x * x, (3, 5)),
    "roll": lambda x: np.roll(x * x, 2),
    "rollaxis": lambda x: [np.rollaxis(CUBE * x, 2), np.rollaxis(CUBE * x, 0, 3)],
    "rot90": lambda x: np.rot90(x * x, 3),
    "sliding_window_view": lambda x: [
        np.lib.stride_tricks.sliding_window_view(x * x, (2, 3)),
        np.lib.stride_tricks.sliding_window_view(x * x, 3, axis=1),
    ],
    "split": lambda x: np.split(x * x, [1, 2], axis=1),
    "stack": lambda x: [np.stack([x, W]), np.vstack([x, ROW]), np.dstack([x, W])],
    "trace": lambda x: np.trace(CUBE * x, 1, 1, 2),
    "vsplit": lambda x: np.vsplit(x * x, 3),
}  # fmt: skip
CHOOSING = {
    "apply_along_axis": lambda x: [np.apply_along_axis(lambda row: row * row[0], 0, x),
                                   np.apply_along_axis(np.sum, 1, x * x),
                                   np.apply_along_axis(np.outer, 1, CUBE * x, ROW)],
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, CUBE * x * x, [0, 2]),
    "choose": lambda x: np.choose([0, 2, 1, 0], [x[0], ROW, x[1] * x[2]]),
    "clip": lambda x: np.clip(x * x, 0.1, x[0]),
    "compress": lambda x: [np.compress([True, False, True], x * x, axis=1), np.compress([0, 1], x)],
    "extract": lambda x: np.extract(W > 0.3, x * x),
    "heaviside": lambda x: np.heaviside(x - 0.5, 0.5) * x,
    "fmod": lambda x: np.fmod(2.74 + abs(W), x),
    "hypot": lambda x: np.hypot(x, W),
    "nan_to_num": lambda x: np.nan_to_num(x * HOLES, nan=0.5),
    "partition": lambda x: [np.partition(x * x, 2), np.partition(x, 1, axis=0)],
    "piecewise": lambda x: [np.piecewise(x, [x < 0.4, x > 0.7], [np.square, lambda v: 2 * v, 0.5]),
                            np.piecewise(x[0], x[0] > 0.6, [lambda v, n: v**n], 3),
                            np.piecewise(x, [W > 0, x > 0.6], [np.exp, -1.0])],
    "real_if_close": lambda x: [np.real_if_close(x * (1 + 0j)), np.real_if_close(x * 1j)],
    "select": lambda x: np.select([x > 0.8, W > 0.4], [x * x, W * x]),
}  # fmt: skip
LINALG = {
    "cholesky": lambda x: [np.linalg.cholesky(positive(x)),
                           np.linalg.cholesky(positive(x), upper=True)],
    "cond": lambda x: [np.linalg.cond(square(x), p) for p in (None, 2, -2, 1, "fro")],
    "cross": lambda x: np.linalg.cross(x[:, :3], W[:, :3]),
    "det": lambda x: np.linalg.det(square(x)),
    "diagonal": lambda x: np.linalg.diagonal(x * x, offset=1),
    "eig": lambda x: np.abs(np.linalg.eig(positive(x)).eigenvalues),
    "eigh": lambda x: [np.abs(y) for u in "LU" for y in np.linalg.eigh(positive(x), u)],
    "eigvals": lambda x: np.linalg.eigvals(positive(x)),
    "eigvalsh": lambda x: np.linalg.eigvalsh(positive(x), "U"),
    "inv": lambda x: np.linalg.inv(square(x)),
    "lstsq": lambda x: [np.linalg.lstsq(x.T, W.T)[n] for n in (0, 1, 3)],
    "matrix_norm": lambda x: np.linalg.matrix_norm(x, ord="nuc"),
    "matrix_power": lambda x: [np.linalg.matrix_power(square(x), n) for n in (-2, 0, 1, 3)],
    "multi_dot": lambda x: [np.linalg.multi_dot([x[0], x.T, W, x[1]]),
                            np.linalg.multi_dot([x, W.T, x]), np.linalg.multi_dot([x, ROW])],
    "norm": lambda x: [np.linalg.norm(x), np.linalg.norm(CUBE * x), np.linalg.norm(x[0], 3),
                       np.linalg.norm(x, axis=1), np.linalg.norm(x, 1, axis=0, keepdims=True),
                       np.linalg.norm(x, keepdims=True), np.linalg.norm(x[0], 0) * x],
    "norm of matrices": lambda x: [np.linalg.norm(x, p) for p in ("fro", "nuc", 1, -1, 2, -2)]
    + [np.linalg.norm(CUBE * x, np.inf, axis=(2, 0), keepdims=True)],
    "outer": lambda x: np.linalg.outer(x[0], x[1]),
    "pinv": lambda x: [np.linalg.pinv(x), np.linalg.pinv(x, rcond=1e-10)],
    "qr": lambda x: [*np.linalg.qr(square(x)), np.linalg.qr(x.T, "r")],
    "slogdet": lambda x: np.linalg.slogdet(square(x)).logabsdet,
    "solve": lambda x: [np.linalg.solve(square(x), x[:, 0]), np.linalg.solve(square(x), W)],
    "svd": lambda x: [np.abs(y) for y in np.linalg.svd(positive(x))]
    + [np.linalg.svd(x, compute_uv=False), *map(np.abs, np.linalg.svd(x * x, False))],
    "svdvals": lambda x: np.linalg.svdvals(x),
    "tensorinv": lambda x: np.linalg.tensorinv(square(x).reshape(3, 3, 1), ind=1),
    "tensorsolve": lambda x: [np.linalg.tensorsolve(square(x).reshape(3, 1, 3), x[:, :1]),
                              np.linalg.tensorsolve(square(x).reshape(3, 3, 1), x[:, 0], (0,))],
    "trace": lambda x: np.linalg.trace(CUBE * x, offset=1),
    "vecdot": lambda x: np.linalg.vecdot(x, W),
    "vector_norm": lambda x: np.linalg.vector_norm(x, axis=0, ord=3),
}  # fmt: skip
ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL_AXES = ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")
SUBJECTS = {
    "einsum": EINSUM,
    "products": PRODUCTS,
    "statistics": STATISTICS,
    "calculus": CALCULUS,
    "joining": JOINING,
    "choosing": CHOOSING,
    "linalg": LINALG,
}
CALLS = [
    pytest.param(f, id=f"{subject}-{name}")
    for subject, calls in SUBJECTS.items()
    for name, f in calls.items()
]


@pytest.mark.parametrize("f", CALLS)
def test_function_has_numpys_values_and_derivatives(f: Any) -> None:
    """Every function, at first and second order, with every argument that it has."""
    check_derivatives(f, X, rtol=1e-7)


@pytest.mark.parametrize("name", ONE_AXIS)
def test_transform_along_an_axis_has_numpys_values_and_derivatives(name: str) -> None:
    """Lengths, axes and norms."""
    function = getattr(np.fft, name)
    given = X if name in ("rfft", "ihfft") else X * (1 + 2j)
    calls = lambda x: [function(x), function(x, 5), function(x, axis=0), function(x, norm="ortho")]
    check_derivatives(lambda x: calls(x * x * given), X)


@pytest.mark.parametrize("name", SEVERAL_AXES)
def test_transform_along_axes_has_numpys_values_and_derivatives(name: str) -> None:
    """Lengths, axes and norms; shifts beside them."""
    function = getattr(np.fft, name)
    calls = lambda x: [
        function(x),
        function(x, (5, 4), (0, 1)),
        function(x, axes=(0,)),
        np.fft.fftshift(function(x, norm="forward"), 1),
        np.fft.ifftshift(function(x)),
    ]
    check_derivatives(lambda x: calls(x * (X if name.startswith("rfft") else X * (1 + 2j))), X)


def test_every_function_of_the_tables_is_tried() -> None:
    """Here, or beside the elementwise functions."""
    tried = {name.split()[0].split(".")[-1] for calls in SUBJECTS.values() for name in calls}
    tried |= {name.split()[0].split(".")[-1] for name in test_numpy_functions.FUNCTIONS}
    tried |= {f"unique_{part}" for part in ("all", "counts", "inverse", "values")}
    tried |= {*ONE_AXIS, *SEVERAL_AXES, "fftshift", "ifftshift", "einsum", *writing.FUNCTIONS}
    assert {name.split(".")[-1] for name in FUNCTIONS} <= tried


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: np.percentile(x, 30, method="lower"), "percentile with method='lower'"),
        (lambda x: np.quantile(x, 0.3, method="inverted_cdf", weights=x), "quantile with method"),
        (lambda x: np.pad(x, 1, "linear_ramp", end_values=0), "pad"),
        (lambda x: np.pad(x, 1, "mean"), "pad with mode='mean'"),
        (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), "pad with reflect_type='odd'"),
        (lambda x: np.linalg.qr(x, "raw"), "linalg.qr with mode='raw'"),
        (lambda x: np.histogram(x, "auto"), "histogram with bins='auto'"),
        (lambda x: np.nanvar(x, mean=0.5), "nanvar with mean"),
        (lambda x: np.polyfit(ROW, x[0], 2), "polyfit"),
        (lambda x: np.roots(x[0]), "roots"),
        (lambda x: np.histogram2d(x[0], x[1]), "histogram2d"),
        (lambda x: np.einsum("i," * 31 + "i", *[x[0]] * 32), "einsum has a derivative rule for 31"),
    ],
)
def test_what_has_no_rule_says_so(f: Any, name: str) -> None:
    """Rather than lose a gradient."""
    with pytest.raises(NoRuleError, match=name):
        ag.vjp(f, X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.max(x, where=W > 0),
        lambda x: np.percentile(x, 101),
        lambda x: np.gradient(x[:, :1]),
    ],
)
def test_what_numpy_refuses_is_refused(f: Any) -> None:
    """With the error that NumPy raises."""
    for call in (f, lambda x: inside(f, x)):
        with pytest.raises(ValueError, match=r"."):
            call(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.bincount([0, 1, 1]),
        lambda x: np.digitize(x, [0.3, 0.6]),
        lambda x: np.histogram(x, [0.0, 0.5, 1.0])[0],
        lambda x: np.lexsort((x[0], x[1])),
        lambda x: np.linalg.matrix_rank(x),
        lambda x: np.linalg.lstsq(x.T, W.T)[2],
        lambda x: np.nanargmax(x * HOLES, axis=1),
        lambda x: np.searchsorted([0.3, 0.6], x),
    ],
)
def test_count_or_index_is_a_constant(f: Any) -> None:
    """With NumPy's values."""
    y = inside(lambda x: np.asarray(f(x)), X)
    np.testing.assert_array_equal(y, f(X))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.corrcoef(x),
        lambda x: np.einsum("ij,kj", x, x),
        lambda x: np.fft.fft(x),
        lambda x: np.gradient(x, axis=0),
        lambda x: np.interp(x, [0.0, 1.0], [0.5, 2.0]),
        lambda x: np.linalg.norm(x, axis=1),
        lambda x: np.linalg.solve(x[:, :3], x[:, 3]),
        lambda x: np.median(x, axis=0),
        lambda x: np.pad(x, 1, constant_values=0.5),
        lambda x: np.percentile(x, 30.0),
        lambda x: np.percentile(x, [30.0]),
        lambda x: np.sinc(x),
    ],
)
def test_single_precision_gives_numpys_dtype(f: Any) -> None:
    """And so do its gradients."""
    x = X.astype(np.float32)
    values, pullback = ag.vjp(f, x)
    assert values.dtype == f(x).dtype
    assert pullback(np.ones_like(values))[0].dtype == np.float32


def test_median_of_not_a_number_is_none() -> None:
    """Unless told to skip it."""
    x = X * HOLES
    for f in (np.median, np.nanmedian):
        np.testing.assert_array_equal(inside(lambda x, f=f: f(x, axis=1), x)._value, f(x, axis=1))


def test_einsum_and_convolve_push_tangents_forward() -> None:
    """They are linear in each operand."""
    f = lambda x: np.sum(np.einsum("ij,kj,ii->k", x, x, x[:, :3]) ** 2)
    g = lambda x: np.sum(np.convolve(x[0], x[1], "same") ** 2)
    for each in (f, g):
        _, along = ag.jvp(each, (X,), (W,))
        np.testing.assert_allclose(along, np.sum(ag.grad(each)(X) * W), rtol=1e-13)
