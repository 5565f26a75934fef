"""Calls of SciPy: statistics, quadrature, roots, derivatives, transforms, signals, rotations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize.elementwise as elementwise
from array_api_compat import array_namespace
from scipy import (
    cluster,
    differentiate,
    fft,
    integrate,
    linalg,
    optimize,
    signal,
    special,
    stats,
)
from scipy.spatial.transform import RigidTransform, Rotation, Slerp

from conformance_tests.third_party.calls import Call, constant, matrix, vector

__all__ = ["SCIPY"]

V, W = vector(), vector(seed=1)  # any numbers
P, Q = vector(low=0.3, high=3.0, seed=2), vector(low=0.3, high=3.0, seed=3)  # positive ones
U = vector(low=0.1, high=0.9, seed=4)  # probabilities
T = np.cumsum(P)  # points in time
X, Y = matrix(), matrix(seed=1)
LONG = vector(24, seed=5)
QUATERNIONS, VECTORS = matrix(5, 4), matrix(5, 3)


def modulus(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that takes absolute values of a complex result."""

    def of(*args: Any) -> Any:
        y = f(*args)
        return array_namespace(y).abs(y)

    return of


def of_complex(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that takes a real array as a complex one."""
    return lambda x: f(x + 0j)


def by_name(module: Any, prefix: str, names: str, *args: np.ndarray) -> dict[str, Call]:
    """Return one call for each of a module's functions."""
    return {f"{prefix}.{name}": Call(getattr(module, name), args) for name in names.split()}


def both(name: str, f: Callable[..., Any], *args: np.ndarray) -> dict[str, Call]:
    """Return two calls of a statistical test: for the statistic, and for the p-value."""
    return {
        f"stats.{name}.statistic": Call(lambda *x: f(*x).statistic, args),
        f"stats.{name}.pvalue": Call(lambda *x: f(*x).pvalue, args),
    }


SPECIAL = {
    **by_name(special, "special", "expit erfinv log_expit logit ndtri", U),
    **by_name(special, "special", "digamma entr erf erfc exp1 gammaln i0 i1e log_ndtr ndtr", P),
    **by_name(special, "special", "betaln binom boxcox kl_div poch rel_entr xlog1py xlogy", P, Q),
    "special.betainc": Call(lambda x: special.betainc(2.0, 3.0, x), (U,)),
    "special.chdtrc": Call(lambda x: special.chdtrc(3.0, x), (P,)),
    "special.fdtrc": Call(lambda x: special.fdtrc(3.0, 4.0, x), (P,)),
    "special.gammainc": Call(lambda x: special.gammainc(2.0, x), (P,)),
    "special.log_softmax": Call(lambda x: special.log_softmax(x, axis=1), (X,)),
    "special.logsumexp": Call(lambda x, b: special.logsumexp(x, axis=0, b=b), (X, Y**2)),
    "special.multigammaln": Call(lambda x: special.multigammaln(x + 3, 2), (P,)),
    "special.polygamma": Call(lambda x: special.polygamma(1, x), (P,)),
    "special.softmax": Call(lambda x: special.softmax(x, axis=1), (X,)),
    "special.stdtr": Call(lambda t: special.stdtr(3.0, t), (V,)),
    "special.zeta": Call(lambda q: special.zeta(2.0, q), (P,)),
}

STATS = {
    "stats.alexandergovern": Call(lambda x, y: stats.alexandergovern(x, y).statistic, (V, W)),
    "stats.bootstrap": Call(
        lambda x: (
            stats.bootstrap(
                (x,), np.mean, n_resamples=20, rng=0, method="percentile"
            ).confidence_interval.low
        ),
        (V,),
    ),
    "stats.differential_entropy": Call(stats.differential_entropy, (LONG,)),
    "stats.false_discovery_control": Call(stats.false_discovery_control, (U,)),
    "stats.moment": Call(lambda x: stats.moment(x, [2, 3], axis=0), (X,)),
    "stats.sigmaclip": Call(lambda x: stats.sigmaclip(x, 1.5, 1.5)[0], (V,)),
    "stats.yeojohnson_llf": Call(stats.yeojohnson_llf, (np.asarray(0.7), V)),
    **by_name(
        stats,
        "stats",
        "circmean circstd circvar entropy gmean gstd gzscore hmean iqr kstat kstatvar kurtosis"
        " median_abs_deviation sem skew tmax tmean tmin tsem tstd tvar variation zscore",
        P,
    ),
    **both("bartlett", stats.bartlett, V, W, P),
    **both("chisquare", lambda x: stats.chisquare(x, 0 * x + array_namespace(x).mean(x)), P),
    **both("combine_pvalues", lambda x: stats.combine_pvalues(x, method="stouffer"), U),
    **both("f_oneway", stats.f_oneway, V, W, P),
    **both("jarque_bera", stats.jarque_bera, V),
    **both("kurtosistest", stats.kurtosistest, LONG),
    **both("levene", stats.levene, V, W, P),
    **both("normaltest", stats.normaltest, LONG),
    **both("pearsonr", stats.pearsonr, V, W),
    **both("power_divergence", lambda x: stats.power_divergence(x, lambda_=0.5), P),
    **both("skewtest", stats.skewtest, LONG),
    **both("ttest_1samp", lambda x: stats.ttest_1samp(x, 0.1), V),
    **both("ttest_ind", stats.ttest_ind, V, W),
    **both("ttest_rel", stats.ttest_rel, V, W),
    "stats.boxcox_llf": Call(lambda x: stats.boxcox_llf(0.5, x), (P,)),
    "stats.describe": Call(lambda x: stats.describe(x).variance, (P,)),
    "stats.directional_stats": Call(lambda x: stats.directional_stats(x).mean_direction, (X,)),
    "stats.gmean(weights)": Call(lambda x, w: stats.gmean(x, weights=w), (P, Q)),
    "stats.kurtosis(unbiased)": Call(lambda x: stats.kurtosis(x, axis=0, bias=False), (X,)),
    "stats.lmoment": Call(lambda x: stats.lmoment(x, 2), (V,)),
    "stats.pmean": Call(lambda x: stats.pmean(x, 1.7), (P,)),
    "stats.quantile": Call(lambda x: stats.quantile(x, 0.3), (V,)),
    "stats.trim_mean": Call(lambda x: stats.trim_mean(x, 0.2), (P,)),
    "stats.zmap": Call(stats.zmap, (V, W)),
}

# What is integrated, or has a root, is itself a function of the arguments.
INTEGRATE = {
    "integrate.romb": Call(lambda y: integrate.romb(y, dx=0.3), (vector(9),)),
    "integrate.cubature": Call(
        lambda a: (
            integrate.cubature(lambda x, a: a * x[:, :1] ** 2, a * 0, a * 0 + 1, args=(a,)).estimate
        ),
        (P[:1],),
    ),
    "integrate.cumulative_simpson": Call(lambda y, x: integrate.cumulative_simpson(y, x=x), (V, T)),
    "integrate.cumulative_trapezoid": Call(integrate.cumulative_trapezoid, (V, T)),
    "integrate.fixed_quad": Call(
        lambda a, b: integrate.fixed_quad(lambda x: array_namespace(x).sin(x), a, b)[0],
        (P[0], Q[0] + P[0]),
    ),
    "integrate.nsum": Call(
        lambda a: integrate.nsum(lambda k, a: a / k**2, 0 * a + 1, 0 * a + 20, args=(a,)).sum,
        (P,),
    ),
    "integrate.tanhsinh": Call(
        lambda a, b: integrate.tanhsinh(lambda x: array_namespace(x).exp(-(x**2)), -a, b).integral,
        (P, Q),
    ),
    "integrate.trapezoid": Call(integrate.trapezoid, (V, T)),
}
OPTIMIZE = {
    "optimize.elementwise.bracket_root": Call(
        lambda a: (
            elementwise.bracket_root(
                lambda x, a: x**3 - a, 0 * a - 1.0, 0 * a + 0.5, args=(a,)
            ).f_bracket
        ),
        (P,),
    ),
    "optimize.elementwise.find_minimum": Call(
        lambda a: (
            elementwise.find_minimum(
                lambda x, a: (x - 1) ** 2 + a * a, (0 * a - 5, 0 * a + 0.1, 0 * a + 5), args=(a,)
            ).f_x
        ),
        (P,),
    ),
    "optimize.elementwise.find_root": Call(
        lambda a: elementwise.find_root(lambda x, a: x**2 - a, (0 * a, 0 * a + 3), args=(a,)).x,
        (P,),
    ),
    **by_name(optimize, "optimize", "rosen rosen_der rosen_hess", V),
    "optimize.rosen_hess_prod": Call(optimize.rosen_hess_prod, (V, W)),
}
DIFFERENTIATE = {
    "differentiate.derivative": Call(
        lambda a: differentiate.derivative(lambda x: array_namespace(x).sin(x), a).df, (P,)
    ),
    "differentiate.hessian": Call(
        lambda a: differentiate.hessian(lambda x: x[0] ** 2 * x[1] + x[1] ** 3, a).ddf, (P[:2],)
    ),
    "differentiate.jacobian": Call(
        lambda a: (
            differentiate.jacobian(
                lambda x: array_namespace(x).stack([x[0] * x[1], array_namespace(x).sin(x[0])]), a
            ).df
        ),
        (P[:2],),
    ),
}

FFT = {
    "fft.hfftn": Call(lambda x: fft.hfftn(x + 0j), (X,)),
    "fft.ihfft2": Call(modulus(fft.ihfft2), (X,)),
    **{
        f"fft.{name}": Call(modulus(getattr(fft, name)), (X,))
        for name in "fft fft2 fftn ifft ifft2 ifftn ihfft rfft rfft2 rfftn".split()
    },
    **{
        f"fft.{name}": Call(of_complex(getattr(fft, name)), (X,))
        for name in "hfft irfft irfft2 irfftn".split()
    },
    **by_name(fft, "fft", "fftshift ifftshift", X),
    "fft.fht": Call(lambda x: fft.fht(x, 0.1, 0.2), (V,)),
}
SIGNAL = {
    "signal.freqz_zpk": Call(
        modulus(lambda z, p: signal.freqz_zpk(z, p, 2.0, worN=5)[1]), (U[:2], U[2:4] / 2)
    ),
    "signal.gauss_spline": Call(lambda x: signal.gauss_spline(x, 3), (V,)),
    **by_name(signal, "signal", "envelope", V),
    **by_name(signal, "signal", "fftconvolve oaconvolve", V, W),
    "signal.convolve": Call(lambda x, y: signal.convolve(x, y, method="fft"), (V, W)),
    "signal.correlate": Call(lambda x, y: signal.correlate(x, y, method="fft"), (V, W)),
    "signal.fftconvolve(same)": Call(lambda x, y: signal.fftconvolve(x, y, mode="same"), (X, Y)),
    "signal.freqz": Call(modulus(lambda b: signal.freqz(b, worN=8)[1]), (V,)),
    "signal.gausspulse": Call(lambda t: signal.gausspulse(t, fc=1.0), (V,)),
    "signal.hilbert": Call(modulus(signal.hilbert), (V,)),
    "signal.hilbert2": Call(modulus(signal.hilbert2), (X,)),
    "signal.resample": Call(lambda x: signal.resample(x, 5), (V,)),
    "signal.vectorstrength": Call(lambda x: signal.vectorstrength(x, 2.0)[0], (V,)),
    "signal.windows.general_cosine": Call(lambda a: signal.windows.general_cosine(8, a), (P[:3],)),
}

POSE = (VECTORS[0], QUATERNIONS[0])


def pose(t: Any, q: Any) -> RigidTransform:
    """Return the transform that rotates by a quaternion, and then moves."""
    return RigidTransform.from_components(t, Rotation.from_quat(q))


ROTATION = {
    "Rotation.apply": Call(lambda q, x: Rotation.from_quat(q).apply(x), (QUATERNIONS, VECTORS)),
    "Rotation.as_euler": Call(lambda q: Rotation.from_quat(q).as_euler("xyz"), (QUATERNIONS,)),
    "Rotation.as_matrix": Call(lambda q: Rotation.from_quat(q).as_matrix(), (QUATERNIONS,)),
    "Rotation.as_mrp": Call(lambda q: Rotation.from_quat(q).as_mrp(), (QUATERNIONS,)),
    "Rotation.as_rotvec": Call(lambda q: Rotation.from_quat(q).as_rotvec(), (QUATERNIONS,)),
    "Rotation.from_euler": Call(lambda a: Rotation.from_euler("xyz", a).as_matrix(), (VECTORS,)),
    "Rotation.from_mrp": Call(lambda r: Rotation.from_mrp(r).as_matrix(), (VECTORS,)),
    "Rotation.from_rotvec": Call(lambda r: Rotation.from_rotvec(r).as_quat(), (VECTORS,)),
    "Rotation.inv": Call(lambda q: Rotation.from_quat(q).inv().as_matrix(), (QUATERNIONS,)),
    "Rotation.magnitude": Call(lambda q: Rotation.from_quat(q).magnitude(), (QUATERNIONS,)),
    "Rotation.product": Call(
        lambda p, q: (Rotation.from_quat(p) * Rotation.from_quat(q)).as_matrix(),
        (QUATERNIONS, matrix(5, 4, seed=3)),
    ),
    "RigidTransform.from_components": Call(
        lambda t, q: RigidTransform.from_components(t, Rotation.from_quat(q)).as_matrix(),
        (VECTORS, QUATERNIONS),
    ),
    "RigidTransform.from_exp_coords": Call(
        lambda t: RigidTransform.from_exp_coords(t).as_matrix(), (vector(6),)
    ),
    "RigidTransform.apply": Call(lambda t, q, x: pose(t, q).apply(x), (*POSE, VECTORS)),
    "RigidTransform.as_dual_quat": Call(lambda t, q: pose(t, q).as_dual_quat(), POSE),
    "RigidTransform.as_exp_coords": Call(lambda t, q: pose(t, q).as_exp_coords(), POSE),
    "RigidTransform.inv": Call(lambda t, q: pose(t, q).inv().as_matrix(), POSE),
    "RigidTransform.product": Call(lambda t, q: (pose(t, q) * pose(t, q)).as_matrix(), POSE),
    "Rotation.align_vectors": Call(lambda x, y: Rotation.align_vectors(x, y)[0].as_quat(), (X, Y)),
    "Rotation.as_davenport": Call(
        lambda q: Rotation.from_quat(q).as_davenport(constant(q, np.eye(3)), "extrinsic"),
        (QUATERNIONS,),
    ),
    "Rotation.getitem": Call(lambda q: Rotation.from_quat(q)[1].as_rotvec(), (QUATERNIONS,)),
    "Rotation.power": Call(lambda q: (Rotation.from_quat(q) ** 2).as_matrix(), (QUATERNIONS,)),
    "Slerp": Call(
        lambda q, t: Slerp(constant(q, np.arange(5.0)), Rotation.from_quat(q))(t).as_quat(),
        (QUATERNIONS, np.asarray([0.3, 2.6])),
    ),
}
OTHERS = {
    "cluster.vq.whiten": Call(cluster.vq.whiten, (X,)),
    "linalg.block_diag": Call(linalg.block_diag, (X, Y)),
    "linalg.fiedler": Call(linalg.fiedler, (V,)),
    "linalg.orthogonal_procrustes": Call(linalg.orthogonal_procrustes, (X, Y)),
}

SCIPY = {
    **SPECIAL, **STATS, **INTEGRATE, **OPTIMIZE, **DIFFERENTIATE, **FFT, **SIGNAL, **ROTATION,
    **OTHERS,
}  # fmt: skip
