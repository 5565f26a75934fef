"""Arrays of MLX: values on demand, no device, and what is spelt for it."""

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import optimizers
from arraygrad._namespace import array_namespace

mx = pytest.importorskip("mlx.core")

X = [1.0, -2.0, 3.0]


@pytest.fixture(autouse=True)
def _on_cpu():
    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    yield
    mx.set_default_device(before)


def namespace():
    return array_namespace(mx.array(0.0))


def test_gradients_of_single_precision():
    x = mx.array(X)
    found = ag.grad(lambda x: (x * x).sum())(x)
    assert found.dtype == mx.float32
    assert found.tolist() == [2.0, -4.0, 6.0]


def test_it_has_our_gradients_where_it_has_its_own():
    x = mx.array(X)
    loss = lambda x: (x.__array_namespace__().exp(x) * x).sum()
    theirs = mx.grad(lambda x: (mx.exp(x) * x).sum())(x)
    np.testing.assert_allclose(np.asarray(ag.grad(loss)(x)), np.asarray(theirs), rtol=1e-6)


@pytest.mark.parametrize("mask", [[True, False, True], [False, False, False]])
def test_masks_are_read_and_written(mask):
    mask = mx.array(mask)

    def loss(x):
        y = x * 1.0
        y[mask] = x[mask] ** 2
        return y.sum()

    found = ag.grad(loss)(mx.array(X))
    want = np.where(np.asarray(mask), 2 * np.asarray(X), 1.0)
    np.testing.assert_array_equal(np.asarray(found), want)


def test_rows_add_up():
    rows = mx.array([1, 0, 1])
    found = ag.grad(lambda x: x[rows].sum())(mx.array(X))
    assert found.tolist() == [1.0, 2.0, 0.0]


def test_a_step_writes_into_its_weights():
    w = mx.array(X)
    assert ag.gradient_descent_update(w, mx.array(X), 0.5, out=w) is w
    assert w.tolist() == [0.5, -1.0, 1.5]


def test_an_optimizer_trains():
    target, w = mx.array(X), mx.zeros(3)
    optimizer = optimizers.adam(0.1)
    state = optimizer.init(w)
    for _ in range(200):
        w, state = optimizer.step(w, ag.grad(lambda w: ((w - target) ** 2).sum())(w), state)
        mx.eval(w)
    np.testing.assert_allclose(np.asarray(w), X, atol=0.1)


@pytest.mark.parametrize("name", ["exp", "sin", "cos"])
def test_double_precision_is_that(name):
    x = np.linspace(-20.0, 20.0, 101)
    found = getattr(namespace(), name)(mx.array(x, dtype=mx.float64))
    np.testing.assert_allclose(np.asarray(found), getattr(np, name)(x), rtol=1e-13, atol=1e-14)


def test_functions_that_decide_by_values():
    xp = namespace()
    (places,) = xp.nonzero(mx.array([0.0, 2.0, 3.0]))
    assert places.tolist() == [1, 2]
    assert xp.unique_values(mx.array([2, 1, 2])).tolist() == [1, 2]
    assert xp.unique_counts(mx.array([2, 1, 2])).counts.tolist() == [1, 2]


def test_its_own_functions_are_behind():
    assert namespace().logsumexp is mx.logsumexp
    assert namespace().__name__ == "mlx.core"


def test_reductions_of_empty_views_come_to_an_end():
    xp = namespace()
    x = mx.broadcast_to(mx.ones((0, 1)), (0, 3))
    assert xp.sum(x, axis=0).tolist() == [0.0, 0.0, 0.0]
    assert xp.prod(mx.permute_dims(x, (1, 0)), axis=1).tolist() == [1.0, 1.0, 1.0]
