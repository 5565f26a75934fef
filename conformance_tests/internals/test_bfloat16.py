"""bfloat16, which the standard does not know: a library that has it keeps it."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad.errors import DtypeError
from arraygrad.optimizers import adam


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_gradients_and_steps_stay_in_bfloat16(library):
    """The dtype is kept; small integers are exact in it."""
    xp = pytest.importorskip(library)
    x = xp.asarray([1.0, 2.0, 3.0], dtype=xp.bfloat16)
    gradient = ag.grad(lambda x: (x * x).sum())(x)
    assert gradient.dtype == x.dtype
    assert [float(g) for g in gradient] == [2.0, 4.0, 6.0]
    stepped, _ = (optimizer := adam(0.5)).step(x, gradient, optimizer.init(x))
    assert stepped.dtype == x.dtype
    assert [float(w) for w in stepped] == pytest.approx([0.5, 1.5, 2.5], rel=1e-2)


def test_numpy_refuses_a_dtype_of_another_package():
    """NumPy cannot tell whether such a dtype is floating; the error is ours."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    with pytest.raises(DtypeError, match="bfloat16"):
        ag.grad(np.sum)(np.ones(3, ml_dtypes.bfloat16))
