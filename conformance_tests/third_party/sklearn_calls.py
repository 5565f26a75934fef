"""Calls of scikit-learn, which asks arrays for their namespace if `array_api_dispatch` says so."""

from functools import partial
from typing import Any

import numpy as np
from sklearn import (
    covariance,
    decomposition,
    discriminant_analysis,
    kernel_approximation,
    linear_model,
    metrics,
    mixture,
    model_selection,
    naive_bayes,
    pipeline,
    preprocessing,
)
from sklearn.metrics import pairwise
from sklearn.utils import extmath

from conformance_tests.third_party.calls import Call, constant, matrix, vector

__all__ = ["SKLEARN"]

X, Y = matrix(), matrix(seed=1)
SAMPLES = matrix(20)
TARGETS = SAMPLES @ [1.0, -2.0, 0.5] + 0.1 * vector(20, seed=2)
CLASSES = np.arange(20) % 2
V = vector()

METRICS = {
    f"metrics.{name}": Call(
        partial(getattr(metrics, name), multioutput="raw_values"),
        (abs(X) + 0.5, abs(Y) + 0.5),
    )
    for name in """
        explained_variance_score mean_absolute_error mean_absolute_percentage_error
        mean_pinball_loss mean_squared_error mean_squared_log_error r2_score
        root_mean_squared_error root_mean_squared_log_error
    """.split()
}
PAIRWISE = {
    f"metrics.pairwise.{name}": Call(getattr(pairwise, name), (abs(X) + 0.5, abs(Y) + 0.5))
    for name in """
        additive_chi2_kernel chi2_kernel cosine_distances cosine_similarity euclidean_distances
        laplacian_kernel linear_kernel manhattan_distances nan_euclidean_distances
        paired_cosine_distances paired_euclidean_distances paired_manhattan_distances
        pairwise_distances polynomial_kernel rbf_kernel sigmoid_kernel
    """.split()
}


def transformed(transformer: Any, x: np.ndarray = X) -> Call:
    """Return a call that fits and transforms."""
    return Call(lambda x: transformer.fit_transform(x), (x,))


PREPROCESSING = {
    "preprocessing.KernelCenterer": transformed(preprocessing.KernelCenterer(), X @ X.T),
    "preprocessing.MaxAbsScaler": transformed(preprocessing.MaxAbsScaler()),
    "preprocessing.MinMaxScaler": transformed(preprocessing.MinMaxScaler()),
    "preprocessing.Normalizer": transformed(preprocessing.Normalizer()),
    "preprocessing.Normalizer(l1)": transformed(preprocessing.Normalizer(norm="l1")),
    "preprocessing.Normalizer(max)": transformed(preprocessing.Normalizer(norm="max")),
    "preprocessing.PolynomialFeatures": transformed(preprocessing.PolynomialFeatures(2)),
    "preprocessing.QuantileTransformer": transformed(
        preprocessing.QuantileTransformer(n_quantiles=5)
    ),
    "preprocessing.StandardScaler": transformed(preprocessing.StandardScaler()),
    "preprocessing.maxabs_scale": Call(preprocessing.maxabs_scale, (X,)),
    "preprocessing.minmax_scale": Call(preprocessing.minmax_scale, (X,)),
    "preprocessing.normalize": Call(lambda x: preprocessing.normalize(x, axis=0), (X,)),
}


def pca(**options: Any) -> Any:
    """Return the analysis that scikit-learn does in the array's namespace."""
    return decomposition.PCA(2, svd_solver="full", **options)


def mixed(kind: str, x: Any) -> Any:
    """Return a mixture after a few steps from a start that has no randomness.

    `reg_covar` would be added through a view of the covariances, which traced arrays do not have.
    """
    model = mixture.GaussianMixture(
        2, covariance_type=kind, max_iter=3, tol=0.0, reg_covar=0.0, init_params="random",
        random_state=0, means_init=constant(x, SAMPLES[:2]), weights_init=constant(x, [0.4, 0.6]),
    )  # fmt: skip
    return model.fit(x)


MODELS = {
    "covariance.ledoit_wolf": Call(lambda x: covariance.ledoit_wolf(x)[0], (SAMPLES,)),
    "covariance.shrunk_covariance": Call(
        lambda x: covariance.shrunk_covariance(covariance.empirical_covariance(x)), (SAMPLES,)
    ),
    "decomposition.FactorAnalysis": Call(
        lambda x: decomposition.FactorAnalysis(1).fit(x).components_ ** 2, (SAMPLES,)
    ),
    "kernel_approximation.Nystroem": Call(
        lambda x: kernel_approximation.Nystroem(n_components=3, random_state=0).fit_transform(x),
        (SAMPLES,),
    ),
    "linear_model.RidgeCV": Call(
        lambda x, y: linear_model.RidgeCV().fit(x, y).coef_, (SAMPLES, TARGETS)
    ),
    "decomposition.PCA.explained_variance_": Call(
        lambda x: pca().fit(x).explained_variance_, (SAMPLES,)
    ),
    "decomposition.PCA.get_covariance": Call(lambda x: pca().fit(x).get_covariance(), (SAMPLES,)),
    "decomposition.PCA.score_samples": Call(lambda x: pca().fit(x).score_samples(x), (SAMPLES,)),
    "decomposition.PCA.transform": Call(lambda x: pca().fit(x).transform(x) ** 2, (SAMPLES,)),
    "decomposition.PCA(whiten)": Call(
        lambda x: pca(whiten=True).fit(x).transform(x) ** 2, (SAMPLES,)
    ),
    "discriminant_analysis.LinearDiscriminantAnalysis": Call(
        lambda x, y: (
            discriminant_analysis.LinearDiscriminantAnalysis().fit(x, y).decision_function(x)
        ),
        (SAMPLES, CLASSES),
    ),
    "linear_model.Ridge.coef_": Call(
        lambda x, y: linear_model.Ridge(solver="svd").fit(x, y).coef_, (SAMPLES, TARGETS)
    ),
    "linear_model.Ridge.predict": Call(
        lambda x, y: linear_model.Ridge(solver="svd").fit(x, y).predict(x), (SAMPLES, TARGETS)
    ),
    **{
        f"mixture.GaussianMixture({kind})": Call(
            lambda x, kind=kind: mixed(kind, x).covariances_, (SAMPLES,)
        )
        for kind in ("diag", "full", "spherical", "tied")
    },
    "mixture.GaussianMixture.predict_proba": Call(
        lambda x: mixed("full", x).predict_proba(x), (SAMPLES,)
    ),
    "mixture.GaussianMixture.score_samples": Call(
        lambda x: mixed("full", x).score_samples(x), (SAMPLES,)
    ),
    "model_selection.train_test_split": Call(
        lambda x: model_selection.train_test_split(x, shuffle=False)[0], (SAMPLES,)
    ),
    "naive_bayes.GaussianNB": Call(
        lambda x, y: naive_bayes.GaussianNB().fit(x, y).predict_joint_log_proba(x),
        (SAMPLES, CLASSES),
    ),
    "pipeline.make_pipeline": Call(
        lambda x: (
            pipeline.make_pipeline(preprocessing.StandardScaler(), pca()).fit_transform(x) ** 2
        ),
        (SAMPLES,),
    ),
}
UTILITIES = {
    "utils.extmath.fast_logdet": Call(extmath.fast_logdet, (X.T @ X,)),
    "utils.extmath.row_norms": Call(extmath.row_norms, (X,)),
    "utils.extmath.softmax": Call(lambda x: extmath.softmax(x), (X,)),
}

SKLEARN = {**METRICS, **PAIRWISE, **PREPROCESSING, **MODELS, **UTILITIES}
