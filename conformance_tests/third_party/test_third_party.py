"""SciPy, scikit-learn, array-api-extra, einops and xarray are differentiated as they are."""

import array_api_strict
import numpy as np
import pytest

from arraygrad.errors import GraphBreakError
from conformance_tests.third_party.calls import Call, difference, directions, gradient
from conformance_tests.third_party.other_calls import OTHERS
from conformance_tests.third_party.refused_calls import ENDS_IN_A_NUMBER, ENDS_IN_ASARRAY
from conformance_tests.third_party.scipy_calls import SCIPY
from conformance_tests.third_party.sklearn_calls import SKLEARN

# What others' code says of its own arithmetic is not ours to hear.
pytestmark = pytest.mark.filterwarnings("ignore")

CALLS = {**SCIPY, **SKLEARN, **OTHERS}
REFUSED = {**ENDS_IN_ASARRAY, **ENDS_IN_A_NUMBER}
ALL = [pytest.param(call, id=name) for name, call in CALLS.items()]


@pytest.mark.parametrize("call", ALL)
def test_gradient_agrees_with_the_differences_of_the_plain_call(call: Call) -> None:
    expected, along = difference(call), directions(call)
    found = gradient(call)
    slope = sum(float(np.sum(g * along[n])) for n, g in zip(call.argnums, found, strict=True))
    assert slope == pytest.approx(expected, rel=1e-6, abs=1e-6)


# Of the calls that SciPy and scikit-learn make of array-api-strict itself.
ON_STRICT = """
    special.expit special.betaln special.logsumexp stats.gmean stats.skew stats.zscore
    stats.ttest_rel.pvalue stats.pearsonr.statistic integrate.trapezoid
    optimize.rosen_der fft.rfft
    signal.fftconvolve Rotation.as_matrix metrics.r2_score preprocessing.StandardScaler
    decomposition.PCA.explained_variance_ array_api_extra.cov array_api_extra.at.multiply
    xarray.arithmetic
""".split()


@pytest.mark.parametrize("name", ON_STRICT)
def test_gradients_on_a_strict_library_are_those_on_numpy(name: str) -> None:
    call = CALLS[name]
    found = gradient(call, array_api_strict.asarray)
    for ours, numpys in zip(found, gradient(call), strict=True):
        np.testing.assert_allclose(np.asarray(ours), numpys, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_the_gradient_raises(name: str) -> None:
    with pytest.raises(GraphBreakError):
        gradient(REFUSED[name])


def test_enough_calls_are_tried() -> None:
    assert len(CALLS) >= 200
