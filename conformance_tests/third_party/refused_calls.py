"""Calls that no traced array can pass: they end in `float()`, `np.asarray` or compiled code."""

from array_api_compat import array_namespace
from scipy import fft, integrate, interpolate, linalg, ndimage, optimize, signal, spatial, stats
from scipy.spatial import distance
from sklearn import cluster, linear_model, metrics, preprocessing

from conformance_tests.third_party.calls import Call, matrix, vector

__all__ = ["ENDS_IN_ASARRAY", "ENDS_IN_A_NUMBER"]

V, W = vector(), vector(seed=1)
P, Q = vector(low=0.3, high=3.0, seed=2), vector(low=0.3, high=3.0, seed=3)
X, Y, S = matrix(), matrix(seed=1), matrix(4, 4)
SAMPLES, TARGETS = matrix(20), vector(20)

# Compiled code takes the memory of NumPy arrays.
ENDS_IN_ASARRAY = {
    "fft.dct": Call(fft.dct, (V,)),
    "integrate.simpson": Call(lambda y: integrate.simpson(y, dx=0.1), (V,)),
    "integrate.solve_ivp": Call(lambda y: integrate.solve_ivp(lambda t, y: -y, (0, 1), y).y, (V,)),
    "interpolate.krogh": Call(
        lambda y: interpolate.KroghInterpolator(range(8), y)(array_namespace(y).ones(1)), (V,)
    ),
    "linalg.expm": Call(linalg.expm, (S,)),
    "linalg.inv": Call(linalg.inv, (S,)),
    "linalg.solve": Call(linalg.solve, (S, V[:4])),
    "linalg.svdvals": Call(linalg.svdvals, (S,)),
    "ndimage.gaussian_filter": Call(lambda x: ndimage.gaussian_filter(x, 1.0), (S,)),
    "optimize.approx_fprime": Call(lambda x: optimize.approx_fprime(x, optimize.rosen), (V,)),
    "optimize.newton": Call(lambda a: optimize.newton(lambda x: x * x - a, a), (P,)),
    "optimize.nnls": Call(lambda b: optimize.nnls(abs(S), b)[0], (P[:4],)),
    "signal.convolve(direct)": Call(lambda x, y: signal.convolve(x, y, method="direct"), (V, W)),
    "signal.convolve2d": Call(signal.convolve2d, (X, Y)),
    "signal.detrend": Call(signal.detrend, (V,)),
    "signal.medfilt": Call(lambda x: signal.medfilt(x, 3), (V,)),
    "signal.periodogram": Call(lambda x: signal.periodogram(x)[1], (V,)),
    "signal.welch": Call(lambda x: signal.welch(x, nperseg=4)[1], (V,)),
    "spatial.distance.cdist": Call(distance.cdist, (X, Y)),
    "spatial.distance.pdist": Call(distance.pdist, (X,)),
    "spatial.procrustes": Call(lambda x, y: spatial.procrustes(x, y)[2], (X, Y)),
    "stats.Normal.pdf": Call(lambda x: stats.Normal().pdf(x), (V,)),
    "stats.gaussian_kde": Call(lambda x: stats.gaussian_kde(x)(0.5), (V,)),
    "stats.kendalltau": Call(lambda x, y: stats.kendalltau(x, y).statistic, (V, W)),
    "stats.multivariate_normal": Call(stats.multivariate_normal.logpdf, (V,)),
    "stats.norm.pdf": Call(stats.norm.pdf, (V,)),
    "stats.wasserstein_distance": Call(stats.wasserstein_distance, (V, W)),
    "sklearn.Lasso": Call(lambda x, y: linear_model.Lasso().fit(x, y).coef_, (SAMPLES, TARGETS)),
    "sklearn.LinearRegression": Call(
        lambda x, y: linear_model.LinearRegression().fit(x, y).coef_, (SAMPLES, TARGETS)
    ),
    "sklearn.KMeans": Call(lambda x: cluster.KMeans(2).fit(x).cluster_centers_, (SAMPLES,)),
    "sklearn.scale": Call(preprocessing.scale, (X,)),
}

# A Python number has no gradient; with `multioutput="raw_values"` metrics return arrays.
ENDS_IN_A_NUMBER = {
    **{
        f"metrics.{name}": Call(getattr(metrics, name), (P, Q))
        for name in """
            d2_tweedie_score explained_variance_score max_error mean_absolute_error
            mean_gamma_deviance mean_pinball_loss mean_poisson_deviance mean_squared_error
            mean_squared_log_error r2_score root_mean_squared_error
        """.split()
    },
    "integrate.quad": Call(lambda a: integrate.quad(lambda x: a * x, 0, 1)[0], (P[0],)),
    "optimize.brentq": Call(lambda a: optimize.brentq(lambda x: x - a, 0, 9), (P[0],)),
    "linear_model.Ridge.score": Call(
        lambda x, y: linear_model.Ridge(solver="svd").fit(x, y).score(x, y), (SAMPLES, TARGETS)
    ),
}
